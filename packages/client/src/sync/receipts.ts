import { hasPosition, type IdentityId, type MessageRow, type ParticipantRow } from '@parley/protocol'
import type { StoredStream } from '../replica/replica.ts'

/** What decides whether this device tells others that messages arrived. */
export interface Arrival {
  readonly stream: StoredStream
  /** The reader's own participant row, as it is with what just arrived. */
  readonly me: ParticipantRow | undefined
  /** The newest messages there are, in any order. */
  readonly newest: readonly MessageRow[]
}

/**
 * Up to which position to say *delivered*; undefined if there is nothing to say. Only where everything below is here
 * as well (a receipt is a watermark), not for one's own messages, and not for what some device of ours has marked.
 */
export function deliveryDue({ stream, me, newest }: Arrival): number | undefined {
  if (me?.state !== 'active' || stream.sequence < stream.head) return undefined
  const position = newestOfOthers(newest, me.identity.id)
  if (position === 0 || hasPosition(me.delivered, position)) return undefined
  const isUnbroken = stream.complete || (stream.oldest !== null && stream.oldest <= firstMissing(me))
  return isUnbroken ? position : undefined
}

function newestOfOthers(messages: readonly MessageRow[], me: IdentityId): number {
  return messages.reduce((newest, row) => (row.sender === me ? newest : Math.max(newest, row.position)), 0)
}

function firstMissing({ delivered }: ParticipantRow): number {
  return delivered[0] === 1 ? delivered[1]! + 1 : 1
}
