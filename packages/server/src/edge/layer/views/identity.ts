import { type IdentityId, identityId } from '@parley/protocol'
import type { BasicProfile, Profile } from '../../../model/state.ts'
import { addressOf } from './address.ts'

export interface BasicIdentityView {
  readonly id: IdentityId
  readonly url: string
  readonly user_id: string
  readonly display_name: string | null
  readonly avatar_url: string | null
  readonly identity_type: 'user'
}

export interface IdentityView extends BasicIdentityView {
  readonly type: 'user'
  readonly first_name: string | null
  readonly last_name: string | null
  readonly phone_number: string | null
  readonly email_address: string | null
  readonly public_key: string | null
  readonly metadata: Readonly<Record<string, string>>
}

/** Whoever takes part or sends. Without `metadata`: by its presence alone the SDK tells a full identity. */
export function basicIdentityView(baseUrl: string, profile: BasicProfile): BasicIdentityView {
  const id = identityId(profile.userId)
  return {
    id,
    url: addressOf(baseUrl, id),
    user_id: profile.userId,
    display_name: profile.displayName,
    avatar_url: profile.avatarUrl,
    identity_type: 'user',
  }
}

/** Somebody as those see them who know them. The draft of Layer's API says `type`, the later one `identity_type`. */
export function identityView(baseUrl: string, profile: Profile): IdentityView {
  return {
    ...basicIdentityView(baseUrl, profile),
    type: 'user',
    first_name: profile.firstName,
    last_name: profile.lastName,
    phone_number: profile.phoneNumber,
    email_address: profile.emailAddress,
    public_key: profile.publicKey,
    metadata: profile.metadata,
  }
}

/** Somebody as strangers see them: the shape is whole, what only acquaintances may know is not told. */
export function strangerView(baseUrl: string, profile: Profile): IdentityView {
  const { userId, displayName, avatarUrl, createdAt } = profile
  return identityView(baseUrl, {
    ...{ userId, displayName, avatarUrl, createdAt },
    ...{ firstName: null, lastName: null, phoneNumber: null, emailAddress: null, publicKey: null },
    metadata: {},
    suspendedAt: null,
  })
}
