/** D: the same messages, into the SDK's own copy: IndexedDB in a browser, SQLite and memory on Node. */
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { chromium, type Page } from 'playwright-core'
import { minter } from '../load/minter.ts'
import type { Missed } from '../load/missed.ts'
import type { ReplicaInput, ReplicaLoadResult } from '../load/replica.ts'
import { Load } from '../load/start-load.ts'
import type { WriteMissedInput } from '../load/write-missed.ts'
import { Server } from '../servers/start-server.ts'
import { MISSED, QUICKLY_MISSED } from './catch-up.ts'
import { observed, type Sample, type Scenario, type Settings } from './scenario.ts'

/** What the page does when it is told to. */
export interface InPage {
  takeIn(of: { readonly appId: string; readonly url: string; readonly messages: number }): Promise<ReplicaResult>
}

export interface ReplicaResult {
  /** From signing in to the last message in IndexedDB. */
  readonly wallMs: number
  /** What is there, counted in the database itself. */
  readonly messages: number
  /** Tasks that kept the page from answering for more than 50 ms. */
  readonly longTasks: readonly number[]
}

const QUIETLY = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']

const WALL_MS = { name: 'wallMs', title: 'ms from signing in to the last message' } as const
const LONGEST = { name: 'longestTaskMs', title: 'longest task of the main thread, ms' } as const

export const replicaScenarios: readonly Scenario[] = [
  {
    id: 'D',
    title: '10,000 messages into IndexedDB, Chromium',
    servers: ['parley'],
    figures: [
      { ...WALL_MS, limit: { of: 'figure', atMost: 3_000 } },
      // The browser tells of those above 50 ms, so without one it is 0.
      { ...LONGEST, title: 'longest task above 50 ms', limit: { of: 'figure', atMost: 50 } },
      { name: 'serverMs', title: 'server CPU ms' },
    ],
    measure: (_, settings) => measure('indexeddb', settings, inBrowser),
  },
  ...(['sqlite', 'memory'] as const).map(
    (storage): Scenario => ({
      id: 'D',
      title: `10,000 messages into ${storage === 'sqlite' ? 'SQLite' : 'memory'}, Node`,
      servers: ['parley'],
      isVariant: storage === 'memory',
      figures: [WALL_MS, LONGEST, { name: 'clientMs', title: 'CPU ms of the device' }],
      measure: (_, settings) => measure(storage, settings, (server, missed) => onNode(server, missed, storage)),
    }),
  ),
]

async function measure(
  name: string,
  settings: Settings,
  takeIn: (server: Server, missed: Missed) => Promise<Sample>,
): Promise<Sample> {
  const missed = settings.isQuick ? QUICKLY_MISSED : MISSED
  const server = await Server.start('parley')
  try {
    const writing = new Load('write-missed', { ready: server.ready, ...missed } satisfies WriteMissedInput)
    await writing.next()
    const { result, cpuSeconds } = await observed(server, { name: `replica-${name}`, settings }, () =>
      takeIn(server, missed),
    )
    return { ...result, serverMs: cpuSeconds * 1000 }
  } finally {
    await server.close()
  }
}

async function onNode(server: Server, { messages }: Missed, storage: 'memory' | 'sqlite'): Promise<Sample> {
  const { ready } = server
  if (ready.kind !== 'parley') throw new Error('The SDK speaks to Parley only.')
  const load = new Load('replica', { ready, storage, messages } satisfies ReplicaInput)
  const { wallMs, longestTaskMs, cpuMs, lost } = await load.next<ReplicaLoadResult>()
  return { wallMs, longestTaskMs, clientMs: cpuMs, lost }
}

async function inBrowser(server: Server, { messages }: Missed): Promise<Sample> {
  const { ready } = server
  if (ready.kind !== 'parley') throw new Error('The SDK speaks to Parley only.')
  const mint = minter(ready.app)
  const { page, close } = await openPage()
  try {
    await page.exposeFunction('identityTokenFor', (nonce: string) => mint('reader', nonce))
    const asked = { appId: ready.app.appId, url: `http://127.0.0.1:${ready.port}`, messages }
    const result = await page.evaluate((given) => (globalThis as unknown as InPage).takeIn(given), asked)
    return { wallMs: result.wallMs, longestTaskMs: Math.max(0, ...result.longTasks), lost: messages - result.messages }
  } finally {
    await close()
  }
}

/** A page of a fresh profile, on another origin than the server, with the SDK as an app bundles it. */
async function openPage(): Promise<{ readonly page: Page; close(): Promise<void> }> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../page/replica-page.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    platform: 'browser',
  })
  const script = outputFiles[0]!.text
  const site = await listen(
    createServer((request, response) => {
      const isScript = request.url === '/page.js'
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
      response.end(isScript ? script : '<!doctype html><title>replica</title><script src="/page.js"></script>')
    }),
  )
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: QUIETLY })
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`)
  return {
    page,
    async close() {
      await browser.close()
      site.close()
    },
  }
}

const listen = (server: HttpServer): Promise<HttpServer> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
