import type { MessageId, MessageRow } from '@parley/protocol'
import type { Replica } from '../replica/replica.ts'
import { type ConversationState, isVisible } from './conversation-state.ts'
import { canonicalMessageId } from './effects.ts'
import { type MessageView, toMessageView, toPendingView } from './message-view.ts'

/** Rows read at once after the first ones were too few, because some of them were invisible. */
const CHUNK = 64

export interface NewestMessages {
  /** Oldest first. */
  readonly messages: readonly MessageView[]
  readonly hasMore: boolean
}

/** The newest `limit` messages, those in the outbox included. */
export async function readNewest(replica: Replica, state: ConversationState, limit: number): Promise<NewestMessages> {
  // In this order: a message that is confirmed between the two reads is found by both, and not by neither.
  const waiting = await readPending(replica, state, limit + 1)
  const rows = await readNewestRows(replica, state, limit + 1)
  const confirmed = new Set(rows.map(({ id }) => id))
  const pending = waiting.filter(({ id }) => !confirmed.has(id))
  const all = merge(rows.map((row) => toMessageView(state, row)).reverse(), pending)
  return { messages: all.slice(Math.max(0, all.length - limit)), hasMore: all.length > limit }
}

/** Newest first. */
async function readNewestRows(replica: Replica, state: ConversationState, limit: number): Promise<MessageRow[]> {
  const found: MessageRow[] = []
  let to = state.lastPosition ?? Number.MAX_SAFE_INTEGER
  let chunk = limit
  while (found.length < limit && to >= state.firstPosition) {
    const rows = await replica.scan('messages', {
      prefix: [state.id],
      from: state.firstPosition,
      to,
      reverse: true,
      limit: chunk,
    })
    found.push(...rows.filter((row) => isVisible(state, row)))
    if (rows.length < chunk) break
    to = rows.at(-1)!.position - 1
    chunk = CHUNK
  }
  return found.slice(0, limit)
}

/**
 * The newest in the outbox that are not confirmed: once its row is here, a message is that row, whether or not its entry
 * is gone. Oldest first.
 */
async function readPending(replica: Replica, state: ConversationState, limit: number): Promise<MessageView[]> {
  const found: MessageView[] = []
  const { pending } = state
  for (let end = pending.length; end > 0 && found.length < limit; end -= limit) {
    const entries = pending.slice(Math.max(0, end - limit), end)
    const ids = entries.map((entry): [MessageId] => [canonicalMessageId(entry.input.id)])
    const confirmed = await replica.getMany('positions', ids)
    const open = entries.filter((_, i) => !confirmed[i])
    found.unshift(...open.map((entry) => toPendingView(state, entry)))
  }
  return found
}

/** Those with a position by it, then the others in outbox order. */
function merge(confirmed: readonly MessageView[], pending: readonly MessageView[]): readonly MessageView[] {
  if (pending.length === 0) return confirmed
  const placed = pending.filter((message) => message.position !== null)
  const unplaced = pending.filter((message) => message.position === null)
  return [...[...confirmed, ...placed].sort((a, b) => a.position! - b.position!), ...unplaced]
}

/** How many messages there are, those beyond a window included; deleted ones beyond it count until they are reached. */
export async function countMessages(replica: Replica, state: ConversationState): Promise<number> {
  const { firstPosition, lastPosition } = state
  const to = lastPosition ?? Number.MAX_SAFE_INTEGER
  if (to < firstPosition) return 0
  return replica.count('messages', { prefix: [state.id], from: firstPosition, to })
}

/** One message, if it can be seen. */
export async function readMessage(
  replica: Replica,
  state: ConversationState,
  id: MessageId,
): Promise<MessageView | null> {
  const place = await replica.get('positions', [id])
  const row = place?.conversation === state.id ? await replica.get('messages', [state.id, place.position]) : undefined
  if (row) return isVisible(state, row) ? toMessageView(state, row) : null
  const entry = state.pending.find((other) => canonicalMessageId(other.input.id) === id)
  return entry ? toPendingView(state, entry) : null
}
