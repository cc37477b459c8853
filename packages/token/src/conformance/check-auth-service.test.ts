import { generateKeyPairSync } from 'node:crypto'
import { base64url, type JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  goodHeader,
  NOW,
  NOW_MS,
  PROVIDER,
  part,
  providerKey,
  STRANGER_PROVIDER,
  signParts,
} from '../../test/fixtures.ts'
import { fetchHandler } from '../handlers/fetch-handler.ts'
import type { ProviderKey } from '../keys/generate-provider-key.ts'
import { createIdentityTokenMinter } from '../mint-identity-token.ts'
import { type CheckAuthServiceOptions, checkAuthService } from './check-auth-service.ts'
import { type CheckId, checks } from './checks.ts'
import { formatReport } from './format-report.ts'

const key = await providerKey('RS256')
const otherKey = await providerKey('RS256', 'second')
const ecKey = await providerKey('ES256')
const shortPair = generateKeyPairSync('rsa', { modulusLength: 1024 })
const shortKey: ProviderKey = {
  ...key,
  keyId: ecKey.keyId.replace(/.$/, (char) => (char === '0' ? '1' : '0')),
  privateKeyPem: String(shortPair.privateKey.export({ type: 'pkcs8', format: 'pem' })),
  publicKeyPem: String(shortPair.publicKey.export({ type: 'spki', format: 'pem' })),
}

type Body = Record<string, string | undefined>

/** A service written by hand, with a place for each mistake. Without one it makes none. */
interface Service {
  accounts(body: Body): string | undefined
  header(header: Record<string, unknown>): Record<string, unknown>
  claims(claims: Record<string, unknown>, body: Body): Record<string, unknown>
  signer: ProviderKey
  spoil(token: string): string
  isNew(nonce: string, seen: Set<string>): boolean
  cached(tokens: string[]): string | undefined
  methods: string[]
  requiresNonce: boolean
  headers: Record<string, string>
  answer(response: Response): Response
}

const correct: Service = {
  accounts: ({ user, password }) => (password === 'parley' ? user : undefined),
  header: (header) => header,
  claims: (claims) => claims,
  signer: key,
  spoil: (token) => token,
  isNew: (nonce, seen) => !seen.has(nonce),
  cached: () => undefined,
  methods: ['POST'],
  requiresNonce: true,
  headers: { 'cache-control': 'private, no-store' },
  answer: (response) => response,
}

function serve(mistakes: Partial<Service>): (url: string, init: RequestInit) => Promise<Response> {
  const service = { ...correct, ...mistakes }
  const seen = new Set<string>()
  const tokens: string[] = []
  const refuse = (status: number) => Response.json({ error: {} }, { status })
  return async (url, init) => {
    const request = new Request(url, init)
    if (!service.methods.includes(request.method)) return refuse(405)
    const query = Object.fromEntries(new URL(url).searchParams)
    const body: Body = request.method === 'GET' ? query : ((await request.json()) as Body)
    const { nonce } = body
    const user = service.accounts(body)
    if (nonce === undefined && service.requiresNonce) return refuse(422)
    if (user === undefined) return refuse(401)
    if (nonce !== undefined && !service.isNew(nonce, seen)) return refuse(409)
    if (nonce !== undefined) seen.add(nonce)
    const claims = { iss: PROVIDER, prn: user, iat: NOW, exp: NOW + 3600, nce: nonce }
    const header = service.header(goodHeader(service.signer))
    const fresh = await signParts(`${part(header)}.${part(service.claims(claims, body))}`, service.signer)
    const token = service.spoil(service.cached(tokens) ?? fresh)
    tokens.push(token)
    return service.answer(Response.json({ identity_token: token }, { headers: service.headers }))
  }
}

