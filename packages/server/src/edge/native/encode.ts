/** From what the store keeps to what a Parley client reads. One frame per change, the same for every listener. */
import {
  type BasicIdentity,
  type ChangeFrame,
  type ConversationRow,
  conversationId,
  identityId,
  type MembershipRow,
  type MessageRow,
  messageId,
  type ParticipantRow,
  type Row,
  type StreamId,
  type Uuid,
} from '@parley/protocol'
import type { Change } from '../../delivery/change.ts'
import { isoTime } from '../../model/iso-time.ts'
import type { ConversationRecord, MessageRecord, ParticipantRecord, Profile } from '../../model/state.ts'
import { isActive } from '../../model/state.ts'
import type { Outcome } from '../../operations/lane.ts'
import type { StreamRow } from '../../store/store.ts'

export const basicIdentity = (profile: Profile): BasicIdentity => ({
  id: identityId(profile.userId),
  user_id: profile.userId,
  display_name: profile.displayName,
  avatar_url: profile.avatarUrl,
})

export const conversationRow = (record: ConversationRecord): ConversationRow => ({
  type: 'conversation',
  sequence: record.sequence,
  id: conversationId(record.id),
  created_at: isoTime(record.createdAt),
  distinct: record.distinctKey !== null,
  metadata: record.metadata,
  deleted_at: record.deletedAt === null ? null : isoTime(record.deletedAt),
})

export const participantRow = (record: ParticipantRecord, profile: Profile): ParticipantRow => ({
  type: 'participant',
  sequence: record.sequence,
  identity: basicIdentity(profile),
  state: isActive(record) ? 'active' : 'left',
  joined_at: isoTime(record.joinedAt),
  absent: record.absent,
  delivered: record.delivered,
  read: record.read,
})

export const messageRow = (record: MessageRecord): MessageRow => ({
  type: 'message',
  sequence: record.sequence,
  id: messageId(record.id),
  position: record.position,
  sender: identityId(record.sender),
  sent_at: isoTime(record.sentAt),
  parts: record.parts,
  deleted_at: record.deletedAt === null ? null : isoTime(record.deletedAt),
})

export const membershipRow = (conversation: Uuid, record: ParticipantRecord): MembershipRow => ({
  type: 'membership',
  sequence: record.inboxSequence,
  conversation: conversationId(conversation),
  state: record.state,
  hidden: record.hidden,
  last_position: record.lastPosition,
})

export function streamRow(row: StreamRow): Row {
  switch (row.type) {
    case 'conversation':
      return conversationRow(row.record)
    case 'participant':
      return participantRow(row.record, row.profile)
    case 'message':
      return messageRow(row.record)
  }
}

export function changeFrame({ move, committed }: Change): ChangeFrame {
  const stream: StreamId = move.stream === 'inbox' ? 'inbox' : conversationId(move.conversation.id)
  const rows =
    move.stream === 'inbox'
      ? move.rows.map(({ conversation, record }) => membershipRow(conversation, record))
      : move.rows.map(streamRow)
  return { type: 'change', stream, after: move.after, sequence: move.sequence, cursor: String(committed.settled), rows }
}

/** The same frame as text. Of a single message, which nearly all changes are, only the parts need to be written out. */
export function changeText(change: Change): string {
  const { move, committed } = change
  const [row] = move.rows
  if (move.stream === 'inbox' || move.rows.length !== 1 || !row || !('type' in row) || row.type !== 'message') {
    return JSON.stringify(changeFrame(change))
  }
  const { record } = row
  const deletedAt = record.deletedAt === null ? 'null' : `"${isoTime(record.deletedAt)}"`
  return (
    `{"type":"change","stream":"${conversationId(move.conversation.id)}","after":${move.after},` +
    `"sequence":${move.sequence},"cursor":"${committed.settled}","rows":[{"type":"message",` +
    `"sequence":${record.sequence},"id":"${messageId(record.id)}","position":${record.position},` +
    `"sender":"${identityId(record.sender)}","sent_at":"${isoTime(record.sentAt)}",` +
    `"parts":${JSON.stringify(record.parts)},"deleted_at":${deletedAt}}]}`
  )
}

/** The acknowledgement of an operation that was carried out, as text. */
export function acknowledgementText(id: Uuid, done: Exclude<Outcome, { readonly refusal: unknown }>): string {
  const stream = done.stream === 'inbox' ? 'inbox' : conversationId(done.stream)
  return (
    `{"type":"acknowledgement","id":"${id}","result":${JSON.stringify(done.result)},` +
    `"stream":"${stream}","sequence":${done.sequence}}`
  )
}
