/** Hostile identity tokens over real HTTP: each refused with its own reason, none with 500, none with our insides. */
import { createHmac, createPrivateKey, randomUUID, sign as signBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CreatedApp, openAdministration } from '@parley/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Person, startTestServer, type TestServer } from './support.ts'

interface World {
  readonly home: TestServer
  readonly app: CreatedApp
  readonly rsa: CreatedApp
  readonly other: CreatedApp
  readonly nonce: string
  readonly outside: string
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const header = (app: CreatedApp, more: object = {}) => ({
  ...{ typ: 'JWT', alg: app.algorithm, cty: 'layer-eit;v=1', kid: app.keyId },
  ...more,
})
const now = () => Math.floor(Date.now() / 1000)
const claims = (world: World, more: object = {}) => ({
  ...{ iss: world.app.providerId, prn: 'mallory', iat: now(), exp: now() + 600, nce: world.nonce },
  ...more,
})
function signed(app: CreatedApp, head: unknown, body: unknown): string {
  const input = `${encode(head)}.${encode(body)}`
  const key = createPrivateKey(app.privateKeyPem)
  const digest = app.algorithm === 'EdDSA' ? null : 'sha256'
  const signature = signBytes(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}
const good = (world: World, more: object = {}, head: object = {}) =>
  signed(world.app, header(world.app, head), claims(world, more))
const parts = (token: string) => token.split('.') as [string, string, string]
const hmac = (world: World, secret: string | Buffer, app = world.rsa) => {
  const input = `${encode(header(app, { alg: 'HS256' }))}.${encode(claims(world, { iss: app.providerId }))}`
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}
const without = (object: object, name: string) =>
  Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))

