import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startAuthenticationService } from '@parley/demo/service'
import { startDemoServer } from '../development/demo-server.mjs'
import { provideDevelopmentApp } from '../development/development-app.mjs'
import { freePort } from '../development/ports.mjs'
import { stopOnSignal } from '../development/stop-on-signal.mjs'
import { obey } from './commands.mjs'
import { startBus, startDatabase, startEntrance, startNode } from './pieces.mjs'
import { welcome } from './welcome.mjs'

const HOST = '127.0.0.1'
const FIRST_PORT = 4600
const demoFolder = fileURLToPath(new URL('../../apps/demo/dist', import.meta.url))

/**
 * Starts everything and keeps it until a signal. What dies stays dead until somebody says otherwise.
 *
 * @param {{ nodes: number, keptFolder?: string, postgresVersion: 15 | 18 }} options
 */
export async function runCluster({ nodes, keptFolder, postgresVersion }) {
  const folder = keptFolder ?? mkdtempSync(join(tmpdir(), 'parley-cluster-'))
  mkdirSync(folder, { recursive: true })
  // PostgreSQL runs as somebody else where we are root, and comes by here; what is secret in it says so itself.
  if (keptFolder === undefined) chmodSync(folder, 0o755)
  /** @type {(() => unknown)[]} */
  const closes = keptFolder === undefined ? [() => rmSync(folder, { recursive: true, force: true })] : []
  const closeAll = async () => {
    for (const close of closes.splice(0).reverse()) await close()
  }
  try {
    await start({ nodes, folder, isKept: keptFolder !== undefined, postgresVersion, closes })
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    await closeAll()
    process.exit(1)
  }
  stopOnSignal(closeAll)
}

/** @param {{ nodes: number, folder: string, isKept: boolean, postgresVersion: 15 | 18, closes: (() => unknown)[] }} options */
async function start({ nodes, folder, isKept, postgresVersion, closes }) {
  const report = (/** @type {string} */ sentence) => console.log(`  ${sentence}`)
  const database = await startDatabase({ version: postgresVersion, folder, report })
  closes.push(() => {
    database.piece.expectEnd()
    return database.close()
  })
  const bus = await startBus(report)
  closes.push(() => bus.piece.stop())
  const app = await provideDevelopmentApp(folder, { store: database.url })

  const ports = await freePorts(nodes + 1)
  const [port, ...nodePorts] = /** @type {[number, ...number[]]} */ (ports)
  const url = `http://${HOST}:${port}`
  const started = await Promise.all(
    nodePorts.map((nodePort, i) =>
      startNode({
        name: `node ${i + 1}`,
        storeUrl: database.url,
        busUrl: bus.url,
        publicUrl: url,
        port: nodePort,
        report,
      }),
    ),
  )
  closes.push(() => Promise.all(started.map((node) => node.stop())))
  const balancer = await startEntrance({ ports: nodePorts, port, report })
  closes.push(() => balancer.stop())

  const demo = await startDemoServer({ folder: demoFolder, host: HOST, port: 0 })
  closes.push(() => demo.close())
  const demoUrl = `http://${HOST}:${demo.port}`
  const authentication = await startAuthenticationService({
    host: HOST,
    port: 0,
    dataFile: join(folder, 'accounts.sqlite'),
    provider: { providerId: app.providerId, keyId: app.keyId, privateKey: app.privateKeyPem },
    allowedOrigins: [demoUrl, `http://localhost:${demo.port}`],
    seedDevelopmentAccounts: true,
  })
  closes.push(() => authentication.close())
  const websocketUrl = url.replace('http', 'ws')
  demo.setConfig({ appId: app.appId, url, websocketUrl, authServiceUrl: authentication.url })

  const pieces = [database.piece, bus.piece, ...started, balancer]
  const asked = createInterface({ input: process.stdin }).on('line', (line) => void obey(line, pieces, report))
  closes.push(() => asked.close())
  console.log(welcome({ pieces, demoUrl, url, appId: app.appId, authServiceUrl: authentication.url, folder, isKept }))
}

/** @param {number} count */
async function freePorts(count) {
  const ports = []
  for (let next = FIRST_PORT; ports.length < count; next = /** @type {number} */ (ports.at(-1)) + 1) {
    ports.push(await freePort(HOST, next))
  }
  return ports
}
