/** Every claim by every kind of value that it should not have, and what each is answered with. */
import { describe, expect, test } from 'vitest'
import { goodClaims, goodHeader, NOW, NOW_MS, portsFor, providerKey, sign } from '../../test/fixtures.ts'
import type { EitErrorCode } from '../eit-errors.ts'
import { verifyIdentityToken } from './verify-identity-token.ts'

const key = await providerKey('ES256')

const texts = ['iss', 'prn', 'nce'] as const
const instants = ['iat', 'exp', 'nbf'] as const
const profile = ['display_name', 'avatar_url', 'first_name', 'last_name', 'public_key'] as const
type Claim = (typeof texts)[number] | (typeof instants)[number] | (typeof profile)[number]
const claims: readonly Claim[] = [...texts, ...instants, ...profile]
const isRequired = (claim: Claim): boolean => claim in goodClaims()

/** Kind → the value as JSON; undefined leaves the claim out. */
const values = {
  missing: undefined,
  null: 'null',
  true: 'true',
  'a list': '["alice"]',
  'an empty list': '[]',
  'an object': '{"$gt":""}',
  'a number': '7',
  '1e400': '1e400',
  '-1e400': '-1e400',
  '1e21': '1e21',
  'minus one': '-1',
  'minus zero point five': '-0.5',
  'beyond whole numbers': '9007199254740993',
  'digits in a string': `"${NOW}"`,
  'an empty string': '""',
  'U+0000': '"\\u0000"',
  'half a surrogate pair': '"\\ud83e"',
  'four thousand letters': `"${'x'.repeat(4_000)}"`,
} as const
type Kind = keyof typeof values

function expected(claim: Claim, kind: Kind): EitErrorCode | 'accepted' {
  if (kind === 'missing') return isRequired(claim) ? 'eit_claim_not_found' : 'accepted'
  const json = values[kind] as string
  if ((instants as readonly string[]).includes(claim)) {
    // Seven seconds after the beginning of time: an instant, but long past, and the right one to be issued at.
    if (kind === 'a number') return claim === 'exp' ? 'eit_expired' : 'accepted'
    return 'eit_claim_wrong_type'
  }
  const isText = json.startsWith('"')
  if ((profile as readonly string[]).includes(claim)) {
    if (kind === 'null') return 'accepted'
    return isText && kind !== 'U+0000' && kind !== 'half a surrogate pair' ? 'accepted' : 'eit_claim_wrong_type'
  }
  if (!isText) return 'eit_claim_wrong_type'
  if (claim === 'iss') return 'eit_provider_not_found'
  if (claim === 'nce') return 'eit_nonce_not_found'
  return kind === 'digits in a string' ? 'accepted' : 'eit_claim_wrong_type'
}

async function outcome(claimsJson: string, nowMs = NOW_MS) {
  const ports = await portsFor([key], { nowMs, consumeNonce: (nonce) => nonce === goodClaims().nce })
  const verdict = await verifyIdentityToken(await sign(goodHeader(key), claimsJson, key), ports)
  return verdict.ok ? 'accepted' : verdict.error
}

const withClaim = (claim: Claim, json: string | undefined): string => {
  const { [claim as 'exp']: _, ...rest } = goodClaims()
  const text = JSON.stringify(rest)
  return json === undefined ? text : `{"${claim}":${json},${text.slice(1)}`
}

describe.each(claims)('112 the claim %s', (claim) => {
  test.each(Object.keys(values) as Kind[])(`112 ${claim}: %s`, async (kind) => {
    expect(await outcome(withClaim(claim, values[kind]))).toBe(expected(claim, kind))
  })
})

const LEEWAY = 5
test.each([
  ['issued as far ahead as the leeway', { iat: NOW + LEEWAY }, 'accepted'],
  ['issued a second further ahead', { iat: NOW + LEEWAY + 1 }, 'eit_not_before'],
  ['issued a day ahead', { iat: NOW + 86_400, exp: NOW + 90_000 }, 'eit_not_before'],
  ['good from the leeway on', { nbf: NOW + LEEWAY }, 'accepted'],
  ['good from a second later on', { nbf: NOW + LEEWAY + 1 }, 'eit_not_before'],
  ['expired less than the leeway ago', { iat: NOW - 60, exp: NOW - LEEWAY + 1 }, 'accepted'],
  ['expired as long ago as the leeway', { iat: NOW - 60, exp: NOW - LEEWAY }, 'eit_expired'],
  ['expired a second earlier', { iat: NOW - 60, exp: NOW - LEEWAY - 1 }, 'eit_expired'],
  ['good until the last second of the year 9999', { exp: 253_402_300_799 }, 'accepted'],
  ['good for one second more', { exp: 253_402_300_800 }, 'eit_claim_wrong_type'],
] as const)('112 a token that is %s: %s', async (_, change, error) => {
  expect(await outcome(JSON.stringify({ ...goodClaims(), ...change }))).toBe(error)
})

test('112 a lifetime of exactly the limit is accepted, and of one second more is not', async () => {
  const token = await sign(goodHeader(key), { ...goodClaims(), exp: NOW + 3600 }, key)
  const verdict = async (maxLifetimeSeconds: number) =>
    verifyIdentityToken(token, await portsFor([key], { maxLifetimeSeconds }))
  expect(await verdict(3600)).toMatchObject({ ok: true })
  expect(await verdict(3599)).toMatchObject({ ok: false, error: 'eit_claim_wrong_type' })
})