const options: CheckAuthServiceOptions = {
  url: 'https://app.example/identity-token',
  providerId: PROVIDER,
  publicKeys: [key, otherKey, ecKey, shortKey].map(({ keyId, publicKeyPem }) => ({ keyId, publicKey: publicKeyPem })),
  credentials: { user: 'alice', password: 'parley' },
  expectedUserId: 'alice',
  now: () => NOW_MS,
}

const run = (mistakes: Partial<Service>, change: Partial<CheckAuthServiceOptions> = {}) =>
  checkAuthService({ ...options, fetch: serve(mistakes), ...change })

const set = (name: string, value: unknown) => (object: Record<string, unknown>) => ({ ...object, [name]: value })
const drop = (name: string) => (object: Record<string, unknown>) => {
  const { [name]: _, ...rest } = object
  return rest
}
const DAY = 86_400

type Mistake = readonly [caughtBy: CheckId, what: string, mistakes: Partial<Service>]

const table: readonly Mistake[] = [
  ['nonce-echo', 'a nonce of its own', { claims: set('nce', 'mine') }],
  ['nonce-echo', 'no nonce', { claims: drop('nce') }],
  ['nonce-echo', 'a changed nonce', { claims: (claims) => ({ ...claims, nce: String(claims.nce).toUpperCase() }) }],
  ['nonce-once', 'another token for the same nonce', { isNew: () => true }],
  ['nonce-once', 'the same token again for the same nonce', { isNew: () => true, spoil: memo() }],
  ['token-cached', 'the same token again for another nonce', { cached: ([first]) => first }],
  ['cty', 'no cty', { header: drop('cty') }],
  ['cty', 'another cty', { header: set('cty', 'JWT') }],
  ['typ', 'no typ', { header: drop('typ') }],
  ['expiry', 'a token of 90 days', { claims: set('exp', NOW + 90 * DAY) }],
  ['expiry', 'exp in milliseconds', { claims: set('exp', (NOW + 60) * 1000) }],
  ['expiry', 'exp in the past', { claims: set('exp', NOW - 60) }],
  ['expiry', 'no exp', { claims: drop('exp') }],
  [
    'clock',
    'a clock that is ten minutes ahead',
    { claims: (claims) => ({ ...claims, iat: NOW + 600, exp: NOW + 4200 }) },
  ],
  [
    'clock',
    'a clock that is ten minutes behind',
    { claims: (claims) => ({ ...claims, iat: NOW - 600, exp: NOW + 3000 }) },
  ],
  ['clock', 'local time in place of UTC', { claims: (claims) => ({ ...claims, iat: NOW + 7200, exp: NOW + 10_800 }) }],
  ['clock', 'no iat', { claims: drop('iat') }],
  ['clock', 'iat as text', { claims: set('iat', String(NOW)) }],
  ['key-id', 'an unknown kid', { header: set('kid', 'layer:///keys/00000000-0000-4000-8000-000000000000') }],
  ['key-id', 'a kid that is no id', { header: set('kid', 'main') }],
  ['key-id', 'no kid', { header: drop('kid') }],
  ['signature', 'the kid of another key', { header: set('kid', otherKey.keyId) }],
  ['signature', 'claims changed after signing', { spoil: (token) => token.replace(/[^.]{8}$/, 'AAAAAAAA') }],
  ['issuer', "another app's provider", { claims: set('iss', STRANGER_PROVIDER) }],
  ['issuer', 'a URL as issuer', { claims: set('iss', 'https://app.example') }],
  ['issuer', 'no issuer', { claims: drop('iss') }],
  ['algorithm', 'HS256', { header: set('alg', 'HS256') }],
  ['algorithm', 'RS512', { header: set('alg', 'RS512') }],
  ['algorithm', 'none', { header: set('alg', 'none') }],
  ['algorithm', 'an algorithm the key is not for', { header: set('kid', ecKey.keyId) }],
  ['key-strength', 'a key of 1024 bits', { signer: shortKey }],
  ['user-id', 'an e-mail address in place of the user id', { claims: set('prn', 'alice@example.com') }],
  ['user-id', 'no user id', { claims: drop('prn') }],
  [
    'own-user-only',
    'the user id of the request',
    { claims: (claims, body) => ({ ...claims, prn: body.user_id ?? claims.prn }) },
  ],
  [
    'own-user-only',
    'the prn of the request',
    { claims: (claims, body) => ({ ...claims, prn: body.prn ?? claims.prn }) },
  ],
  [
    'wrong-credentials',
    'a token whatever the password',
    { accounts: ({ user, password }) => (password ? user : undefined) },
  ],
  [
    'no-credentials',
    'a token for nobody in particular',
    { accounts: (body) => (body.user ? correct.accounts(body) : 'guest') },
  ],
  ['nonce-required', 'a token without a nonce', { requiresNonce: false }],
  ['no-get', 'a token in answer to GET', { methods: ['GET', 'POST'] }],
  ['no-store', 'an answer that may be stored', { headers: { 'cache-control': 'max-age=3600' } }],
  ['no-store', 'an answer that does not say', { headers: {} }],
  ['form', 'a token with padding', { spoil: (token) => `${token}==` }],
  ['form', 'something else', { spoil: () => 'token' }],
  ['accepted', 'a header that is forbidden', { header: set('jku', 'https://app.example/keys') }],
  ['accepted', 'a name that is a number', { claims: set('display_name', 7) }],
  ['answers', '404', { answer: () => new Response('not found', { status: 404 }) }],
  ['answers', 'a page', { answer: () => new Response('<html>') }],
  ['answers', 'the token under another name', { answer: () => Response.json({ token: 'x' }) }],
  ['answers', 'a redirect', { answer: () => Response.redirect('https://app.example/login', 302) }],
]

