import type { ConversationId, ConversationRow, MembershipRow, ParticipantRow } from '@parley/protocol'
import type { Replica, StoredStream } from '../replica/replica.ts'
import { groupBy } from './group-by.ts'

/** What is confirmed of a conversation, except for its messages. */
export interface ConversationRows {
  readonly conversation: ConversationRow | undefined
  readonly participants: readonly ParticipantRow[]
  readonly membership: MembershipRow | undefined
  readonly stream: StoredStream | undefined
}

export async function readConversationRows(replica: Replica, id: ConversationId): Promise<ConversationRows> {
  const [conversation, participants, membership, stream] = await Promise.all([
    replica.get('conversations', [id]),
    replica.scan('participants', { prefix: [id] }),
    replica.get('memberships', [id]),
    replica.get('streams', [id]),
  ])
  return { conversation, participants, membership, stream }
}

/** Of all conversations at once: four reads instead of four for each. */
export async function readAllConversationRows(replica: Replica): Promise<Map<ConversationId, ConversationRows>> {
  const [conversations, participants, memberships, streams] = await Promise.all([
    replica.scan('conversations'),
    replica.scan('participants'),
    replica.scan('memberships'),
    replica.scan('streams'),
  ])
  const people = groupBy(participants, (row) => row.conversation)
  const membershipOf = new Map(memberships.map((row) => [row.conversation, row]))
  const streamOf = new Map(streams.map((row) => [row.stream, row]))
  return new Map(
    conversations.map((conversation) => [
      conversation.id,
      {
        conversation,
        participants: people.get(conversation.id) ?? [],
        membership: membershipOf.get(conversation.id),
        stream: streamOf.get(conversation.id),
      },
    ]),
  )
}
