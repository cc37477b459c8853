import type { Shift, Writes } from '../store.ts'
import { keyOf, type Tables } from './tables.ts'

/** Writes with the messages that they send after those that others sent meanwhile, and where these came to lie elsewhere. */
export function afterOthers(
  tables: Tables,
  writes: Writes,
): { readonly shifted: readonly Shift[]; readonly moved: Writes } {
  const shifted = shiftsOf(tables, writes)
  if (shifted.length === 0) return { shifted, moved: writes }
  const byName = new Map(shifted.map((shift) => [keyOf(shift.app, shift.key), shift]))
  const moved = {
    ...writes,
    conversations: writes.conversations.map((heads) => {
      const shift = byName.get(keyOf(heads.app, heads.record.id))
      if (!shift) return heads
      return {
        ...heads,
        headSequence: heads.headSequence + shift.sequences,
        headPosition: heads.headPosition + shift.positions,
        lastMessageAt: shift.sentAt,
      }
    }),
    messages: writes.messages.map((message) => {
      const shift = byName.get(keyOf(message.app, message.conversation))
      if (!shift) return message
      return {
        ...message,
        position: message.position + shift.positions,
        sequence: message.sequence + shift.sequences,
        firstSequence: message.firstSequence + shift.sequences,
        sentAt: shift.sentAt,
      }
    }),
  }
  return { shifted, moved }
}

function shiftsOf(tables: Tables, { basis, conversations, messages }: Writes): Shift[] {
  const sent = new Map<string, number>()
  for (const { app, conversation } of messages) {
    const name = keyOf(app, conversation)
    sent.set(name, (sent.get(name) ?? 0) + 1)
  }
  const heads = new Map(conversations.map((one) => [keyOf(one.app, one.record.id), one]))
  return (basis?.conversations ?? []).flatMap(({ app, key, revision, change }) => {
    const name = keyOf(app, key)
    const entry = tables.conversations.get(name)
    const planned = heads.get(name)
    const count = sent.get(name) ?? 0
    if (change !== 'messages' || !entry || !planned || entry.revision === revision) return []
    return {
      app,
      key,
      sequences: entry.headSequence + count - planned.headSequence,
      positions: entry.headPosition + count - planned.headPosition,
      sentAt: Math.max(entry.lastMessageAt, planned.lastMessageAt),
      revision: entry.revision + 1,
    }
  })
}
