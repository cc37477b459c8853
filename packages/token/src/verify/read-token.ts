import { CONTENT_TYPE, isSigningAlgorithm, type SigningAlgorithm } from '../algorithms.ts'
import { type EitRefusal, refuseToken } from '../eit-errors.ts'
import { decodeCanonicalBase64url } from '../text/base64url.ts'
import { type JsonObject, member, parseJsonObject } from '../text/strict-json.ts'

/** A token whose form and header are right. Nothing in it is proven yet. */
export interface ReadToken {
  readonly ok: true
  readonly algorithm: SigningAlgorithm
  /** As written in `kid`. */
  readonly keyId: string
  readonly claims: JsonObject
}

const REQUIRED = ['typ', 'alg', 'cty', 'kid'] as const

/**
 * Parameters that would let the token choose its own key or its own reading. Refused by their mere presence, so that
 * no later change can begin to honour one.
 */
const FORBIDDEN = ['crit', 'b64', 'jwk', 'jku', 'x5u', 'x5c', 'x5t', 'x5t#S256', 'enc', 'zip', 'epk'] as const

/** Steps EIT-0 to EIT-6: everything that can be said of a token before looking up its key. */
export function readToken(token: string, maxLength: number): ReadToken | EitRefusal {
  // Before anything that costs more than a comparison.
  if (typeof token !== 'string') return refuseToken('eit_wrong_jws_part_count')
  if (token.length > maxLength) {
    return refuseToken('eit_wrong_jws_part_count', `The identity token is longer than ${maxLength} characters.`)
  }
  const parts = token.split('.')
  if (parts.length !== 3) return refuseToken('eit_wrong_jws_part_count')
  const [headerBytes, claimsBytes, signature] = parts.map(decodeCanonicalBase64url)
  if (!headerBytes || !claimsBytes || !signature) return refuseToken('eit_malformed_base64url')
  const header = parseJsonObject(headerBytes)
  const claims = parseJsonObject(claimsBytes)
  if (!header || !claims) return refuseToken('eit_malformed_json')
  return readHeader(header, claims)
}

function readHeader(header: JsonObject, claims: JsonObject): ReadToken | EitRefusal {
  const missing = REQUIRED.find((name) => member(header, name) === undefined)
  if (missing) return refuseToken('eit_header_param_not_found', `The header parameter '${missing}' is missing.`)
  const notText = REQUIRED.find((name) => typeof member(header, name) !== 'string')
  if (notText) return refuseToken('eit_header_param_wrong_type', `The header parameter '${notText}' is not a string.`)

  const [typ, alg, cty, kid] = REQUIRED.map((name) => String(header[name])) as [string, string, string, string]
  // Layer's oldest samples wrote JWS.
  if (typ !== 'JWT' && typ !== 'JWS') return wrongValue('typ', 'JWT')
  if (!isSigningAlgorithm(alg)) return wrongValue('alg', 'RS256, ES256 or EdDSA')
  if (cty !== CONTENT_TYPE) return wrongValue('cty', CONTENT_TYPE)
  const forbidden = FORBIDDEN.find((name) => Object.hasOwn(header, name))
  if (forbidden) {
    return refuseToken('eit_header_param_wrong_value', `The header parameter '${forbidden}' is not allowed.`)
  }
  return { ok: true, algorithm: alg, keyId: kid, claims }
}

function wrongValue(name: string, expected: string): EitRefusal {
  return refuseToken('eit_header_param_wrong_value', `The header parameter '${name}' has to be ${expected}.`)
}