/** Gives the first token of each nonce again. */
function memo(): (token: string) => string {
  const first = new Map<unknown, string>()
  return (token) => {
    const { nce } = JSON.parse(new TextDecoder().decode(base64url.decode(token.split('.')[1]!)))
    first.set(nce, first.get(nce) ?? token)
    return first.get(nce)!
  }
}

describe('AUTH-19 a service with one mistake is caught by exactly one check', () => {
  test.each(table)('%s: %s', async (caughtBy, _, mistakes) => {
    const report = await run(mistakes)
    const failed = report.checks.filter(({ verdict }) => verdict !== 'pass')
    expect(failed.map(({ id }) => id)).toEqual([caughtBy])
    expect(failed[0]).toMatchObject({ verdict: 'fail', howToMend: checks[caughtBy].howToMend })
    expect(failed[0]!.sentence).toMatch(/^[A-Z].+\.$/s)
    expect(report.ok).toBe(false)
  })

  test('and there is a mistake for every check', () => {
    const caught = new Set<string>(table.map(([id]) => id))
    expect(Object.keys(checks).filter((id) => !caught.has(id))).toEqual(['https'])
  })
})

describe('AUTH-19 a service without a mistake', () => {
  test('passes every check', async () => {
    const report = await run({})
    expect(report.checks.map(({ id, verdict }) => `${id} ${verdict}`)).toEqual(
      Object.keys(checks).map((id) => `${id} pass`),
    )
    expect(report.ok).toBe(true)
  })

  test.each(['RS256', 'ES256', 'EdDSA'] as const)('made with the kit passes every check: %s', async (algorithm) => {
    const signer = await providerKey(algorithm)
    const minter = createIdentityTokenMinter({
      providerId: PROVIDER,
      keyId: signer.keyId,
      privateKey: signer.privateKeyPem,
    })
    const handle = fetchHandler({
      minter,
      authenticate: (_, { user, password }) => (password === 'parley' ? { userId: String(user) } : null),
    })
    const report = await checkAuthService({
      ...options,
      publicKeys: [{ keyId: signer.keyId, publicKey: signer.publicJwk as JWK }],
      now: Date.now,
      fetch: (url, init) => handle(new Request(url, init)),
    })
    expect(report.checks.filter(({ verdict }) => verdict !== 'pass')).toEqual([])
    expect(report.checks).toHaveLength(Object.keys(checks).length)
  })

  test('may be a little off in its clock', async () => {
    for (const skew of [-5, 5]) {
      const report = await run({ claims: (claims) => ({ ...claims, iat: NOW + skew, exp: NOW + 3600 }) })
      expect(report.ok, `${skew} s`).toBe(true)
    }
  })

  test('may authenticate by a header', async () => {
    const requestToken = (nonce: string) => ({
      method: 'POST',
      headers: { authorization: 'Bearer session-of-alice', 'content-type': 'application/json' },
      body: JSON.stringify({ nonce }),
    })
    let bearer: string | null = null
    const service = serve({ accounts: () => (bearer === 'Bearer session-of-alice' ? 'alice' : undefined) })
    const fetch = (url: string, init: RequestInit) => {
      bearer = new Headers(init.headers).get('authorization')
      return service(url, init)
    }
    const report = await checkAuthService({ ...options, requestToken, fetch, findKey: async () => key.publicKeyPem })
    expect(report.checks.filter(({ verdict }) => verdict !== 'pass')).toEqual([])
    expect(report.checks).toHaveLength(Object.keys(checks).length)
  })
})

