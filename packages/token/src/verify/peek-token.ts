import { parseKeyId } from '../ids.ts'
import { isUserId } from '../text/storable-text.ts'

/** What a token names. */
export interface NamedInToken {
  /** A bare, lower-case UUID. */
  readonly keyId: string
  readonly userId: string
}

/**
 * What a token names, before anything of it is looked at: good for having things looked up in advance, and for nothing
 * else. Undefined for a token that names nothing usable; why, its verification will say.
 */
export function peekToken(token: string, maxLength: number): NamedInToken | undefined {
  if (token.length > maxLength) return undefined
  const [header, claims] = token.split('.', 2).map(readPart)
  const [kid, prn] = [header?.kid, claims?.prn]
  const keyId = typeof kid === 'string' ? parseKeyId(kid) : undefined
  return keyId && typeof prn === 'string' && isUserId(prn) ? { keyId, userId: prn } : undefined
}

function readPart(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
