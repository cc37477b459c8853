import {
  type ConversationId,
  type IdentityId,
  isUnread,
  type MessageId,
  type MessageRow,
  type Part,
  type RecipientStatus,
  recipientStatus,
  type SendMessageResult,
  type WireError,
} from '@parley/protocol'
import type { OutboxEntry } from '../replica/replica.ts'
import type { ConversationState } from './conversation-state.ts'
import { canonicalMessageId } from './effects.ts'
import { type IdentityView, toIdentityView, unknownIdentity } from './identity-view.ts'

export interface MessageView {
  readonly id: MessageId
  readonly conversationId: ConversationId
  /** 1, 2, 3 … within the conversation; null while pending. Pending ones follow the confirmed ones. */
  readonly position: number | null
  readonly sender: IdentityView
  /** By the server's clock; null while pending. */
  readonly sentAt: Date | null
  /** When to say it was written: `sentAt`, or the device's clock while that is null. */
  readonly createdAt: Date
  readonly parts: readonly PartView[]
  /** `failed`: refused for good; it stays until the app retries or discards it. */
  readonly status: 'pending' | 'failed' | 'sent'
  /** Names it in the outbox, for `retry` and `discard`; null once it is sent. */
  readonly operationId: string | null
  /** Why it failed. */
  readonly error: WireError | null
  /** By identity, for everybody who was a participant when it was sent, its sender included. */
  readonly recipientStatus: Readonly<Record<IdentityId, RecipientStatus>>
  /** How many of the other participants have it. */
  readonly deliveryStatus: Extent
  /** How many of the other participants have read it. */
  readonly readStatus: Extent
  readonly isUnread: boolean
  readonly isOwn: boolean
}

export interface PartView {
  readonly mimeType: string
  readonly body: string
  /** `base64` when the body is binary. */
  readonly encoding: 'base64' | null
}

export type Extent = 'none' | 'some' | 'all'

/** A message that is confirmed. */
export function toMessageView(state: ConversationState, message: MessageRow): MessageView {
  const { position } = message
  const isOwn = message.sender === state.self
  const sentAt = new Date(message.sent_at)
  const sender = state.people.get(message.sender)?.identity ?? unknownIdentity(message.sender)
  return {
    id: message.id,
    conversationId: state.id,
    position,
    sender: toIdentityView(sender),
    sentAt,
    createdAt: sentAt,
    parts: message.parts.map(toPartView),
    status: 'sent',
    operationId: null,
    error: null,
    ...receiptsOf(state, position, message.sender),
    isUnread: isUnread(state, { position, isOwn }),
    isOwn,
  }
}

/** A message that is in the outbox: written, acknowledged or refused. */
export function toPendingView(state: ConversationState, entry: OutboxEntry<'send-message'>): MessageView {
  const acknowledged = acknowledgementOf(entry)
  const sentAt = acknowledged ? new Date(acknowledged.sent_at) : null
  const position = acknowledged?.position ?? null
  const sender =
    state.people.get(entry.identity)?.identity ??
    state.participants.find((participant) => participant.id === entry.identity) ??
    unknownIdentity(entry.identity)
  return {
    id: canonicalMessageId(entry.input.id),
    conversationId: state.id,
    position,
    sender: toIdentityView(sender),
    sentAt,
    createdAt: sentAt ?? new Date(entry.createdAt),
    parts: entry.input.parts.map(toPartView),
    status: entry.state.state === 'failed' ? 'failed' : acknowledged ? 'sent' : 'pending',
    operationId: acknowledged ? null : entry.id,
    error: entry.state.state === 'failed' ? entry.state.error : null,
    ...(position === null ? NO_RECEIPTS : receiptsOf(state, position, entry.identity)),
    isUnread: false,
    isOwn: entry.identity === state.self,
  }
}

/** Where the server put the message, if its answer is here before its row. */
export function acknowledgementOf(entry: OutboxEntry<'send-message'>): SendMessageResult | undefined {
  return entry.state.state === 'acknowledged' ? (entry.state.result as unknown as SendMessageResult) : undefined
}

type Receipts = Pick<MessageView, 'recipientStatus' | 'deliveryStatus' | 'readStatus'>

const NO_RECEIPTS: Receipts = { recipientStatus: {}, deliveryStatus: 'none', readStatus: 'none' }

function receiptsOf(state: ConversationState, position: number, sender: IdentityId): Receipts {
  const statuses: Record<IdentityId, RecipientStatus> = {}
  const others: RecipientStatus[] = []
  for (const [id, row] of state.people) {
    const isSelf = id === state.self
    const marks = isSelf ? { absent: row.absent, delivered: state.delivered, read: state.read } : row
    const status = recipientStatus(marks, position, id === sender)
    if (!status) continue
    statuses[id] = status
    // Who has left will never read it; waiting for them would keep a message from ever being read by all.
    if (!isSelf && row.state === 'active') others.push(status)
  }
  return {
    recipientStatus: statuses,
    deliveryStatus: extent(others, (status) => status !== 'sent'),
    readStatus: extent(others, (status) => status === 'read'),
  }
}

function extent(statuses: readonly RecipientStatus[], isReached: (status: RecipientStatus) => boolean): Extent {
  const reached = statuses.filter(isReached).length
  return reached === 0 ? 'none' : reached === statuses.length ? 'all' : 'some'
}

function toPartView(part: {
  readonly mime_type: string
  readonly body: string
  readonly encoding?: Part['encoding'] | null
}): PartView {
  return { mimeType: part.mime_type, body: part.body, encoding: part.encoding ?? null }
}