describe('what is only a warning', () => {
  test.each([
    ['http://app.example/identity-token', 'warn'],
    ['http://localhost:4000/identity-token', 'pass'],
    ['http://127.0.0.1:4000/identity-token', 'pass'],
    ['http://[::1]:4000/identity-token', 'pass'],
    ['http://localhost.evil.example/identity-token', 'warn'],
  ])('%s: %s', async (url, verdict) => {
    const report = await run({}, { url })
    expect(report.checks[0]).toMatchObject({ id: 'https', verdict })
    expect(report.ok).toBe(true)
  })

  test('a service that breaks where it should refuse', async () => {
    const fetch = serve({})
    const report = await run(
      {},
      {
        fetch: async (url, init) => {
          const response = await fetch(url, init)
          return response.status === 401 ? new Response('stack trace', { status: 500 }) : response
        },
      },
    )
    const warned = report.checks.filter(({ verdict }) => verdict === 'warn').map(({ id }) => id)
    expect(warned).toEqual(['no-credentials', 'wrong-credentials'])
  })
})

describe('what the checker itself does', () => {
  test('it never follows a redirect with the password', async () => {
    const asked: RequestInit[] = []
    const fetch = async (_: string, init: RequestInit) => {
      asked.push(init)
      return Response.redirect('https://evil.example', 307)
    }
    await run({}, { fetch })
    expect(asked.map(({ redirect }) => redirect)).toEqual(['manual'])
  })

  test('a service that cannot be reached is a finding', async () => {
    const fetch = () =>
      Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) }))
    const report = await run({}, { fetch })
    expect(report.checks.at(-1)).toMatchObject({
      id: 'answers',
      verdict: 'fail',
      sentence: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('a caller who gives up gets no report', async () => {
    const signal = AbortSignal.abort(new Error('given up'))
    await expect(run({}, { signal, fetch: () => Promise.reject(signal.reason) })).rejects.toThrow('given up')
  })

  test('an answer of any size is read no further than 64 KB', async () => {
    const answer = () => Response.json({ identity_token: 'x'.repeat(100_000) })
    const report = await run({ answer })
    expect(report.checks.at(-1)).toMatchObject({ id: 'answers', verdict: 'fail' })
  })

  test('a report can be printed', async () => {
    const lines = formatReport(await run({ header: drop('cty') }))
    expect(lines).toContain("✗ cty                The header parameter 'cty' is missing.")
    expect(lines).toContain(`${' '.repeat(21)}→ ${checks.cty.howToMend}`)
    expect(lines.at(-1)).toBe('21 passed, 1 failed, 0 warned: https://app.example/identity-token')
  })
})
