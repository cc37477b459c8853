import { createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  APP,
  activeKey,
  goodClaims,
  goodHeader,
  NOW,
  NOW_MS,
  PROVIDER,
  portsFor,
  providerKey,
  STRANGER_PROVIDER,
  sign,
  signWithLibrary,
} from '../../test/fixtures.ts'
import { signingAlgorithms } from '../algorithms.ts'
import { type EitErrorCode, eitErrors } from '../eit-errors.ts'
import { type FoundKey, verifyIdentityToken } from './verify-identity-token.ts'

const key = await providerKey('ES256')
const bare = (id: string) => id.slice(id.lastIndexOf('/') + 1)

describe('a token that is right', () => {
  test.each(signingAlgorithms)('AUTH-21 is accepted with %s and its claims are handed over', async (algorithm) => {
    const signer = await providerKey(algorithm)
    const verdict = await verifyIdentityToken(await signWithLibrary(signer), await portsFor([signer]))
    expect(verdict).toEqual({ ok: true, claims: goodClaims() })
  })

  test('is accepted with a Node key object as well', async () => {
    const found = (await activeKey(key)) as Extract<FoundKey, { status: 'active' }>
    const ports = await portsFor([], { findKey: () => ({ ...found, key: createPublicKey(key.publicKeyPem) }) })
    expect(await verifyIdentityToken(await signWithLibrary(key), ports)).toMatchObject({ ok: true })
  })

  test('asks each port once, in the documented order, with bare ids', async () => {
    const ports = await portsFor([key])
    await verifyIdentityToken(await signWithLibrary(key), ports)
    const uuid = bare(key.keyId)
    expect(ports.asked).toEqual([
      `findKey ${uuid}`,
      `findProvider ${bare(PROVIDER)}`,
      'consumeNonce nonce-1',
      'isSuspended alice',
    ])
  })

  test('tells the provider registry which app is asked for', async () => {
    const apps: string[] = []
    const findProvider = (_: string, appId: string) => {
      apps.push(appId)
      return 'bound' as const
    }
    await verifyIdentityToken(await signWithLibrary(key), await portsFor([key], { findProvider }))
    expect(apps).toEqual([APP])
  })

  test.each([
    ['bare ids', (id: string) => bare(id)],
    ['upper-case ids', (id: string) => bare(id).toUpperCase()],
  ])('EIT-7 EIT-10 may name key and provider by %s', async (_, spell) => {
    const header = { ...goodHeader(key), kid: spell(key.keyId) }
    const token = await sign(header, { ...goodClaims(), iss: spell(PROVIDER) }, key)
    expect(await verifyIdentityToken(token, await portsFor([key]))).toMatchObject({ ok: true })
  })

  test('EIT-6 may say typ JWS, as the oldest samples did', async () => {
    const token = await sign({ ...goodHeader(key), typ: 'JWS' }, goodClaims(), key)
    expect(await verifyIdentityToken(token, await portsFor([key]))).toMatchObject({ ok: true })
  })

  test('may carry a profile, of which null members count as absent', async () => {
    const profile = {
      display_name: 'Alice 🦊',
      avatar_url: 'https://a.example/a.png',
      first_name: 'Al',
      public_key: 'pk',
    }
    const token = await sign(goodHeader(key), { ...goodClaims(), ...profile, last_name: null, role: 'admin' }, key)
    const verdict = await verifyIdentityToken(token, await portsFor([key]))
    expect(verdict).toEqual({ ok: true, claims: { ...goodClaims(), ...profile } })
  })
})

