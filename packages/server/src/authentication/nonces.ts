import { createHmac, hash, type KeyObject, timingSafeEqual } from 'node:crypto'
import { limits, type Uuid } from '@parley/protocol'

/**
 * Nonces that need no memory until they are used: 128 random bits, the time of issue and the app, under the store's
 * secret. So a flood of requests costs neither a write nor a byte, and any node accepts what any other issued. What is
 * kept are the used ones, until they would have expired anyway: see `operations/use-nonce.ts`.
 *
 * Layout, base64url: 16 bytes of chance, 6 bytes of Unix milliseconds, 16 bytes of HMAC-SHA256.
 */
const RANDOM_BYTES = 16
const TIME_BYTES = 6
const BODY_BYTES = RANDOM_BYTES + TIME_BYTES
const TAG_BYTES = 16
const NONCE_BYTES = BODY_BYTES + TAG_BYTES

/** @param appId the app the nonce is bound to; null when the client did not say which app it is for */
export function issueNonce(of: {
  readonly secret: KeyObject
  readonly appId: Uuid | null
  readonly nowMs: number
  readonly random: Uint8Array
}): string {
  const body = Buffer.alloc(BODY_BYTES)
  Buffer.from(of.random).copy(body, 0, 0, RANDOM_BYTES)
  body.writeUIntBE(of.nowMs, RANDOM_BYTES, TIME_BYTES)
  return Buffer.concat([body, tag(of.secret, of.appId, body)]).toString('base64url')
}

/** Whether we issued this nonce, for this app or for none in particular, and not too long ago. */
export function isGoodNonce(
  nonce: string,
  of: { readonly secret: KeyObject; readonly appId: Uuid; readonly nowMs: number },
): boolean {
  const bytes = Buffer.from(nonce, 'base64url')
  const isWellFormed = bytes.length === NONCE_BYTES && bytes.toString('base64url') === nonce
  // The tags are compared either way, so that every nonce takes the same time.
  const read = isWellFormed ? bytes : Buffer.alloc(NONCE_BYTES)
  const body = read.subarray(0, BODY_BYTES)
  const given = read.subarray(BODY_BYTES)
  const isForApp = timingSafeEqual(tag(of.secret, of.appId, body), given)
  const isForAny = timingSafeEqual(tag(of.secret, null, body), given)
  const age = of.nowMs - body.readUIntBE(RANDOM_BYTES, TIME_BYTES)
  const isYoung = age <= limits.nonceLifetimeMs && age >= -limits.clockLeewayMs
  return isWellFormed && (isForApp || isForAny) && isYoung
}

/** What is remembered of a used nonce. */
export const nonceHash = (nonce: string): string => hash('sha256', nonce, 'base64url')

function tag(secret: KeyObject, appId: Uuid | null, body: Uint8Array): Buffer {
  const about = Buffer.concat([Buffer.from(`nonce ${appId ?? ''} `), body])
  return createHmac('sha256', secret).update(about).digest().subarray(0, TAG_BYTES)
}
