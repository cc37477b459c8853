import {
  conversationId,
  hasPosition,
  type IdentityId,
  identityId,
  isUnread,
  messageId,
  type Part,
  partBytes,
  type RecipientStatus,
  recipientStatus,
  type UserId,
} from '@parley/protocol'
import { type BasicProfile, isActive, type MessageRecord, type Participant } from '../../../model/state.ts'
import { addressOf, iso } from './address.ts'
import { type BasicIdentityView, basicIdentityView } from './identity.ts'

export interface MessageView {
  readonly id: string
  readonly url: string
  readonly receipts_url: string
  readonly position: number
  readonly conversation: { readonly id: string; readonly url: string }
  readonly parts: readonly PartView[]
  readonly sent_at: string
  readonly received_at: string | null
  readonly sender: BasicIdentityView
  readonly is_unread: boolean
  readonly recipient_status: Readonly<Record<IdentityId, RecipientStatus>>
}

export interface PartView {
  readonly id: string
  readonly mime_type: string
  readonly body: string
  readonly encoding: 'base64' | null
  readonly content: null
  readonly size: number
}

export interface MessageSight {
  readonly message: MessageRecord
  readonly sender: BasicProfile
  readonly viewer: Participant
  /** Everybody who ever took part. */
  readonly participants: Iterable<Participant>
}

/** A message as one participant sees it. */
export function messageView(baseUrl: string, sight: MessageSight): MessageView {
  const { message, sender, viewer, participants } = sight
  const id = messageId(message.id)
  const conversation = conversationId(message.conversation)
  const url = addressOf(baseUrl, id)
  return {
    id,
    url,
    receipts_url: `${url}/receipts`,
    position: message.position,
    conversation: { id: conversation, url: addressOf(baseUrl, conversation) },
    parts: message.parts.map((part, index) => partView(id, part, index)),
    sent_at: iso(message.sentAt),
    received_at: receivedAt(message, viewer),
    sender: basicIdentityView(baseUrl, sender),
    is_unread: isUnread(viewer, { position: message.position, isOwn: message.sender === viewer.userId }),
    recipient_status: recipients(message, participants),
  }
}

/** Whether a viewer may see what stands at a position. */
export const isInSight = (viewer: Participant, position: number): boolean =>
  viewer.state !== 'left' && position <= (viewer.lastPosition ?? position) && !hasPosition(viewer.hidden, position)

function partView(message: string, part: Part, index: number): PartView {
  return {
    id: `${message}/parts/${index}`,
    mime_type: part.mime_type,
    body: part.body,
    encoding: part.encoding ?? null,
    content: null,
    size: partBytes(part),
  }
}

/** The log keeps that a message was delivered, not when; nearly always that is the moment it was sent. */
function receivedAt(message: MessageRecord, viewer: Participant): string | null {
  const isReceived = message.sender === viewer.userId || hasPosition(viewer.delivered, message.position)
  return isReceived ? iso(message.sentAt) : null
}

function recipients(
  message: Pick<MessageRecord, 'position' | 'sender'>,
  participants: Iterable<Participant>,
): Record<IdentityId, RecipientStatus> {
  const status: Record<IdentityId, RecipientStatus> = {}
  for (const participant of participants) {
    const one = statusOf(message, participant)
    if (one) status[identityId(participant.userId)] = one
  }
  return status
}

/** How far a message got with a participant; undefined if they took no part when it was sent. */
export function statusOf(
  message: { readonly position: number; readonly sender: UserId },
  participant: Participant,
): RecipientStatus | undefined {
  const isGone = !isActive(participant) && message.position > (participant.lastPosition ?? 0)
  return isGone ? undefined : recipientStatus(participant, message.position, message.sender === participant.userId)
}
