import { type BasicIdentity, type IdentityId, parseIdentityId } from '@parley/protocol'

/** A person or program as an app shows it. */
export interface IdentityView {
  readonly id: IdentityId
  /** The app's own name for them. */
  readonly userId: string
  readonly displayName: string | null
  readonly avatarUrl: string | null
}

export function toIdentityView(identity: BasicIdentity): IdentityView {
  return {
    id: identity.id,
    userId: identity.user_id,
    displayName: identity.display_name,
    avatarUrl: identity.avatar_url,
  }
}

/** Somebody of whom only the id is known as yet. */
export function unknownIdentity(id: IdentityId): BasicIdentity {
  return { id, user_id: parseIdentityId(id, { allowBare: true }) ?? id, display_name: null, avatar_url: null }
}
