import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startDemoServer } from './demo-server.mjs'

const config = {
  appId: 'an-app',
  url: 'http://127.0.0.1:4500',
  websocketUrl: 'ws://127.0.0.1:4500/websocket',
  authServiceUrl: 'http://127.0.0.1:4501',
}
let home: string
let demo: Awaited<ReturnType<typeof startDemoServer>>

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'parley-demo-'))
  mkdirSync(join(home, 'pages/assets'), { recursive: true })
  writeFileSync(join(home, 'pages/index.html'), '<!doctype html>')
  writeFileSync(join(home, 'pages/assets/index-1234.js'), 'export {}')
  writeFileSync(join(home, 'secret.txt'), 'secret')
  mkdirSync(join(home, 'pages-2'))
  writeFileSync(join(home, 'pages-2/secret.txt'), 'secret')
  demo = await startDemoServer({ folder: join(home, 'pages'), host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await demo.close()
  rmSync(home, { recursive: true })
})

/** Unlike fetch, leaves the path as it is. */
function get(path: string, method = 'GET') {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: string }>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: demo.port, path, method }, (response) => {
      let body = ''
      response.on('data', (bytes) => {
        body += bytes
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
    })
    sent.on('error', reject).end()
  })
}

test('until it knows the addresses, it says that it is starting', async () => {
  expect((await get('/')).status).toBe(503)
  demo.setConfig(config)
  expect((await get('/')).status).toBe(200)
})

test('the page may only talk to the addresses it was given', async () => {
  const { headers, body } = await get('/')
  expect(body).toBe('<!doctype html>')
  expect(headers['content-security-policy']).toContain(
    "connect-src 'self' http://127.0.0.1:4500 ws://127.0.0.1:4500 http://127.0.0.1:4501;",
  )
  expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
  expect(headers['cache-control']).toBe('no-cache')
})

test('config.json tells where everything is, and is never cached', async () => {
  const { headers, body } = await get('/config.json?again')
  expect(JSON.parse(body)).toEqual(config)
  expect(headers['cache-control']).toBe('no-store')
})

test('a file whose name is a fingerprint is kept forever', async () => {
  const { headers } = await get('/assets/index-1234.js')
  expect(headers).toMatchObject({ 'content-type': 'text/javascript; charset=utf-8' })
  expect(headers['cache-control']).toContain('immutable')
})

test.each([
  '/missing',
  '/assets',
  '/../secret.txt',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/..%2fpages-2/secret.txt',
  '/a%00b',
])('%s is not found', async (path) => {
  expect((await get(path)).status).toBe(404)
})

test('what makes no sense is refused', async () => {
  expect((await get('/%zz')).status).toBe(400)
  expect((await get('/', 'POST')).status).toBe(405)
  expect(await get('/', 'HEAD')).toMatchObject({ status: 200, body: '' })
})
