import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeWhole } from './write-whole.mjs'

/**
 * `dev.json` tells other programs where the running development server is. It lies in `.parley` of the repository, and in
 * the data folder as well if that is another one; it exists only while everything is ready.
 *
 * @typedef {{
 *   url: string, websocketUrl: string, appId: string, authServiceUrl: string, demoUrl: string, pid: number
 * }} DevelopmentAddresses
 */

const usualFile = fileURLToPath(new URL('../../.parley/dev.json', import.meta.url))

/** @param {string} dataFolder */
const filesFor = (dataFolder) => [...new Set([usualFile, join(dataFolder, 'dev.json')])]

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

/** @param {string} dataFolder */
export function removeStale(dataFolder) {
  for (const file of filesFor(dataFolder)) rmSync(file, { force: true })
}

/** @param {string} dataFolder @param {DevelopmentAddresses} addresses */
export function announce(dataFolder, addresses) {
  for (const file of filesFor(dataFolder)) {
    mkdirSync(dirname(file), { recursive: true })
    writeWhole(file, addresses)
  }
}

/** Takes back what this process announced, and nothing that another one did. */
export function withdraw(/** @type {string} */ dataFolder) {
  for (const file of filesFor(dataFolder)) {
    if (read(file)?.pid === process.pid) rmSync(file, { force: true })
  }
}