describe('the order of refusals', () => {
  // Each fault alone; then all from one on, of which the first has to answer.
  const unsigned = async (header: object, claims: object): Promise<string> => {
    const token = await sign(header, claims, key)
    return `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}`
  }
  const late = { iat: NOW - 7200, exp: NOW - 3600 }
  const suspended = { isSuspended: () => true }
  const spent = { consumeNonce: () => false, ...suspended }
  const unbound = { iss: STRANGER_PROVIDER, ...late }

  type Step = readonly [rule: string, error: EitErrorCode, token: () => Promise<string>, overrides: object]
  const steps: readonly Step[] = [
    ['EIT-1', 'eit_wrong_jws_part_count', async () => '!.{', spent],
    ['EIT-2', 'eit_malformed_base64url', async () => '!.e30.', spent],
    ['EIT-3', 'eit_malformed_json', async () => 'W10.e30.', spent],
    ['EIT-4', 'eit_header_param_not_found', () => unsigned({ typ: 1, alg: 'x' }, {}), spent],
    ['EIT-5', 'eit_header_param_wrong_type', () => unsigned({ ...goodHeader(key), typ: 1, alg: 'x' }, {}), spent],
    ['EIT-6', 'eit_header_param_wrong_value', () => unsigned({ ...goodHeader(key), cty: 'x', kid: 'x' }, {}), spent],
    ['EIT-7', 'eit_key_malformed', () => unsigned({ ...goodHeader(key), kid: 'x' }, {}), spent],
    ['EIT-8', 'eit_signature_verification_failed', () => unsigned(goodHeader(key), {}), spent],
    ['EIT-9', 'eit_claim_not_found', () => sign(goodHeader(key), { ...unbound, prn: 1 }, key), spent],
    ['EIT-9', 'eit_claim_wrong_type', () => sign(goodHeader(key), { ...goodClaims(), ...unbound, prn: 1 }, key), spent],
    [
      'EIT-10',
      'eit_provider_not_bound_to_app',
      () => sign(goodHeader(key), { ...goodClaims(), ...unbound }, key),
      spent,
    ],
    ['EIT-11', 'eit_expired', () => sign(goodHeader(key), { ...goodClaims(), ...late }, key), spent],
    ['EIT-12', 'eit_nonce_not_found', () => signWithLibrary(key), spent],
    ['EIT-13', 'eit_user_suspended', () => signWithLibrary(key), suspended],
  ]
  test.each(steps)('%s comes before all later rules: %s', async (_, error, token, overrides) => {
    const verdict = await verifyIdentityToken(await token(), await portsFor([key], overrides))
    expect(verdict).toMatchObject({ ok: false, error })
  })

  test('EIT-12 a nonce is not spent unless everything before is right', async () => {
    const ports = await portsFor([key])
    for (const claims of [{ ...goodClaims(), exp: NOW - 60 }, { ...goodClaims(), iss: STRANGER_PROVIDER }, {}]) {
      await verifyIdentityToken(await sign(goodHeader(key), claims, key), ports)
    }
    expect(ports.asked.filter((question) => question.startsWith('consumeNonce'))).toEqual([])
    expect(await verifyIdentityToken(await signWithLibrary(key), ports)).toMatchObject({ ok: true })
  })

  test('EIT-12 of a hundred racing uses of one token exactly one is accepted', async () => {
    const ports = await portsFor([key])
    const token = await signWithLibrary(key)
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => verifyIdentityToken(token, ports)))
    expect(verdicts.filter((verdict) => verdict.ok)).toHaveLength(1)
    expect(verdicts.filter((verdict) => !verdict.ok && verdict.error === 'eit_nonce_not_found')).toHaveLength(99)
  })
})

describe('keys and providers', () => {
  test.each([
    ['unknown', 'eit_key_not_found'],
    ['disabled', 'eit_key_disabled'],
    ['deleted', 'eit_key_deleted'],
  ] as const)('EIT-7 a key that is %s is refused as %s', async (status, error) => {
    const ports = await portsFor([key], { findKey: async () => ({ status }) })
    expect(await verifyIdentityToken(await signWithLibrary(key), ports)).toMatchObject({ ok: false, error })
  })

  test.each([
    ['an id that is no id', 'acme', 'eit_provider_not_found'],
    ['an unknown provider', 'layer:///providers/11111111-2222-4333-8444-555555555555', 'eit_provider_not_found'],
    ["another app's provider", STRANGER_PROVIDER, 'eit_provider_not_bound_to_app'],
  ])('EIT-10 %s is refused', async (_, iss, error) => {
    const token = await sign(goodHeader(key), { ...goodClaims(), iss }, key)
    expect(await verifyIdentityToken(token, await portsFor([key]))).toMatchObject({ ok: false, error })
  })

  test("EIT-10 another provider's key cannot sign in this provider's name", async () => {
    const findKey = () => activeKey(key, STRANGER_PROVIDER)
    const verdict = await verifyIdentityToken(await signWithLibrary(key), await portsFor([key], { findKey }))
    expect(verdict).toMatchObject({ ok: false, error: 'eit_provider_not_bound_to_app' })
  })
})

describe('what a port throws', () => {
  test.each(['findKey', 'findProvider', 'consumeNonce', 'isSuspended'])('passes through: %s', async (port) => {
    const outage = () => Promise.reject(new Error('the store is away'))
    const verdict = verifyIdentityToken(await signWithLibrary(key), await portsFor([key], { [port]: outage }))
    await expect(verdict).rejects.toThrow('the store is away')
  })

  test('a registry that hands out a key of the wrong kind is a bug, not a bad token', async () => {
    const rsa = (await activeKey(await providerKey('RS256'))) as Extract<FoundKey, { status: 'active' }>
    const ports = await portsFor([], { findKey: () => ({ ...rsa, algorithm: 'ES256' }) })
    await expect(verifyIdentityToken(await signWithLibrary(key), ports)).rejects.toThrow(TypeError)
  })
})

test('the catalog holds the nineteen documented codes', () => {
  expect(Object.keys(eitErrors)).toHaveLength(19)
})

test('the clock is an argument', async () => {
  const token = await signWithLibrary(key)
  const later = await portsFor([key], { nowMs: NOW_MS + 3_700_000 })
  expect(await verifyIdentityToken(token, later)).toMatchObject({ ok: false, error: 'eit_expired' })
})
