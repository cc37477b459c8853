import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startAuthenticationService } from '@parley/demo/service'
import { startServer } from '@parley/server'
import { startDemoServer } from './demo-server.mjs'
import { announce, findRunning, removeStale, withdraw } from './dev-file.mjs'
import { provideDevelopmentApp } from './development-app.mjs'
import { choosePorts, Obstacle, parsePort } from './ports.mjs'
import { stopOnSignal } from './stop-on-signal.mjs'

const USUAL_PORT = 4500
const DRAIN_MS = 3_000

const demoFolder = fileURLToPath(new URL('../../apps/demo/dist', import.meta.url))

/**
 * Starts server, authentication service and demo, and keeps them running until a signal. `devFile` is written beside the one
 * in the data folder.
 *
 * @param {{ host: string, port: string | undefined, dataFolder: string, devFile?: string }} options
 */
export async function runDevelopment({ host, port, dataFolder, devFile }) {
  const folder = resolve(dataFolder)
  try {
    await run(host, parsePort(port), folder, [...new Set([join(folder, 'dev.json'), ...(devFile ? [devFile] : [])])])
  } catch (error) {
    const isExplained = error instanceof Obstacle || (error instanceof Error && 'code' in error)
    console.error(isExplained ? error.message : error)
    process.exit(1)
  }
}

/** @param {string} host @param {number | undefined} asked @param {string} dataFolder @param {string[]} devFiles */
async function run(host, asked, dataFolder, devFiles) {
  if (process.env.NODE_ENV === 'production') {
    throw new Obstacle(
      'This is for development: its accounts have passwords that everybody knows. Start a server with: npx parley serve',
    )
  }
  const running = await findRunning(dataFolder)
  if (running) {
    const where = `Parley runs already on ${dataFolder} (process ${running.pid}), and the demo is at ${running.demoUrl}.`
    throw new Obstacle(`${where} Stop it, or choose another folder: PARLEY_DATA=other npm start`)
  }
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  removeStale(devFiles)

  const ports = await choosePorts(host, asked, USUAL_PORT)
  if (asked === undefined && ports.server !== USUAL_PORT) {
    console.log(`Port ${USUAL_PORT} is taken, so the server takes ${ports.server}. PORT chooses another.`)
  }
  const demo = await startDemoServer({ folder: demoFolder, host, port: ports.demo })
  const demoUrl = addressOf(host, demo.port)
  const allowedOrigins = [...new Set([demoUrl, addressOf('localhost', demo.port), addressOf('127.0.0.1', demo.port)])]

  const { appId, providerId, keyId, privateKeyPem } = await provideDevelopmentApp(dataFolder)
  // Pages of any origin: whoever tries their own app against this server serves it from another port.
  const server = await startServer({ dataFolder, host, port: ports.server, development: true })
  const authentication = await startAuthenticationService({
    host,
    port: ports.authentication,
    dataFile: join(dataFolder, 'accounts.sqlite'),
    provider: { providerId, keyId, privateKey: privateKeyPem },
    allowedOrigins,
    seedDevelopmentAccounts: true,
  })

  const addresses = { url: server.url, websocketUrl: server.websocketUrl, appId, authServiceUrl: authentication.url }
  demo.setConfig(addresses)
  stopOnSignal(async () => {
    withdraw(devFiles)
    await Promise.all([demo.close(), authentication.close(), server.close({ drainMs: DRAIN_MS })])
  })
  process.once('exit', () => withdraw(devFiles))
  announce(devFiles, { ...addresses, demoUrl, pid: process.pid })
  welcome({ ...addresses, demoUrl, dataFolder })
}

/** A name for people and browsers: nobody can open 0.0.0.0. */
function addressOf(/** @type {string} */ host, /** @type {number} */ port) {
  const name = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** @param {{ url: string, appId: string, authServiceUrl: string, demoUrl: string, dataFolder: string }} where */
function welcome({ url, appId, authServiceUrl, demoUrl, dataFolder }) {
  console.log(`
  Parley is running.

    Demo                     ${existsSync(demoFolder) ? demoUrl : 'not built'}
    Server                   ${url}   (app ${appId})
    Authentication service   ${authServiceUrl}
    Data                     ${dataFolder}

  Sign in as alice, ben, cleo or dana; the password is "parley". A private window, or another browser, is a second
  person or a second device. Ctrl-C stops everything; the data stays.
`)
}
