import type { Uuid } from '@parley/protocol'
import { newProfile, type ProfileClaims, withClaims } from '../model/profile.ts'
import type { Profile, Session } from '../model/state.ts'
import { shownIn } from './announce-profile.ts'
import type { Operation } from './operation.ts'
import { spendNonce, type UseNonce } from './use-nonce.ts'

export interface OpenSession {
  readonly id: Uuid
  readonly tokenHash: string
  readonly expiresAt: number
  readonly claims: ProfileClaims
  /**
   * Conversations in which a changed profile is shown, in the same commit: told later, it might never be. Undefined as
   * long as nobody knows that it changed, which is nearly always.
   */
  readonly showIn?: readonly Uuid[] | undefined
  /** What the identity token answers; spent with the session that it opens. */
  readonly nonce: UseNonce
  /** Whether the store says that the user is suspended, whatever the lane remembers of them. */
  readonly isSuspended: boolean
}

export type SessionOpening =
  | { readonly state: 'opened'; readonly session: Session; readonly profile: Profile }
  /** Nothing was done: ask again, and say where to show the change. */
  | { readonly state: 'profile-changed' }
  /** Nothing was done: somebody used the nonce before, or it never was one of ours. */
  | { readonly state: 'nonce-not-found' }
  /** The nonce is spent all the same. */
  | { readonly state: 'suspended' }

/**
 * Opens a session for the caller, who comes into being with it if they are new, and spends the nonce in the same commit:
 * one without the other is never seen.
 */
export const openSession: Operation<OpenSession, SessionOpening> = {
  name: 'open-session',
  remembered: false,
  toleratesSuspension: true,
  reads: (input, asking) => ({
    nonces: [input.nonce.nonceHash],
    profiles: [asking.userId],
    conversations: input.showIn ?? [],
  }),
  decide(input, asking, facts) {
    const spent = spendNonce(input.nonce, facts)
    if (!spent) return { facts: [], result: { state: 'nonce-not-found' } }
    const known = facts.profile(asking.userId)
    if (input.isSuspended || known?.suspendedAt) return { facts: [spent], result: { state: 'suspended' } }
    const before = known ?? newProfile(asking.userId, asking.now)
    const profile = withClaims(before, input.claims)
    const isChanged = known !== undefined && profile !== known
    if (isChanged && !input.showIn) return { facts: [], result: { state: 'profile-changed' } }
    const session: Session = {
      id: input.id,
      app: asking.app,
      userId: asking.userId,
      createdAt: asking.now,
      expiresAt: input.expiresAt,
      endedAt: null,
    }
    return {
      facts: [
        spent,
        ...(known === profile ? [] : [{ type: 'profile' as const, profile }]),
        { type: 'session', session, tokenHash: input.tokenHash },
        ...(isChanged ? (input.showIn ?? []) : []).flatMap((id) => shownIn(id, asking, facts)),
      ],
      result: { state: 'opened', session, profile },
    }
  },
}
