import { createServer } from 'node:net'

const MAX_TRIES = 100

/** An obstacle that is told in one sentence, without a stack. */
export class Obstacle extends Error {}

/** @param {string | undefined} text the value of PORT @returns {number | undefined} */
export function parsePort(text) {
  if (text === undefined) return undefined
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new Obstacle(`PORT is "${text}", but a port is a number from 0 to 65535; 0 takes any free one.`)
}

/**
 * Whether nothing listens there.
 *
 * @param {string} host @param {number} port @returns {Promise<boolean>}
 */
function isFree(host, port) {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false)
      else reject(new Obstacle(`It is not possible to listen at ${host} (${error.code}). PARLEY_HOST chooses another.`))
    })
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}

/** @param {string} host @param {number} wanted @returns {Promise<number>} the wanted port, or the next free one after it */
export async function freePort(host, wanted) {
  for (let port = wanted; port < wanted + MAX_TRIES && port <= 65_535; port += 1) {
    if (await isFree(host, port)) return port
  }
  throw new Obstacle(`No port from ${wanted} on is free. PORT chooses where to look: PORT=7000 npm start`)
}

/**
 * Ports for the server, the authentication service and the demo. A port that somebody asked for is taken or refused, never
 * replaced in silence.
 *
 * @param {string} host @param {number | undefined} asked @param {number} usual
 */
export async function choosePorts(host, asked, usual) {
  if (asked === 0) return { server: 0, authentication: 0, demo: 0 }
  const server = await freePort(host, asked ?? usual)
  if (asked !== undefined && server !== asked) {
    throw new Obstacle(`Port ${asked} is taken. Choose another: PORT=${server} npm start`)
  }
  const authentication = await freePort(host, server + 1)
  return { server, authentication, demo: await freePort(host, authentication + 1) }
}
