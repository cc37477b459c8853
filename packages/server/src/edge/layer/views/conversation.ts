import { conversationId, type Metadata } from '@parley/protocol'
import {
  type Conversation,
  isActive,
  type MessageRecord,
  type Participant,
  type Profile,
} from '../../../model/state.ts'
import type { ConversationView as StoredView } from '../../../store/store.ts'
import { addressOf, iso } from './address.ts'
import { type BasicIdentityView, basicIdentityView } from './identity.ts'
import { type MessageView, messageView } from './message.ts'

export interface ConversationView {
  readonly id: string
  readonly url: string
  readonly messages_url: string
  readonly created_at: string
  readonly participants: readonly BasicIdentityView[]
  readonly distinct: boolean
  readonly metadata: Metadata
  readonly unread_message_count: number
  readonly total_message_count: number
  readonly last_message: MessageView | null
}

export interface ConversationSight {
  readonly record: Conversation
  readonly viewer: Participant
  /** Everybody who ever took part, in the order they joined. */
  readonly participants: readonly { readonly record: Participant; readonly profile: Profile }[]
  readonly lastMessage: MessageRecord | null
  readonly unreadCount: number
  readonly totalCount: number
}

/** A conversation as one of those sees it who take part or took part. */
export function conversationView(baseUrl: string, sight: ConversationSight): ConversationView {
  const { record, viewer, participants, lastMessage } = sight
  const id = conversationId(record.id)
  const url = addressOf(baseUrl, id)
  // Whoever was removed sees nobody in it; that is how Layer's clients know.
  const shown = isActive(viewer) ? participants.filter((participant) => isActive(participant.record)) : []
  return {
    id,
    url,
    messages_url: `${url}/messages`,
    created_at: iso(record.createdAt),
    participants: shown.map(({ profile }) => basicIdentityView(baseUrl, profile)),
    distinct: record.distinctKey !== null,
    metadata: record.metadata,
    unread_message_count: sight.unreadCount,
    total_message_count: sight.totalCount,
    last_message: lastMessage && messageIn(baseUrl, sight, lastMessage),
  }
}

/** One of its messages, as the same person sees it. */
export function messageIn(
  baseUrl: string,
  sight: Pick<ConversationSight, 'viewer' | 'participants'>,
  message: MessageRecord,
): MessageView {
  const sender = sight.participants.find(({ record }) => record.userId === message.sender)
  if (!sender) throw new Error(`Message ${message.id} is of somebody who never took part.`)
  return messageView(baseUrl, {
    message,
    sender: sender.profile,
    viewer: sight.viewer,
    participants: sight.participants.map(({ record }) => record),
  })
}

/** From what the store answers for a viewer. */
export const toSight = (stored: StoredView): ConversationSight => ({ ...stored, viewer: stored.own })
