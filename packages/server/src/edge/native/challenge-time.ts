/** At most this long before its end a session is challenged. */
const LONGEST_LEAD_MS = 5 * 60_000
/** The part of a session's life that is left for obtaining a new token. */
const LEAD_PART = 0.3

/**
 * When to ask for a new identity token: early enough that a slow authentication service can still answer, several
 * times if need be, and not much earlier.
 */
export function challengeAt(session: { readonly expiresAt: number }, nowMs: number): number {
  const left = session.expiresAt - nowMs
  return session.expiresAt - Math.min(LONGEST_LEAD_MS, left * LEAD_PART)
}
