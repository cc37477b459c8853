import type { ConversationId, Metadata } from '@parley/protocol'
import type { ConversationState } from './conversation-state.ts'
import { type IdentityView, toIdentityView } from './identity-view.ts'
import type { MessageView } from './message-view.ts'

export interface ConversationView {
  readonly id: ConversationId
  /** By the server's clock; null while it is only in the outbox. */
  readonly createdAt: Date | null
  /** Who takes part now, oneself included, in the order they joined. */
  readonly participants: readonly IdentityView[]
  readonly participantCount: number
  readonly distinct: boolean
  readonly metadata: Metadata
  readonly lastMessage: MessageView | null
  /** Messages by others on this device that I have not read; while `history` is partial there may be more to come. */
  readonly unreadCount: number
  /** `pending`: only in the outbox. `removed`: by somebody else; readable, nothing more. */
  readonly state: 'pending' | 'synced' | 'removed'
  /** Whether all its messages are on the device, down to the first. */
  readonly history: 'complete' | 'partial'
  /** Deleted for all; queries don't find it any more. */
  readonly isDeleted: boolean
}

export function toConversationView(
  state: ConversationState,
  messages: { readonly lastMessage: MessageView | null; readonly unreadCount: number },
): ConversationView {
  return {
    id: state.id,
    createdAt: state.createdAt === null ? null : new Date(state.createdAt),
    participants: state.participants.map(toIdentityView),
    participantCount: state.participants.length,
    distinct: state.distinct,
    metadata: state.metadata,
    lastMessage: messages.lastMessage,
    unreadCount: messages.unreadCount,
    state: state.state,
    history: state.history,
    isDeleted: state.isDeleted,
  }
}

/** Whether queries find it. */
export function isShown(state: ConversationState, lastMessage: MessageView | null): boolean {
  return state.presence === 'shown' || (state.presence === 'with-messages' && lastMessage !== null)
}

/** What conversations are sorted by; greater is newer. */
export interface SortKeys {
  readonly lastMessage: number
  readonly createdAt: number
}

/** Beyond every date: what waits in the outbox is newer than whatever the server has confirmed. */
const TOP = 8.64e15

export function sortKeys(state: ConversationState, view: ConversationView): SortKeys {
  const createdAt = view.createdAt?.getTime() ?? (state.createdOrder === null ? 0 : TOP + state.createdOrder)
  const { lastMessage } = view
  if (!lastMessage) return { createdAt, lastMessage: createdAt }
  const waiting = state.pending.findLast((entry) => entry.state.state === 'waiting')
  // A message that failed long ago stays last in its conversation, but doesn't hold it on top of the list.
  return { createdAt, lastMessage: waiting ? TOP + waiting.order : lastMessage.createdAt.getTime() }
}
