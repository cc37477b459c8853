/** The SDK bundled for a page, in a real browser, on another origin than the server: so cross-origin rules are real. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Browser, chromium } from 'playwright-core'
import { SdkHost, type SdkHostOptions } from './sdk-host.ts'

const QUIETLY = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
]

export interface SdkPages {
  /** A page of its own profile, with the SDK in it. */
  open(options: SdkHostOptions): Promise<SdkHost>
  /** What pages complained of that no page should. */
  readonly complaints: readonly string[]
  close(): Promise<void>
}

/** Text of a script that puts `startSdk` into a page; the package `layer-websdk` in it is as published. */
export async function bundleSdk(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page-sdk-entry.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    define: { global: 'window' },
    logLevel: 'silent',
  })
  return outputFiles[0]!.text
}

export async function openSdkPages(): Promise<SdkPages> {
  const script = await bundleSdk()
  const site = createServer((request, response) => {
    // The SDK does not look whether rich content was refused, and uploads it to an address of the page's own.
    if (request.method !== 'GET') response.statusCode = 405
    const isScript = request.url === '/sdk.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(
      isScript ? script : '<!doctype html><meta charset="utf-8"><title>SDK</title><script src="/sdk.js"></script>',
    )
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: QUIETLY })
  const complaints: string[] = []
  return {
    complaints,
    open: (options) => openPage(browser, address, options, complaints),
    async close() {
      await browser.close()
      site.closeAllConnections()
      await new Promise((resolve) => site.close(resolve))
    },
  }
}

async function openPage(
  browser: Browser,
  address: string,
  { identityToken, ...options }: SdkHostOptions,
  complaints: string[],
): Promise<SdkHost> {
  const context = await browser.newContext()
  const page = await context.newPage()
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (/CORS|Access-Control/i.test(message.text())) complaints.push(message.text())
  })
  await page.exposeFunction('identityTokenFor', identityToken)
  await page.goto(address)
  await page.evaluate((given) => window.startSdk(given), options)
  return new SdkHost({
    evaluate: (source, arg) =>
      page.evaluate(
        async ([text, given]) => {
          const task = new Function(`return (${text})`)() as (sdk: unknown, arg: unknown) => unknown
          const value = await task(window.sdk, given)
          // Objects of the SDK, which a task may answer in passing, lead to each other in circles.
          return value === null ||
            typeof value !== 'object' ||
            Object.getPrototypeOf(value) === Object.prototype ||
            Array.isArray(value)
            ? value
            : null
        },
        [source, arg] as const,
      ),
    close: () => context.close(),
  })
}
