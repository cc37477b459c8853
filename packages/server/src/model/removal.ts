import type { ConversationRecord, ParticipantRecord } from './state.ts'

interface Sight {
  readonly conversation: ConversationRecord
  readonly participants: readonly { readonly record: ParticipantRecord }[]
  readonly sequence: number
  readonly headPosition: number
}

/**
 * What somebody who was removed may still see: rows as they were when they went (CNV-6). Rows are state, not history,
 * so what changed since is left out: names and receipts of others, and metadata, which nobody wrote for them.
 */
export function asOfRemoval<S extends Sight>(sight: S, own: ParticipantRecord): S {
  const { conversation } = sight
  const end = own.sequence
  return {
    ...sight,
    conversation: conversation.sequence <= end ? conversation : { ...conversation, metadata: {}, sequence: end },
    participants: sight.participants.filter(({ record }) => record.sequence <= end),
    sequence: end,
    headPosition: own.lastPosition ?? sight.headPosition,
  }
}