const attacks: readonly (readonly [name: string, reason: string, token: (world: World) => string | Promise<string>])[] =
  [
    ['nothing at all', 'eit_wrong_jws_part_count', () => ''],
    ['two parts', 'eit_wrong_jws_part_count', (world) => parts(good(world)).slice(0, 2).join('.')],
    ['four parts', 'eit_wrong_jws_part_count', (world) => `${good(world)}.x`],
    ['9 KB', 'eit_wrong_jws_part_count', (world) => good(world, { display_name: 'x'.repeat(9_000) })],
    ['padding', 'eit_malformed_base64url', (world) => `${good(world)}=`],
    ['a stray bit in the signature', 'eit_malformed_base64url', (world) => stray(good(world))],
    ['the alphabet of plain base64', 'eit_malformed_base64url', (world) => `+/${good(world)}`],
    ['white space', 'eit_malformed_base64url', (world) => ` ${good(world)}`],
    ['a header that is no JSON', 'eit_malformed_json', (world) => signed(world.app, '{', claims(world))],
    ['a header that is a list', 'eit_malformed_json', (world) => signed(world.app, [], claims(world))],
    ['claims that nest 60 deep', 'eit_malformed_json', (world) => signed(world.app, header(world.app), '['.repeat(60))],
    [
      'a claim named twice',
      'eit_malformed_json',
      (world) => signed(world.app, header(world.app), JSON.stringify(claims(world)).replace('{', '{"prn":"admin",')),
    ],
    [
      'a header parameter named twice, once in escapes',
      'eit_malformed_json',
      (world) =>
        signed(world.app, JSON.stringify(header(world.app)).replace('{', '{"\\u0061lg":"none",'), claims(world)),
    ],
    ...['typ', 'alg', 'cty', 'kid'].map(
      (name) =>
        [
          `no ${name}`,
          'eit_header_param_not_found',
          (world: World) => signed(world.app, without(header(world.app), name), claims(world)),
        ] as const,
    ),
    ['a kid that is a number', 'eit_header_param_wrong_type', (world) => good(world, {}, { kid: 7 })],
    [
      'alg none',
      'eit_header_param_wrong_value',
      (world) =>
        `${parts(good(world, {}, { alg: 'none' }))
          .slice(0, 2)
          .join('.')}.`,
    ],
    ['alg nOnE with a good signature', 'eit_header_param_wrong_value', (world) => good(world, {}, { alg: 'nOnE' })],
    [
      'HS256 with the public key’s PEM as secret',
      'eit_header_param_wrong_value',
      (world) => hmac(world, world.rsa.publicKeyPem),
    ],
    [
      'HS256 with the public key’s bytes as secret',
      'eit_header_param_wrong_value',
      (world) => hmac(world, Buffer.from(world.rsa.publicKeyPem.split('\n').slice(1, -2).join(''), 'base64')),
    ],
    ['another content type', 'eit_header_param_wrong_value', (world) => good(world, {}, { cty: 'layer-eit;v=2' })],
    ['another type', 'eit_header_param_wrong_value', (world) => good(world, {}, { typ: 'at+jwt' })],
    [
      'an embedded key',
      'eit_header_param_wrong_value',
      (world) => good(world, {}, { jwk: { kty: 'EC', crv: 'P-256', x: 'A', y: 'A' } }),
    ],
    ['an address of keys', 'eit_header_param_wrong_value', (world) => good(world, {}, { jku: world.outside })],
    ['an address of certificates', 'eit_header_param_wrong_value', (world) => good(world, {}, { x5u: world.outside })],
    [
      'an address of certificates’ fingerprints, and the certificates',
      'eit_header_param_wrong_value',
      (world) => good(world, {}, { x5c: ['MIIB'], 'x5t#S256': 'AAAA' }),
    ],
    ['a critical extension', 'eit_header_param_wrong_value', (world) => good(world, {}, { crit: ['exp'] })],
    ['a detached payload', 'eit_header_param_wrong_value', (world) => good(world, {}, { b64: false })],
    [
      'the algorithm of another key',
      'eit_header_param_wrong_value',
      (world) => signed(world.rsa, header(world.rsa, { kid: world.app.keyId }), claims(world)),
    ],
    ...[
      '',
      '../../../etc/passwd',
      "' OR 1=1 --",
      '\u0000',
      '__proto__',
      'constructor',
      'x'.repeat(3_000),
      'layer:///keys/',
      'layer:///providers/5d2e1b0a-0000-4000-8000-000000000001',
      'http://127.0.0.1/',
      '00000000-0000-0000-0000-00000000000g',
    ].map(
      (kid) =>
        [
          `kid ${JSON.stringify(kid).slice(0, 40)}`,
          'eit_key_malformed',
          (world: World) => good(world, {}, { kid }),
        ] as const,
    ),
    ['a key nobody knows', 'eit_key_not_found', (world) => good(world, {}, { kid: randomUUID() })],
    ['a cut signature', 'eit_signature_verification_failed', (world) => cut(good(world))],
    [
      'an empty signature',
      'eit_signature_verification_failed',
      (world) => `${parts(good(world)).slice(0, 2).join('.')}.`,
    ],
    [
      'a signature of zeros',
      'eit_signature_verification_failed',
      (world) => `${parts(good(world)).slice(0, 2).join('.')}.${Buffer.alloc(64).toString('base64url')}`,
    ],
    [
      'claims changed after signing',
      'eit_signature_verification_failed',
      (world) => [parts(good(world))[0], encode(claims(world, { prn: 'admin' })), parts(good(world))[2]].join('.'),
    ],
    [
      'signed with another provider’s key under this kid',
      'eit_signature_verification_failed',
      (world) => signed(world.other, header(world.other, { kid: world.app.keyId }), claims(world)),
    ],
    ...['iss', 'prn', 'iat', 'exp', 'nce'].map(
      (name) =>
        [
          `no ${name}`,
          'eit_claim_not_found',
          (world: World) => signed(world.app, header(world.app), without(claims(world), name)),
        ] as const,
    ),
    ...(
      [
        ['iss', 7],
        ['prn', ''],
        ['prn', 'x'.repeat(129)],
        ['prn', 'a\u0000'],
        ['prn', { $gt: '' }],
        ['prn', ['alice']],
        ['iat', '1800000000'],
        ['iat', 1.5],
        ['exp', -1],
        ['exp', null],
        ['nce', 0],
        ['display_name', { toString: 'x' }],
      ] as const
    ).map(
      ([name, value]) =>
        [
          `${name} ${JSON.stringify(value).slice(0, 30)}`,
          'eit_claim_wrong_type',
          (world: World) => good(world, { [name]: value }),
        ] as const,
    ),
    [
      'exp 1e400',
      'eit_claim_wrong_type',
      (world) =>
        signed(world.app, header(world.app), JSON.stringify(claims(world)).replace(/"exp":\d+/, '"exp":1e400')),
    ],
    ['a provider nobody knows', 'eit_provider_not_found', (world) => good(world, { iss: randomUUID() })],
    ['a provider that is no id', 'eit_provider_not_found', (world) => good(world, { iss: "x' OR 1=1" })],
    [
      'the provider of another app',
      'eit_provider_not_bound_to_app',
      (world) => good(world, { iss: world.other.providerId }),
    ],
    [
      'another app’s token, whole',
      'eit_provider_not_bound_to_app',
      (world) => signed(world.other, header(world.other), claims(world, { iss: world.other.providerId })),
    ],
    [
      'another app’s key for this provider',
      'eit_provider_not_bound_to_app',
      (world) => signed(world.other, header(world.other), claims(world)),
    ],
    ['not valid yet', 'eit_not_before', (world) => good(world, { iat: now() + 60, exp: now() + 600 })],
    ['not valid yet by nbf', 'eit_not_before', (world) => good(world, { nbf: now() + 60 })],
    ['expired', 'eit_expired', (world) => good(world, { iat: now() - 600, exp: now() - 10 })],
    ['expired before it was issued', 'eit_expired', (world) => good(world, { exp: now() - 1 })],
    ['a nonce nobody issued', 'eit_nonce_not_found', (world) => good(world, { nce: 'x'.repeat(51) })],
    ['a nonce cut short', 'eit_nonce_not_found', (world) => good(world, { nce: world.nonce.slice(0, -1) })],
    ['an empty nonce', 'eit_nonce_not_found', (world) => good(world, { nce: '' })],
    ['a nonce with U+0000', 'eit_nonce_not_found', (world) => good(world, { nce: `${world.nonce}\u0000` })],
    [
      'a nonce that was used',
      'eit_nonce_not_found',
      async (world) => {
        const used = ((await world.home.request('POST', '/nonces')).body as { nonce: string }).nonce
        await world.home.request('POST', '/sessions', {
          body: { identity_token: good(world, { nce: used, prn: 'first' }), app_id: world.app.appId },
        })
        return good(world, { nce: used })
      },
    ],
    [
      'a nonce for another app',
      'eit_nonce_not_found',
      async (world) => {
        const bound = await world.home.request('POST', '/nonces', { body: { app_id: world.other.appId } })
        return good(world, { nce: (bound.body as { nonce: string }).nonce })
      },
    ],
  ]

