import type { UserId } from '@parley/protocol'
import type { Profile } from './state.ts'

/** What is known of somebody who was only ever named. */
export function newProfile(userId: UserId, now: number): Profile {
  return {
    userId,
    displayName: null,
    avatarUrl: null,
    firstName: null,
    lastName: null,
    emailAddress: null,
    phoneNumber: null,
    publicKey: null,
    metadata: {},
    createdAt: now,
    suspendedAt: null,
  }
}

/** Profile claims an identity token may carry. */
export interface ProfileClaims {
  readonly displayName?: string | undefined
  readonly avatarUrl?: string | undefined
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
  readonly publicKey?: string | undefined
}

/** Takes over what the claims name; the same object if nothing changes. */
export function withClaims(profile: Profile, claims: ProfileClaims): Profile {
  const named = Object.entries(claims).filter(([, value]) => value !== undefined)
  const isChanged = named.some(([name, value]) => profile[name as keyof ProfileClaims] !== value)
  return isChanged ? { ...profile, ...Object.fromEntries(named) } : profile
}
