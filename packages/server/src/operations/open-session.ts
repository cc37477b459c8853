import type { Uuid } from '@parley/protocol'
import { refuse } from '@parley/protocol'
import { newProfile, type ProfileClaims, withClaims } from '../model/profile.ts'
import type { Profile, Session } from '../model/state.ts'
import type { Operation } from './operation.ts'

export interface OpenSession {
  readonly id: Uuid
  readonly tokenHash: string
  readonly expiresAt: number
  readonly claims: ProfileClaims
}

/** Opens a session for the caller, who comes into being with it if they are new. */
export const openSession: Operation<
  OpenSession,
  { readonly session: Session; readonly profile: Profile; readonly isProfileChanged: boolean }
> = {
  name: 'open-session',
  remembered: false,
  reads: (_input, asking) => ({ profiles: [asking.userId] }),
  decide(input, asking, facts) {
    const known = facts.profile(asking.userId)
    if (known?.suspendedAt) return refuse('user_suspended')
    const before = known ?? newProfile(asking.userId, asking.now)
    const profile = withClaims(before, input.claims)
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
        ...(known === profile ? [] : [{ type: 'profile' as const, profile }]),
        { type: 'session', session, tokenHash: input.tokenHash },
      ],
      result: { session, profile, isProfileChanged: known !== undefined && profile !== known },
    }
  },
}
