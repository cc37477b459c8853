import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeWhole } from './write-whole.mjs'

/**
 * `dev.json` tells other programs where the running development server is. It lies in the data folder, and `npm start` puts
 * it into `.parley` of the repository as well, wherever its data are. It exists only while everything is ready.
 *
 * @typedef {{
 *   url: string, websocketUrl: string, appId: string, authServiceUrl: string, demoUrl: string, pid: number
 * }} DevelopmentAddresses
 */

/** @param {string} file @returns {DevelopmentAddresses | undefined} */
function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

/** The server that runs on this folder already, if there is one; a file that outlived its server does not count. */
export async function findRunning(/** @type {string} */ dataFolder) {
  const addresses = read(join(dataFolder, 'dev.json'))
  if (!addresses) return undefined
  const isAnswering = await fetch(addresses.demoUrl, { signal: AbortSignal.timeout(2_000) }).then(
    () => true,
    () => false,
  )
  return isAnswering && addresses.pid !== process.pid ? addresses : undefined
}

/** Forgets what an earlier server left there. */
export function removeStale(/** @type {readonly string[]} */ files) {
  for (const file of files) rmSync(file, { force: true })
}

/** @param {readonly string[]} files @param {DevelopmentAddresses} addresses */
export function announce(files, addresses) {
  for (const file of files) {
    mkdirSync(dirname(file), { recursive: true })
    writeWhole(file, addresses)
  }
}

/** Takes back what this process announced, and nothing that another one did. */
export function withdraw(/** @type {readonly string[]} */ files) {
  for (const file of files) {
    if (read(file)?.pid === process.pid) rmSync(file, { force: true })
  }
}
