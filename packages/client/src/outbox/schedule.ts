import type { ConversationId } from '@parley/protocol'
import type { Summary } from './summary.ts'

export interface Sending {
  readonly entry: Summary
  /** The entry before it in its conversation that is still under way (OPR-5). */
  readonly after: string | undefined
}

export interface Circumstances {
  readonly isUnderWay: (id: string) => boolean
  /** Is being given up, which may come to nothing: it is not sent, and nothing overtakes it. */
  readonly leaving: string | undefined
  /** Quiet entries go in gusts. */
  readonly isQuietTime: boolean
  /** How many more may be under way. */
  readonly room: number
}

/**
 * Which entries go next: the oldest first, and within a conversation nothing overtakes. Conversations do not wait for
 * each other. What follows a create waits for its answer, because the answer may name another conversation (DIST-3).
 */
export function nextToSend(entries: readonly Summary[], circumstances: Circumstances): Sending[] {
  const { isUnderWay, leaving, isQuietTime, room } = circumstances
  const sendings: Sending[] = []
  const last = new Map<ConversationId, string>()
  const closed = new Set<ConversationId>()
  const marking = new Set<ConversationId>()
  for (const entry of entries) {
    const { conversation, id } = entry
    if (sendings.length >= room) break
    if (entry.state !== 'waiting') continue
    if (id === leaving) closed.add(conversation)
    if (closed.has(conversation)) continue
    if (isUnderWay(id)) {
      last.set(conversation, id)
      if (entry.isQuiet) marking.add(conversation)
    } else if (entry.isQuiet && (isQuietTime || marking.has(conversation))) {
      continue
    } else {
      sendings.push({ entry, after: last.get(conversation) })
      last.set(conversation, id)
      if (entry.isQuiet) marking.add(conversation)
    }
    if (entry.name === 'create-conversation') closed.add(conversation)
  }
  return sendings
}