/** Three bytes short, and written as it should be. */
function cut(token: string): string {
  const [head, body, signature] = parts(token)
  return `${head}.${body}.${Buffer.from(signature, 'base64url').subarray(0, -3).toString('base64url')}`
}

function stray(token: string): string {
  // 64 bytes end in two characters that carry one byte: four bits have to be zero.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return token.slice(0, -1) + alphabet[alphabet.indexOf(token.at(-1)!) + 1]
}

/** The row of the exam that a reason belongs to: form and signature, headers and key ids, claims, nonces. */
function rowOf(reason: string): number {
  if (/^eit_(wrong_jws|malformed_base64url|signature)/.test(reason)) return 110
  if (/^eit_(malformed_json|header|key)/.test(reason)) return 111
  return reason === 'eit_nonce_not_found' ? 114 : 112
}

describe('AUTH-21 hostile identity tokens', () => {
  let world: World
  const asked: string[] = []
  const outside = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end('{"keys":[]}')
  })
  beforeAll(async () => {
    const home = await startTestServer()
    const administration = await openAdministration(home.folder)
    const rsa = await administration.createApp({ algorithm: 'RS256' })
    const other = await administration.createApp({ algorithm: 'ES256' })
    await administration.close()
    await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve))
    const { nonce } = (await home.request('POST', '/nonces')).body as { nonce: string }
    const address = `http://127.0.0.1:${(outside.address() as AddressInfo).port}/keys`
    world = { home, app: home.app, rsa, other, nonce, outside: address }
  })
  afterAll(async () => {
    outside.close()
    await world.home.close()
  })

  const rows = attacks.map(([name, reason, make]) => [rowOf(reason), name, reason, make] as const)
  it.each(rows)('%i by the door: %s: %s', async (_row, _name, reason, make) => {
    const identityToken = await make(world)
    const answer = await world.home.request('POST', '/sessions', {
      body: { identity_token: identityToken, app_id: world.app.appId },
    })
    expect(answer.body).toMatchObject({
      id: 'invalid_property',
      code: 105,
      data: { property: 'identity_token', reason },
    })
    expect(answer.status).toBe(422)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    const said = JSON.stringify(answer.body)
    expect(said).not.toMatch(/at .*\.(ts|js):|node_modules|Error:|JOSE|mallory|SQLITE/)
    expect(said.length).toBeLessThan(500)
    // By the other door, the same.
    const person = await Person.open(world.home.server)
    person.say({ type: 'hello', identity_token: identityToken, app_id: world.app.appId, cursor: null, epoch: null })
    expect((await person.hear('goodbye')).error).toEqual(answer.body)
  })

  it('111 none of them was let in, spent the nonce, was logged, or had anything outside asked', async () => {
    expect(asked).toEqual([])
    expect(world.home.logged).toEqual([])
    const { openSqliteStore, storeFile } = await import('@parley/server')
    const store = openSqliteStore(storeFile(world.home.folder))
    const [app] = (await store.apps.all()).filter(({ id }) => world.app.appId.endsWith(id))
    for (const name of ['mallory', 'admin']) {
      expect(await store.apps.liveSessionsOf(app!.key, name as never)).toEqual([])
      expect(await store.lists.profile(app!.key, name as never)).toBeUndefined()
    }
    await store.close()
    const answer = await world.home.request('POST', '/sessions', {
      body: { identity_token: good(world, { prn: 'honest' }), app_id: world.app.appId },
    })
    expect(answer.status).toBe(201)
  })
})
