import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'

const contentTypes = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

/** @typedef {{ appId: string, url: string, websocketUrl: string, authServiceUrl: string }} DemoConfig */

/** @param {DemoConfig} config */
const securityHeaders = ({ url, websocketUrl, authServiceUrl }) => ({
  'Content-Security-Policy': [
    "default-src 'self'",
    "script-src 'self'",
    `connect-src 'self' ${[url, websocketUrl, authServiceUrl].map((address) => new URL(address).origin).join(' ')}`,
    "img-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    // Text never becomes script; the one address the page vouches for is that of its service worker.
    "require-trusted-types-for 'script'",
    'trusted-types shell',
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
})

/**
 * Serves the built pages of the demo, and `/config.json`, which tells them where everything is. `setConfig` comes later than
 * listening, since the server wants to know the address of the demo first.
 *
 * @param {{ folder: string, host: string, port: number }} options
 */
export async function startDemoServer({ folder, host, port }) {
  /** @type {DemoConfig | undefined} */
  let config

  const server = createServer(async (request, response) => {
    try {
      if (!config) return answer(response, 503, 'The demo is starting.')
      for (const [name, value] of Object.entries(securityHeaders(config))) response.setHeader(name, value)
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(response, 405, 'Only GET and HEAD.')
      const { pathname } = new URL(request.url ?? '/', 'http://demo')
      if (pathname === '/config.json') return answerJson(response, config)
      await answerFile(request, response, folder, pathname)
    } catch {
      if (response.headersSent) response.destroy()
      else answer(response, 400, 'This request makes no sense.')
    }
  })
  await new Promise((resolve, reject) => server.once('error', reject).listen(port, host, () => resolve(undefined)))
  const bound = /** @type {import('node:net').AddressInfo} */ (server.address()).port

  return {
    port: bound,
    setConfig(/** @type {DemoConfig} */ value) {
      config = value
    },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      }),
  }
}

/** @param {import('node:http').ServerResponse} response @param {number} status @param {string} sentence */
function answer(response, status, sentence) {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }).end(sentence)
}

/** @param {import('node:http').ServerResponse} response @param {unknown} value */
function answerJson(response, value) {
  response.writeHead(200, { 'Content-Type': contentTypes['.json'], 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(value))
}

/**
 * @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response
 * @param {string} folder @param {string} pathname
 */
async function answerFile(request, response, folder, pathname) {
  const path = normalize(decodeURIComponent(pathname === '/' ? '/index.html' : pathname))
  const file = join(folder, path)
  const found =
    file.startsWith(folder + sep) && !path.includes('\0') ? await stat(file).catch(() => undefined) : undefined
  if (!found?.isFile()) return answer(response, 404, 'There is nothing here.')
  response.writeHead(200, {
    'Content-Type':
      contentTypes[/** @type {keyof typeof contentTypes} */ (extname(file))] ?? 'application/octet-stream',
    'Content-Length': found.size,
    // Names under /assets contain a fingerprint of their content; everything else is asked for again.
    'Cache-Control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
  })
  if (request.method === 'HEAD') return void response.end()
  await pipeline(createReadStream(file), response)
}
