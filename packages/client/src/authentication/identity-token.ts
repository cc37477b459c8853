import { ParleyError } from '../errors.ts'

/** What the SDK reads of an identity token. It cannot verify it and needn't: the server does. */
export interface IdentityTokenClaims {
  /** The user id the token speaks for. */
  readonly prn: string
}

/**
 * Reads whom a token speaks for, so that a token for somebody else is never sent (AUTH-40).
 * @throws ParleyError `challenge_failed` for anything that is no identity token: a page of HTML, an error object
 */
export function readIdentityToken(token: unknown): IdentityTokenClaims {
  const parts = typeof token === 'string' ? token.split('.') : []
  if (parts.length !== 3) throw noToken()
  let claims: { readonly prn?: unknown }
  try {
    claims = JSON.parse(decodeBase64Url(parts[1]!))
  } catch (cause) {
    throw noToken(cause)
  }
  if (typeof claims?.prn !== 'string' || claims.prn === '') throw noToken()
  return { prn: claims.prn }
}

const noToken = (cause?: unknown) =>
  new ParleyError('challenge_failed', 'What the challenge handler gave is no identity token of a user.', { cause })

function decodeBase64Url(text: string): string {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))
}
