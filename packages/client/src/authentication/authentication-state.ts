import type { BasicIdentity } from '@parley/protocol'
import { closed, ParleyError } from '../errors.ts'
import type { OutboxEntry } from '../replica/replica.ts'

/**
 * Who is signed in on this device. Being authenticated and being connected are independent (AUTH-36).
 *
 *     opening ─────────┬─► unauthenticated ◄──────────── deauthenticating
 *     a stored session │      │        ▲                    ▲  │ offline, interrupted
 *                      │      ▼        │ failed   sign out, │  ▼
 *                      │  authenticating ──────────►  authenticated ◄──► challenged
 *                      └─────────────────────────────────▲            the session is over,
 *                                                                     a new token is awaited
 */
export type AuthenticationState =
  | { readonly state: 'opening' }
  | { readonly state: 'unauthenticated' }
  | { readonly state: 'authenticating'; readonly userId: string | undefined }
  | { readonly state: 'authenticated'; readonly identity: BasicIdentity; readonly session: SessionSummary }
  /** The session has ended; everything local works, nothing can be sent until the app gives a token (SESS-5). */
  | { readonly state: 'challenged'; readonly identity: BasicIdentity }
  | { readonly state: 'deauthenticating'; readonly identity: BasicIdentity }
  | { readonly state: 'closed' }

export interface SessionSummary {
  readonly id: string
  readonly expiresAt: string
}

/**
 * `asked`: the app called `deauthenticate`. `session-ended`: the server ended the session. `no-token`: the session was
 * over and the app had no new token. `data-deleted`: the browser's data was cleared.
 */
export type DeauthenticationReason = 'asked' | 'session-ended' | 'no-token' | 'data-deleted'

export interface Deauthentication {
  readonly reason: DeauthenticationReason
  readonly identity: BasicIdentity
  /** What the user had asked for and the server never carried out. It is not on the device any more. */
  readonly unsent: readonly OutboxEntry[]
}

export interface ChallengeFailure {
  readonly error: ParleyError
  readonly attempt: number
  readonly retryInMs: number
}

/** @throws `already_authenticated` for anybody else than who is signed in */
export function mustBe(userId: string | undefined, identity: BasicIdentity): void {
  if (userId === undefined || userId === identity.user_id) return
  throw new ParleyError('already_authenticated', 'Another user is authenticated; de-authenticate them first.')
}

/** Why nothing can be asked for in such a state. */
export function unavailable({ state }: AuthenticationState): ParleyError {
  switch (state) {
    case 'authenticating':
      return new ParleyError('authentication_in_progress', 'Somebody is being authenticated.')
    case 'deauthenticating':
      return new ParleyError('deauthenticating', 'The user is being signed out.')
    case 'closed':
      return closed()
    default:
      return new ParleyError('not_authenticated', 'Call authenticate first.')
  }
}
