/**
 * A browser with several tabs of an app that is nothing but the SDK, against a server of its own. A proxy before the server
 * counts its sockets; the app's authentication service is a function of the test's.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '@parley/client'
import {
  createApp,
  type FrameProxy,
  type ParleyApp,
  type ParleyServer,
  SeededChance,
  startFrameProxy,
  startParley,
} from '@parley/testkit'
import { createIdentityTokenMinter } from '@parley/token'
import { build } from 'esbuild'
import { type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { browserArgs, executablePath } from './browser.ts'

/** What a page of this app has. */
declare global {
  var client: Client
  var identityToken: (nonce: string) => Promise<string>
}

const sdk = fileURLToPath(new URL('../../../../packages/client/src/index.ts', import.meta.url))

export class SdkTabs {
  pages: Page[] = []
  /** Each call of the app's challenge handler: in which page. */
  asked: Page[] = []
  /** When the server greeted a connection, by `performance.now()`. */
  welcomedAt: number[] = []
  /** The most sockets there were at the server at any time. */
  mostSockets = 0
  /** While false, the file with what needs the network cannot be had. */
  servesOnline = true
  #gone = new Set<Page>()
  /** How long an identity token lives, and with it the session. */
  #tokenSeconds = 3_600
  #folder = ''
  #server: ParleyServer | undefined
  #proxy: FrameProxy | undefined
  #web: Server | undefined
  #context: BrowserContext | undefined
  #origin = ''

  async open(): Promise<void> {
    this.#folder = mkdtempSync(join(tmpdir(), 'parley-tabs-'))
    const app = await createApp(this.#folder)
    this.#web = createServer()
    await new Promise<void>((resolve) => this.#web?.listen(0, '127.0.0.1', resolve))
    this.#origin = `http://localhost:${(this.#web.address() as AddressInfo).port}`
    const args = ['--allow-origin', this.#origin]
    this.#server = await startParley({ dataFolder: this.#folder, args })
    this.#proxy = await startFrameProxy({
      target: { port: this.#server.port },
      chance: new SeededChance(1),
      onFrame: (direction, text) => {
        this.mostSockets = Math.max(this.mostSockets, this.sockets)
        if (direction === 'down' && text.startsWith('{"type":"welcome"')) this.welcomedAt.push(performance.now())
      },
    })
    await this.#serve(app.appId, this.#server.url, `${this.#proxy.url}/websocket`)
    this.#context = await chromium.launchPersistentContext(join(this.#folder, 'profile'), {
      executablePath,
      args: [...browserArgs, '--renderer-process-limit=20'],
    })
    await this.#provideTokens(app)
  }

  /** So many tabs of a browser that has never seen this app. */
  async begin(count: number, { tokenSeconds = 3_600 } = {}): Promise<void> {
    const context = this.#context!
    const blank = await context.newPage()
    for (const page of context.pages()) if (page !== blank) await page.close()
    const cdp = await context.newCDPSession(blank)
    await cdp.send('Storage.clearDataForOrigin', { origin: this.#origin, storageTypes: 'all' })
    await expect.poll(() => this.sockets).toBe(0)
    Object.assign(this, { pages: [], asked: [], welcomedAt: [], mostSockets: 0 })
    this.#gone = new Set()
    this.#tokenSeconds = tokenSeconds
    for (let n = 0; n < count; n++) await this.#newTab()
  }

  async #newTab(): Promise<void> {
    const page = await this.#context!.newPage()
    await page.goto(`${this.#origin}/?${this.pages.length}`)
    await page.evaluate(() => client.opened)
    this.pages.push(page)
  }

  get sockets(): number {
    return this.#proxy?.open ?? 0
  }

  /** The tab that owns. */
  async owner(): Promise<Page> {
    const [living] = this.living()
    const number = await living!.evaluate(async () => {
      const { held = [] } = await navigator.locks.query()
      const owner = held.find(({ name }) => /^parley:[^ ]*$/.test(name ?? '') && !/\d\.\d/.test(name ?? ''))
      const page = held.find(({ name, clientId }) => name?.startsWith('page ') && clientId === owner?.clientId)
      return Number(page?.name?.slice('page '.length))
    })
    return this.pages[number]!
  }

  async cdp(page: Page): Promise<CDPSession> {
    return await this.#context!.newCDPSession(page)
  }

  /** Forgets a tab that is gone, or not to be spoken to. */
  isGone(page: Page): void {
    this.#gone.add(page)
  }

  living(): Page[] {
    return this.pages.filter((page) => !this.#gone.has(page))
  }

  async close(): Promise<void> {
    await this.#context?.close()
    await this.#proxy?.close()
    await this.#server?.close()
    this.#web?.closeAllConnections()
    this.#web?.close()
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }

  async #serve(appId: string, url: string, websocketUrl: string): Promise<void> {
    const bundle = await build({
      entryPoints: [sdk],
      bundle: true,
      minify: true,
      format: 'esm',
      splitting: true,
      outdir: '/',
      entryNames: 'sdk',
      conditions: ['source'],
      write: false,
    })
    const page = `<!doctype html><title>SDK</title><script type="module">
      import { createClient } from '/sdk.js'
      void navigator.locks.request('page ' + location.search.slice(1), () => new Promise(() => {}))
      const options = ${JSON.stringify({ appId, url, websocketUrl })}
      globalThis.client = createClient({ ...options, challenge: ({ nonce }) => identityToken(nonce) })
    </script>`
    this.#web?.on('request', (request, response) => {
      const script = bundle.outputFiles.find(({ path }) => path === request.url)
      if (!this.servesOnline && request.url?.startsWith('/online')) response.statusCode = 503
      response.setHeader('content-type', script ? 'text/javascript' : 'text/html')
      response.setHeader('cache-control', 'no-store')
      response.end(script?.contents ?? page)
    })
  }

  async #provideTokens({ providerId, keyId, privateKeyPem: privateKey }: ParleyApp): Promise<void> {
    await this.#context?.exposeBinding('identityToken', ({ page }, nonce: string) => {
      this.asked.push(page)
      const lifetimeSeconds = this.#tokenSeconds
      const minter = createIdentityTokenMinter({ providerId, keyId, privateKey, lifetimeSeconds })
      return minter.mint({ userId: 'alice', nonce })
    })
  }
}
