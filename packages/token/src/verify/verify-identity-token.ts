import type { KeyObject } from 'node:crypto'
import type { CryptoKey } from 'jose'
import type { SigningAlgorithm } from '../algorithms.ts'
import { type EitRefusal, refuseToken } from '../eit-errors.ts'
import { parseKeyId, parseProviderId } from '../ids.ts'
import { isStorableText } from '../text/storable-text.ts'
import { checkTimes, type TimeRules } from './check-times.ts'
import { type IdentityTokenClaims, readClaims } from './read-claims.ts'
import { readToken } from './read-token.ts'
import { isSignedWith } from './verify-signature.ts'

/** What the key registry knows of a key id. */
export type FoundKey =
  | {
      readonly status: 'active'
      /** The one algorithm this key signs with. What the token claims is compared with it, never trusted. */
      readonly algorithm: SigningAlgorithm
      readonly key: CryptoKey | KeyObject
      /** The provider the key was registered for, as id or bare UUID. */
      readonly providerId: string
    }
  | { readonly status: 'disabled' | 'deleted' | 'unknown' }

type Answer<T> = T | Promise<T>

/** What the verifier asks of its surroundings. What a port throws passes through unchanged: it is an outage. */
export interface IdentityTokenPorts extends TimeRules {
  /** Longest token that is looked at, in characters. 8192 when absent. */
  readonly maxTokenLength?: number
  /** Looks up exactly this key; the id is a bare, lower-case UUID. */
  findKey(keyId: string): Answer<FoundKey>
  /** Whether exactly this provider exists and speaks for the app; the id is a bare, lower-case UUID. */
  findProvider(providerId: string, appId: string): Answer<'unknown' | 'not-bound' | 'bound'>
  /**
   * Spends the nonce: true for exactly one caller. Asked only of a token that is right in all else, so that what the
   * token is for may be done in the same step.
   */
  consumeNonce(nonce: string, claims: IdentityTokenClaims): Answer<boolean>
  /** Asked last. */
  isSuspended(userId: string): Answer<boolean>
  /** The app the token is presented to. */
  readonly appId: string
}

/** The outcome: the claims of a token that was accepted, or why it was not. */
export type IdentityTokenVerdict = { readonly ok: true; readonly claims: IdentityTokenClaims } | EitRefusal

const MAX_TOKEN_LENGTH = 8192

/**
 * Verifies an identity token in the documented order (`SPEC.md`, EIT-0 to EIT-13) and spends its nonce. Never throws
 * on account of the token.
 *
 * @example
 * const verdict = await verifyIdentityToken(token, { appId, nowMs: Date.now(), leewayMs: 5000, ...ports })
 * if (verdict.ok) openSession(verdict.claims.prn)
 * else refuse(verdict.error, verdict.sentence)
 */
export async function verifyIdentityToken(token: string, ports: IdentityTokenPorts): Promise<IdentityTokenVerdict> {
  const read = readToken(token, ports.maxTokenLength ?? MAX_TOKEN_LENGTH)
  if (!read.ok) return read

  const uuid = parseKeyId(read.keyId)
  if (!uuid) return refuseToken('eit_key_malformed')
  const found = await ports.findKey(uuid)
  if (found.status !== 'active') return refuseToken(unusableKeys[found.status])
  if (found.algorithm !== read.algorithm) {
    const sentence = "The header parameter 'alg' is not the algorithm of the key."
    return refuseToken('eit_header_param_wrong_value', sentence)
  }
  if (!isSignedWith(token, found)) return refuseToken('eit_signature_verification_failed')

  const claimed = readClaims(read.claims)
  if (!claimed.ok) return claimed
  const { claims } = claimed
  return (
    (await checkProvider(claims.iss, found.providerId, ports)) ??
    checkTimes(claims, ports) ??
    (await checkNonce(claims, ports)) ??
    ((await ports.isSuspended(claims.prn)) ? refuseToken('eit_user_suspended') : { ok: true, claims })
  )
}

const unusableKeys = {
  unknown: 'eit_key_not_found',
  disabled: 'eit_key_disabled',
  deleted: 'eit_key_deleted',
} as const

async function checkProvider(
  iss: string,
  keyProviderId: string,
  ports: IdentityTokenPorts,
): Promise<EitRefusal | undefined> {
  const uuid = parseProviderId(iss)
  if (!uuid) return refuseToken('eit_provider_not_found')
  const provider = await ports.findProvider(uuid, ports.appId)
  if (provider === 'unknown') return refuseToken('eit_provider_not_found')
  // Whoever holds another provider's key learns the same, whichever provider he writes into the token.
  if (provider === 'not-bound' || parseProviderId(keyProviderId) !== uuid) {
    return refuseToken('eit_provider_not_bound_to_app')
  }
  return undefined
}

async function checkNonce(claims: IdentityTokenClaims, ports: IdentityTokenPorts): Promise<EitRefusal | undefined> {
  const isSpent = isStorableText(claims.nce) && (await ports.consumeNonce(claims.nce, claims))
  return isSpent ? undefined : refuseToken('eit_nonce_not_found')
}
