import type { Person } from '../model/chat.ts'
import { initials, tint } from '../model/names.ts'

export type AvatarSize = 'small' | 'medium' | 'large'

export function Avatar({ person, size = 'large' }: { person: Person; size?: AvatarSize }) {
  return (
    <span className={`avatar ${size} tint-${tint(person)}`} aria-hidden="true">
      {initials(person.name)}
    </span>
  )
}

/** One picture for a conversation: the other person, or two of the others. */
export function ConversationAvatar({ others, size = 'large' }: { others: readonly Person[]; size?: AvatarSize }) {
  const [first, second] = others
  if (!first) return <Avatar person={nobody} size={size} />
  if (!second) return <Avatar person={first} size={size} />
  return (
    <span className={`avatar-pair ${size}`} aria-hidden="true">
      <Avatar person={second} size="small" />
      <Avatar person={first} size="small" />
    </span>
  )
}

const nobody: Person = { id: '', userId: '', name: '·' }
