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

/** The messages, if they are all a change is about, as of nearly all, and go into one frame. */
export function onlyMessages({ move }: Change): readonly MessageRecord[] | undefined {
  const { rows } = move
  if (rows.length === 0 || rows.length > limits.maxRowsPerFrame) return undefined
  const messages: MessageRecord[] = []
  for (const row of rows) {
    if (!('type' in row) || row.type !== 'message') return undefined
    messages.push(row.record)
  }
  return messages
}

/** The frame of a change that is about messages, as text: only their parts need to be written out. */
export function messagesChangeText({ move, cursor }: Change, messages: readonly MessageRecord[]): string {
  let rows = ''
  for (const message of messages) {
    rows += `${rows === '' ? '' : ','}${messageText(message, partsTextOf(message))}`
  }
  return (
    `{"type":"change","stream":"${conversationId(messages[0]!.conversation)}","after":${move.after},` +
    `"sequence":${move.sequence},"cursor":"${cursor}","rows":[${rows}]}`
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
