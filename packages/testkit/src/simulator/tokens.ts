/**
 * Identity tokens without a signature. A real one costs a thousand times more than everything else a simulated device
 * does, and is verified on a thread whose pace no seed decides; signatures have tests of their own. Nonces, their single
 * use, expiry and sessions are the server's real ones.
 */

import type { AssembleOptions } from '@parley/server/in-process'
import { type EitErrorCode, eitErrors, type IdentityTokenClaims } from '@parley/token'

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** What the app's authentication service would sign. */
export function mintToken(claims: {
  readonly userId: string
  readonly nonce: string
  readonly expiresAt: number
  readonly displayName: string
}): string {
  const { userId, nonce, expiresAt, displayName } = claims
  const exp = Math.floor(expiresAt / 1_000)
  return `${encode({ typ: 'JWT' })}.${encode({ prn: userId, nce: nonce, exp, display_name: displayName })}.unsigned`
}

export const simulatedTokens: NonNullable<AssembleOptions['tokens']> = {
  async verify(token, _app, nowMs, { consumeNonce }) {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as IdentityTokenClaims
    if (claims.exp * 1_000 <= nowMs) return refuse('eit_expired')
    return (await consumeNonce(claims.nce, claims)) ? { ok: true, claims } : refuse('eit_nonce_not_found')
  },
}

const refuse = (error: EitErrorCode) => ({ ok: false as const, error, sentence: eitErrors[error] })
