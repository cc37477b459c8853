/** The app's side of authentication, and how it is asked: for no longer than is sensible, and for nobody else's token. */
import type { Clock } from '../environment.ts'
import { abortable, ParleyError, throwIfAborted, within } from '../errors.ts'
import { readIdentityToken } from './identity-token.ts'

/** Fetches an identity token for a nonce. Null: there is none to be had. */
export type ChallengeHandler = (challenge: Challenge) => Promise<string | null | undefined>

export interface Challenge {
  readonly nonce: string
  /** Whose token is wanted; undefined when the app asked for no one in particular. */
  readonly userId: string | undefined
  /** Fires when the token is not wanted any more. */
  readonly signal: AbortSignal
}

/** A handler that takes longer to renew a session is given up. */
export const HANDLER_PATIENCE_MS = 60_000

/** Calls the app's handler, and checks that the token is for whom it should be (AUTH-40). Null when the app has none. */
export async function askHandler(
  clock: Clock,
  handler: ChallengeHandler,
  challenge: Challenge,
  patienceMs = HANDLER_PATIENCE_MS,
): Promise<string | null> {
  const { userId, signal } = challenge
  const token = await within({ clock, ms: patienceMs, signal }, async (limited) => {
    const asked = Promise.resolve().then(() => handler({ ...challenge, signal: limited }))
    return (await abortable(asked, limited)) ?? null
  }).catch((cause) => {
    throwIfAborted(signal)
    throw handlerFailed(cause)
  })
  if (token === null) return null
  const { prn } = readIdentityToken(token)
  if (userId !== undefined && prn !== userId) throw wrongUser(userId, prn)
  return token
}

export const handlerFailed = (cause: unknown) =>
  new ParleyError('challenge_failed', 'The challenge handler failed.', { cause })

export const wrongUser = (asked: string, got: string) =>
  new ParleyError('wrong_user', `The identity token is for '${got}', not for '${asked}'.`)
