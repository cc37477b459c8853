import type { ConversationItem, Person } from './chat.ts'

/** What a conversation is called on the screen: its title, else who else is in it. */
export function conversationName(conversation: Pick<ConversationItem, 'title' | 'others'>): string {
  if (conversation.title) return conversation.title
  if (conversation.others.length === 0) return 'Just you'
  return listNames(conversation.others.map((person) => person.name))
}

/** "Ben", "Ben and Cleo", "Ben, Cleo and Dana", "Ben, Cleo and 4 others". */
export function listNames(names: readonly string[], most = 3): string {
  if (names.length <= 1) return names[0] ?? ''
  if (names.length <= most) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  return `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} others`
}

/** "Ben is typing…" */
export function typingSentence(names: readonly string[]): string {
  if (names.length === 0) return ''
  return `${listNames(names, 2)} ${names.length === 1 ? 'is' : 'are'} typing…`
}

/** A name for somebody whose app gave none: the user id with a capital. */
export function personName(displayName: string | null | undefined, userId: string): string {
  return displayName?.trim() || userId.charAt(0).toUpperCase() + userId.slice(1)
}

/** One or two letters for a picture that isn't there. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const letters = [words[0], words.length > 1 ? words.at(-1) : undefined].map((word) => [...(word ?? '')][0] ?? '')
  return letters.join('').toUpperCase() || '?'
}

const TINTS = 8

/** The same person has the same tint everywhere. */
export function tint(person: Person): number {
  let hash = 0
  for (const char of person.userId) hash = Math.imul(hash ^ char.codePointAt(0)!, 33)
  return (hash >>> 3) % TINTS
}

/** User ids from what somebody typed: separated by commas, semicolons or spaces. */
export function readUserIds(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))]
}
