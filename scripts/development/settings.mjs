import { fileURLToPath } from 'node:url'

const usualFolder = fileURLToPath(new URL('../../.parley', import.meta.url))

/** Where `npm start` tells other programs where it is, wherever its data are. */
export const usualDevFile = fileURLToPath(new URL('../../.parley/dev.json', import.meta.url))

/** What the environment says, or the usual. */
export const settingsFrom = (/** @type {NodeJS.ProcessEnv} */ env) => ({
  host: env.PARLEY_HOST || '127.0.0.1',
  port: env.PORT || undefined,
  dataFolder: env.PARLEY_DATA || usualFolder,
})
