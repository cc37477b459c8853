import type { UserId } from '@parley/protocol'
import { newProfile } from '../model/profile.ts'
import type { Operation } from './operation.ts'

export interface SuspendUser {
  readonly userId: UserId
  /** Since when; null lets them come back. */
  readonly suspendedAt: number | null
}

/** Suspends somebody, or ends it. Whoever was never seen is suspended before they come. */
export const suspendUser: Operation<SuspendUser, Record<string, never>> = {
  name: 'suspend-user',
  remembered: false,
  reads: ({ userId }) => ({ profiles: [userId] }),
  decide({ userId, suspendedAt }, asking, facts) {
    const profile = facts.profile(userId) ?? newProfile(userId, asking.now)
    const isSo = (profile.suspendedAt === null) === (suspendedAt === null)
    return { facts: isSo ? [] : [{ type: 'profile', profile: { ...profile, suspendedAt } }], result: {} }
  },
}
