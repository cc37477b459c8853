/** From what the store keeps to what a Parley client reads. One frame per change, the same for every listener. */
import {
  type BasicIdentity,
  type ChangeFrame,
  type ConversationRow,
  conversationId,
  identityId,
  limits,
  type MembershipRow,
  type MessageRow,
  messageId,
  type ParticipantRow,
  type Row,
  type StreamId,
  toWireError,
  type Uuid,
} from '@parley/protocol'
import type { Change } from '../../delivery/change.ts'
import { isoTime } from '../../model/iso-time.ts'
import { messageText, partsTextOf } from '../../model/message-text.ts'
import type { ConversationRecord, MessageRecord, ParticipantRecord, Profile } from '../../model/state.ts'
import { isActive } from '../../model/state.ts'
import type { Outcome } from '../../operations/lane-request.ts'
import { isSendMessageResult } from '../../operations/send-message.ts'
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

/** A change, in one frame or, if many rows moved, in several that follow each other as changes do. */
export function changeFrames({ move, cursor: told }: Change): ChangeFrame[] {
  const stream: StreamId = move.stream === 'inbox' ? 'inbox' : conversationId(move.conversation.id)
  const rows =
    move.stream === 'inbox'
      ? move.rows.map(({ conversation, record }) => membershipRow(conversation, record))
      : move.rows.map(streamRow)
  const cursor = String(told)
  const frames: ChangeFrame[] = []
  let { after } = move
  for (let at = 0; at === 0 || at < rows.length; at += limits.maxRowsPerFrame) {
    const some = rows.slice(at, at + limits.maxRowsPerFrame)
    const isLast = at + some.length === rows.length
    const sequence = isLast ? move.sequence : some[some.length - 1]!.sequence
    frames.push({ type: 'change', stream, after, sequence, cursor, rows: some })
    after = sequence
  }
  return frames
}

/** The message, if that is all a change is about, as nearly all are. */
export function onlyMessage({ move }: Change): MessageRecord | undefined {
  const [row] = move.rows
  return move.rows.length === 1 && row && 'type' in row && row.type === 'message' ? row.record : undefined
}

/** The frame of a change that is about one message, as text: only the parts need to be written out. */
export function messageChangeText({ move, cursor }: Change, record: MessageRecord): string {
  return (
    `{"type":"change","stream":"${conversationId(record.conversation)}","after":${move.after},` +
    `"sequence":${move.sequence},"cursor":"${cursor}",` +
    `"rows":[${messageText(record, partsTextOf(record))}]}`
  )
}

const BUSY = JSON.stringify(toWireError({ id: 'service_unavailable' }))

/** Tells an operation when to come back. The cheapest of answers, since it is given when there is no time. */
export const busyText = (id: Uuid, retryAfterMs: number): string =>
  `{"type":"acknowledgement","id":"${id}","refusal":${BUSY},"retry_after_ms":${retryAfterMs}}`

/** The acknowledgement of an operation that was carried out, as text. */
export function acknowledgementText(id: Uuid, done: Exclude<Outcome, { readonly refusal: unknown }>): string {
  const stream = done.stream === 'inbox' ? 'inbox' : conversationId(done.stream)
  return (
    `{"type":"acknowledgement","id":"${id}","result":${resultText(done.result)},` +
    `"stream":"${stream}","sequence":${done.sequence}}`
  )
}

/** Of nearly all operations it is a message's place, of which nothing needs escaping. */
function resultText(result: unknown): string {
  if (!isSendMessageResult(result)) return JSON.stringify(result)
  return `{"position":${result.position},"sent_at":"${result.sent_at}"}`
}
