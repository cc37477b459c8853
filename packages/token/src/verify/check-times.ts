import { type EitRefusal, refuseToken } from '../eit-errors.ts'
import type { IdentityTokenClaims } from './read-claims.ts'

export interface TimeRules {
  readonly nowMs: number
  /** How far the clocks of provider and server may differ. */
  readonly leewayMs: number
  /** Longest `exp − iat`; no limit when absent. */
  readonly maxLifetimeSeconds?: number | undefined
}

/**
 * Step EIT-11. The leeway widens both ends: valid from `iat − leeway` on, invalid from `exp + leeway` on.
 *
 *     ──────┤ iat ─ leeway ├══════ valid ══════┤ exp + leeway ├──────
 */
export function checkTimes(claims: IdentityTokenClaims, rules: TimeRules): EitRefusal | undefined {
  const { nowMs, leewayMs, maxLifetimeSeconds } = rules
  const notBefore = Math.max(claims.iat, claims.nbf ?? 0)
  if (nowMs + leewayMs < notBefore * 1000) return refuseToken('eit_not_before')
  if (nowMs - leewayMs >= claims.exp * 1000) return refuseToken('eit_expired')
  // Such a token was never valid for an instant; only the leeway could make it look so.
  if (claims.exp <= claims.iat) return refuseToken('eit_expired', "The claim 'exp' has to be later than 'iat'.")
  if (maxLifetimeSeconds !== undefined && claims.exp - claims.iat > maxLifetimeSeconds) {
    const sentence = `The claim 'exp' may be at most ${maxLifetimeSeconds} seconds after 'iat'.`
    return refuseToken('eit_claim_wrong_type', sentence)
  }
  return undefined
}
