import { type EitRefusal, refuseToken } from '../eit-errors.ts'
import { isStorableText, isUserId, MAX_USER_ID_LENGTH } from '../text/storable-text.ts'
import { type JsonObject, member } from '../text/strict-json.ts'

/** What a token may say about its user besides the id. */
export interface ProfileClaims {
  readonly display_name?: string
  readonly avatar_url?: string
  readonly first_name?: string
  readonly last_name?: string
  readonly public_key?: string
}

/** The claims of a token, in the shapes they need to have. */
export interface IdentityTokenClaims extends ProfileClaims {
  /** The provider. */
  readonly iss: string
  /** The user id. */
  readonly prn: string
  /** Issued at, in Unix seconds; not valid before. */
  readonly iat: number
  /** Expires at, in Unix seconds. */
  readonly exp: number
  /** Not valid before, in Unix seconds, where the provider says more than `iat`. */
  readonly nbf?: number
  /** The nonce the server gave. */
  readonly nce: string
}

export const profileClaimNames = ['display_name', 'avatar_url', 'first_name', 'last_name', 'public_key'] as const

const REQUIRED = ['iss', 'prn', 'iat', 'exp', 'nce'] as const
/** The last second of the year 9999: past it, dates no longer print and sums no longer fit. */
const MAX_INSTANT = 253_402_300_799

/** Step EIT-9: every required claim is there, and every claim we read has its type. */
export function readClaims(claims: JsonObject): { ok: true; claims: IdentityTokenClaims } | EitRefusal {
  const missing = REQUIRED.find((name) => member(claims, name) === undefined)
  if (missing) return refuseToken('eit_claim_not_found', `The claim '${missing}' is missing.`)

  const { iss, prn, iat, exp, nce } = claims
  const nbf = member(claims, 'nbf')
  if (typeof iss !== 'string') return wrongType('iss', 'a string')
  if (typeof prn !== 'string' || !isUserId(prn)) {
    return wrongType('prn', `a well-formed string of 1 to ${MAX_USER_ID_LENGTH} characters`)
  }
  if (!isInstant(iat)) return wrongType('iat', INSTANT)
  if (!isInstant(exp)) return wrongType('exp', INSTANT)
  if (nbf !== undefined && !isInstant(nbf)) return wrongType('nbf', INSTANT)
  if (typeof nce !== 'string') return wrongType('nce', 'a string')

  const profile: Partial<Record<(typeof profileClaimNames)[number], string>> = {}
  for (const name of profileClaimNames) {
    const value = member(claims, name)
    // Backends that serialise a record of theirs send null for what they do not know.
    if (value === undefined || value === null) continue
    if (typeof value !== 'string' || !isStorableText(value)) return wrongType(name, 'a well-formed string')
    profile[name] = value
  }
  return { ok: true, claims: { iss, prn, iat, exp, nce, ...(nbf === undefined ? {} : { nbf }), ...profile } }
}

const INSTANT = 'a whole number of Unix seconds'

function isInstant(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_INSTANT
}

function wrongType(name: string, expected: string): EitRefusal {
  return refuseToken('eit_claim_wrong_type', `The claim '${name}' has to be ${expected}.`)
}
