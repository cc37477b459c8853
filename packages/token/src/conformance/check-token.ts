import type { JWK } from 'jose'
import { CONTENT_TYPE, isSigningAlgorithm } from '../algorithms.ts'
import { parseKeyId, parseProviderId } from '../ids.ts'
import { importPublicKey } from '../keys/import-public-key.ts'
import { decodeCanonicalBase64url } from '../text/base64url.ts'
import { type JsonObject, member, parseJsonObject } from '../text/strict-json.ts'
import { type FoundKey, verifyIdentityToken } from '../verify/verify-identity-token.ts'
import { isSignedWith } from '../verify/verify-signature.ts'
import { type Check, check, fail, pass } from './checks.ts'

/** What a token has to say, given what was asked. */
export interface ExpectedToken {
  readonly providerId: string
  readonly nonce: string
  readonly userId: string
  readonly sentAtMs: number
  readonly receivedAtMs: number
  readonly leewayMs: number
  readonly maxLifetimeSeconds: number
  /** The registered public key of this id (a bare UUID): PEM or JWK. */
  findKey(keyId: string): Promise<string | JWK | undefined>
}

/**
 * Examines one token. Unlike the server, which stops at the first thing wrong, this goes on as far as it can, so that
 * an app developer sees everything at once.
 */
export async function checkToken(token: string, expected: ExpectedToken): Promise<readonly Check[]> {
  const read = readParts(token)
  if (!read) return [fail('form', 'The token is not a compact JWS of three parts in base64url that hold JSON objects.')]
  const { header, claims } = read
  const found = [
    pass('form'),
    check('typ', member(header, 'typ') !== 'JWT' && `The header parameter 'typ' is ${show(member(header, 'typ'))}.`),
    check(
      'cty',
      member(header, 'cty') !== CONTENT_TYPE && `The header parameter 'cty' is ${show(member(header, 'cty'))}.`,
    ),
    ...(await checkKey(token, header, expected)),
    ...checkClaims(claims, expected),
  ]
  return found.every(({ verdict }) => verdict === 'pass') ? [...found, await checkAccepted(token, expected)] : found
}

function readParts(token: string): { header: JsonObject; claims: JsonObject } | undefined {
  const parts = token.split('.').map(decodeCanonicalBase64url)
  const [header, claims] = parts.map((bytes) => bytes && parseJsonObject(bytes))
  return parts.length === 3 && parts[2] && header && claims ? { header, claims } : undefined
}

async function checkKey(token: string, header: JsonObject, expected: ExpectedToken): Promise<Check[]> {
  const [alg, kid] = [member(header, 'alg'), member(header, 'kid')]
  const known = typeof alg === 'string' && isSigningAlgorithm(alg)
  const foreign = known ? undefined : `The header parameter 'alg' is ${show(alg)}, which is never accepted.`

  const uuid = typeof kid === 'string' ? parseKeyId(kid) : undefined
  const registered = uuid && (await expected.findKey(uuid))
  if (!registered) {
    return [
      check('algorithm', foreign),
      fail('key-id', `The header parameter 'kid' is ${show(kid)}, no registered key.`),
    ]
  }
  const key = await importPublicKey(registered)
  if (!key.ok) return [check('algorithm', foreign), pass('key-id'), fail('key-strength', key.sentence)]

  const mismatch =
    alg !== key.algorithm && `The token is signed with ${show(alg)}, but its key is for ${key.algorithm}.`
  const checked = [check('algorithm', foreign ?? mismatch), pass('key-id'), pass('key-strength')]
  if (foreign || mismatch) return checked
  const isSigned = isSignedWith(token, key)
  return [...checked, check('signature', !isSigned && 'The signature does not match the registered key.')]
}

function checkClaims(claims: JsonObject, expected: ExpectedToken): Check[] {
  const [iss, prn, nce] = ['iss', 'prn', 'nce'].map((name) => member(claims, name))
  const isIssuer = typeof iss === 'string' && parseProviderId(iss) === parseProviderId(expected.providerId)
  return [
    check('issuer', !isIssuer && `The claim 'iss' is ${show(iss)}, not the provider.`),
    check(
      'nonce-echo',
      nce !== expected.nonce && `Asked with the nonce ${show(expected.nonce)}, 'nce' is ${show(nce)}.`,
    ),
    check('user-id', prn !== expected.userId && `The claim 'prn' is ${show(prn)}, not ${show(expected.userId)}.`),
    check('expiry', expiryProblem(claims, expected)),
    check('clock', clockProblem(claims, expected)),
  ]
}

function expiryProblem(claims: JsonObject, expected: ExpectedToken): string | undefined {
  const exp = member(claims, 'exp')
  if (!Number.isSafeInteger(exp)) return `The claim 'exp' is ${show(exp)}, not a whole number of Unix seconds.`
  // Counted from our clock, so that a wrong clock there is told apart from a wrong expiry.
  const leftSeconds = (exp as number) - (clockOf(claims) ?? expected.receivedAtMs / 1000)
  if (leftSeconds <= 0) return `The token had expired ${Math.round(-leftSeconds)} seconds before it was made.`
  if (leftSeconds <= expected.maxLifetimeSeconds) return undefined
  const days = (seconds: number) => Math.round(seconds / 8640) / 10
  return `The token lives ${days(leftSeconds)} days. At most ${days(expected.maxLifetimeSeconds)} are advisable.`
}

function clockOf(claims: JsonObject): number | undefined {
  const iat = member(claims, 'iat')
  return Number.isSafeInteger(iat) ? (iat as number) : undefined
}

function clockProblem(claims: JsonObject, expected: ExpectedToken): string | undefined {
  const iat = clockOf(claims)
  if (iat === undefined) return `The claim 'iat' is ${show(member(claims, 'iat'))}, not a whole number of Unix seconds.`
  const { sentAtMs, receivedAtMs, leewayMs } = expected
  const aheadMs = iat * 1000 - receivedAtMs
  // A second more to this side: 'iat' is rounded down.
  const behindMs = sentAtMs - iat * 1000 - 1000
  if (aheadMs > leewayMs) return `The clock of the service is ${Math.round(aheadMs / 1000)} seconds ahead of this one.`
  if (behindMs > leewayMs) return `The clock of the service is ${Math.round(behindMs / 1000)} seconds behind this one.`
  return undefined
}

/** Whatever no check above has a name for: a forbidden header, a user id no store can hold. */
async function checkAccepted(token: string, expected: ExpectedToken): Promise<Check> {
  const verdict = await verifyIdentityToken(token, {
    appId: '',
    nowMs: expected.receivedAtMs,
    leewayMs: expected.leewayMs,
    findKey: async (keyId) => foundKey(await expected.findKey(keyId), expected.providerId),
    findProvider: () => 'bound',
    consumeNonce: (nonce) => nonce === expected.nonce,
    isSuspended: () => false,
  })
  return check(
    'accepted',
    !verdict.ok && `The server would refuse the token with ${verdict.error}: ${verdict.sentence}`,
  )
}

async function foundKey(registered: string | JWK | undefined, providerId: string): Promise<FoundKey> {
  const key = registered === undefined ? undefined : await importPublicKey(registered)
  if (!key?.ok) return { status: 'unknown' }
  return { status: 'active', algorithm: key.algorithm, key: key.key, providerId }
}

/** A value of the token as a report may quote it. */
function show(value: unknown): string {
  const text = value === undefined ? 'missing' : (JSON.stringify(value) ?? 'missing')
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}
