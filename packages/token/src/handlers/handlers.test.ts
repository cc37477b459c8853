import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { decodeJwt } from 'jose'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { NOW_MS, PROVIDER, portsFor, providerKey } from '../../test/fixtures.ts'
import { createIdentityTokenMinter } from '../mint-identity-token.ts'
import { verifyIdentityToken } from '../verify/verify-identity-token.ts'
import type { Authentication, TokenHandlerOptions } from './answer-token-request.ts'
import { fastifyHandler } from './fastify-handler.ts'
import { fetchHandler } from './fetch-handler.ts'
import { type NodeRequest, nodeHandler } from './node-handler.ts'

const key = await providerKey('ES256')
const minter = createIdentityTokenMinter({
  providerId: PROVIDER,
  keyId: key.keyId,
  privateKey: key.privateKeyPem,
  now: () => NOW_MS,
})
const APP_ORIGIN = 'https://app.example'

/** Sends one request to a service that answers through one of the adapters. */
type Ask = (init: RequestInit) => Promise<Response>
type Authenticate = TokenHandlerOptions<{ headers: unknown }>['authenticate']

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

async function listen(listener: RequestListener): Promise<Ask> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/identity-token`
  return (init) => fetch(url, init)
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const adapters: Record<string, (authenticate: Authenticate) => Promise<Ask>> = {
  'the fetch handler': async (authenticate) => {
    const handle = fetchHandler({ minter, authenticate, allowOrigin: [APP_ORIGIN] })
    return (init) => handle(new Request('http://127.0.0.1/identity-token', init))
  },
  'the Node handler': async (authenticate) => listen(nodeHandler({ minter, authenticate, allowOrigin: [APP_ORIGIN] })),
  'the Node handler behind a parser, as in Express': async (authenticate) => {
    const handle = nodeHandler<IncomingMessage & NodeRequest>({ minter, authenticate, allowOrigin: [APP_ORIGIN] })
    return listen(async (request, response) => {
      // As express.json() leaves it: an object where it could parse one, the limit being ours.
      const tooLarge = Number(request.headers['content-length'] ?? 0) > 65_536
      const text = tooLarge ? '' : (await bodyOf(request)).toString()
      const body = /^\{.*\}$/s.test(text) ? JSON.parse(text) : text
      await handle(Object.assign(request, { body }), response)
    })
  },
  'the Fastify handler': async (authenticate) => {
    const app: FastifyInstance = Fastify()
    await app.register(fastifyHandler({ minter, authenticate, allowOrigin: [APP_ORIGIN] }))
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    closers.push(() => app.close())
    return (init) => fetch(`${address}/identity-token`, init)
  },
}

const alice: Authenticate = (_, body): Authentication =>
  body.password === 'parley' ? { userId: 'alice', claims: { display_name: 'Alice' } } : null
const json = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})
const good = { nonce: 'nonce-1', password: 'parley' }

describe.each(Object.entries(adapters))('%s', (_, start) => {
  test('AUTH-25 AUTH-26 answers a nonce with a token for whom the app authenticated', async () => {
    const ask = await start(alice)
    const response = await ask(json(good))
    expect(response.status).toBe(200)
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    const { identity_token: token } = (await response.json()) as { identity_token: string }
    const verdict = await verifyIdentityToken(token, await portsFor([key]))
    expect(verdict).toMatchObject({ ok: true, claims: { prn: 'alice', nce: 'nonce-1', display_name: 'Alice' } })
  })

  test('AUTH-29 no answer may be stored', async () => {
    const ask = await start(alice)
    for (const request of [json(good), json({ nonce: 'x' }), json('{'), { method: 'GET' }]) {
      expect((await ask(request)).headers.get('cache-control')).toBe('no-store')
    }
  })

  test('AUTH-20 hands the request and its body to the app, and nothing else decides', async () => {
    const seen: unknown[] = []
    const ask = await start((request, body) => {
      const { headers } = request
      seen.push(headers instanceof Headers ? headers.get('x-session') : (headers as NodeJS.Dict<string>)['x-session'])
      seen.push(body)
      return { userId: 'ben' }
    })
    const response = await ask(json({ nonce: 'nonce-1', user_id: 'alice', prn: 'alice' }, { 'x-session': 's1' }))
    expect(seen).toEqual(['s1', { nonce: 'nonce-1', user_id: 'alice', prn: 'alice' }])
    expect(decodeJwt(((await response.json()) as { identity_token: string }).identity_token).prn).toBe('ben')
  })

  test.each([
    ['a wrong password', json({ ...good, password: 'x' }), 401, 'authentication_required'],
    ['no nonce', json({ password: 'parley' }), 422, 'missing_property'],
    ['a nonce that is a number', json({ ...good, nonce: 1 }), 422, 'invalid_property'],
    ['an empty nonce', json({ ...good, nonce: '' }), 422, 'invalid_property'],
    ['an endless nonce', json({ ...good, nonce: 'n'.repeat(257) }), 422, 'invalid_property'],
    ['a nonce with NUL', json({ ...good, nonce: 'n\u0000' }), 422, 'invalid_property'],
    ['broken JSON', json('{"nonce":'), 400, 'invalid_request'],
    ['a list', json([good]), 400, 'invalid_request'],
    ['nothing', json(''), 400, 'invalid_request'],
    ['a form', { method: 'POST', body: new URLSearchParams(good) }, 415, 'unsupported_media_type'],
    ['plain text', json(good, { 'content-type': 'text/plain' }), 415, 'unsupported_media_type'],
    [
      'no content type',
      { method: 'POST', body: new TextEncoder().encode(JSON.stringify(good)) },
      415,
      'unsupported_media_type',
    ],
    ['64 KB and more', json({ ...good, x: 'x'.repeat(65_536) }), 413, 'payload_too_large'],
    ['GET', { method: 'GET' }, 405, 'method_not_allowed'],
    ['PUT', { ...json(good), method: 'PUT' }, 405, 'method_not_allowed'],
    ['DELETE', { method: 'DELETE' }, 405, 'method_not_allowed'],
  ])('refuses %s', async (_, request, status, id) => {
    const ask = await start(alice)
    const response = await ask(request)
    expect(response.status).toBe(status)
    expect(await response.json()).toEqual({ error: { id, message: expect.stringMatching(/^[A-Z].+\.$/) } })
    expect(response.headers.get('allow')).toBe(status === 405 ? 'POST' : null)
  })

  test('refuses a nonce for which it has made a token, but not one that only failed', async () => {
    const ask = await start(alice)
    expect((await ask(json({ ...good, password: 'x' }))).status).toBe(401)
    expect((await ask(json(good))).status).toBe(200)
    const again = await ask(json(good))
    expect(again.status).toBe(409)
    expect(await again.json()).toMatchObject({ error: { id: 'nonce_used' } })
    expect((await ask(json({ ...good, nonce: 'nonce-2' }))).status).toBe(200)
  })

  test("passes the app's own refusal on", async () => {
    const refusal = { status: 429, id: 'rate_limit_exceeded', message: 'Too many attempts.', retryAfterSeconds: 29.5 }
    const response = await (await start(() => ({ refusal })))(json(good))
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('30')
    expect(await response.json()).toEqual({ error: { id: 'rate_limit_exceeded', message: 'Too many attempts.' } })
  })

  test('pages of an allowed origin may call with cookies, others may not', async () => {
    const ask = await start(alice)
    const allowed = await ask(json(good, { origin: APP_ORIGIN }))
    expect(allowed.headers.get('access-control-allow-origin')).toBe(APP_ORIGIN)
    expect(allowed.headers.get('access-control-allow-credentials')).toBe('true')
    const stranger = await ask(json(good, { origin: 'https://app.example.evil.example' }))
    expect(stranger.headers.get('access-control-allow-origin')).toBeNull()
    expect([allowed, stranger].map((response) => response.headers.get('vary'))).toEqual(['Origin', 'Origin'])

    const preflight = await ask({ method: 'OPTIONS', headers: { origin: APP_ORIGIN } })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-methods')).toBe('POST')
    expect((await ask({ method: 'OPTIONS', headers: { origin: 'null' } })).status).toBe(405)
  })
})

describe('an exception of the app', () => {
  const boom = () => {
    throw new Error('the database is away: secret')
  }

  test('reaches the platform of a fetch handler', async () => {
    const handle = fetchHandler({ minter, authenticate: boom })
    await expect(handle(new Request('http://127.0.0.1/', json(good)))).rejects.toThrow('database')
  })

  test('reaches Express through next', async () => {
    const next = vi.fn()
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: good,
      [Symbol.asyncIterator]: boom,
    }
    await nodeHandler({ minter, authenticate: boom })(request, { statusCode: 0, setHeader: boom, end: boom }, next)
    expect(next).toHaveBeenCalledWith(expect.objectContaining({ message: 'the database is away: secret' }))
  })

  test('is reported and answered with 500, without its text, in plain Node', async () => {
    const onError = vi.fn()
    const ask = await listen(nodeHandler({ minter, authenticate: boom, onError }))
    const response = await ask(json(good))
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret')
    expect(onError).toHaveBeenCalledOnce()
  })

  test("reaches Fastify's own error handler", async () => {
    const app = Fastify()
    app.setErrorHandler((error: Error, _, reply) => reply.code(503).send({ was: error.message.slice(0, 12) }))
    await app.register(fastifyHandler({ minter, authenticate: boom, path: '/token' }))
    closers.push(() => app.close())
    const response = await app.inject({ method: 'POST', url: '/token', payload: good })
    expect([response.statusCode, response.json()]).toEqual([503, { was: 'the database' }])
  })
})

test('the Fastify plugin leaves the body parsing of the app around it alone', async () => {
  const app = Fastify()
  await app.register(fastifyHandler({ minter, authenticate: alice }))
  app.post('/echo', async (request) => request.body)
  closers.push(() => app.close())
  expect((await app.inject({ method: 'POST', url: '/echo', payload: { a: 1 } })).json()).toEqual({ a: 1 })
})

test('a body without a declared length is read no further than 64 KB', async () => {
  const ask = await listen(nodeHandler({ minter, authenticate: alice }))
  const body = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 5; i++) controller.enqueue(new TextEncoder().encode(' '.repeat(16_384)))
      controller.close()
    },
  })
  const response = await ask({ ...json(''), body, duplex: 'half' } as RequestInit)
  expect(response.status).toBe(413)
})
