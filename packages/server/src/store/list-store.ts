/** The lists' part of the store: conversations, messages and people as somebody sees them, one by one and in pages. */
import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey, ConversationRecord, MessageRecord, ParticipantRecord, Profile } from '../model/state.ts'

/** A conversation as one of its participants sees it. */
export interface ConversationView {
  readonly record: ConversationRecord
  /** The stream's sequence: the view holds everything up to it. */
  readonly headSequence: number
  readonly headPosition: number
  readonly lastMessageAt: number
  readonly own: ParticipantRecord
  readonly participants: readonly { readonly record: ParticipantRecord; readonly profile: Profile }[]
  readonly lastMessage: MessageRecord | null
  readonly unreadCount: number
  /** Messages the viewer can see. */
  readonly totalCount: number
}

/** What lists and single look-ups of the REST APIs need. */
export interface ListStore {
  conversation(app: AppKey, id: Uuid, viewer: UserId): Promise<ConversationView | undefined>
  /**
   * The viewer's conversations, newest first; `from` names the last one of the page before, which may be gone by now.
   */
  conversations(
    app: AppKey,
    viewer: UserId,
    page: { readonly sortBy: 'created_at' | 'last_message'; readonly from: Uuid | null; readonly limit: number },
  ): Promise<{ readonly total: number; readonly items: readonly ConversationView[] }>
  /** Messages the viewer can see, newest first. */
  messages(
    app: AppKey,
    conversation: Uuid,
    viewer: UserId,
    page: { readonly from: Uuid | null; readonly limit: number },
  ): Promise<{ readonly total: number; readonly items: readonly MessageRecord[] } | undefined>
  message(app: AppKey, id: Uuid): Promise<MessageRecord | undefined>
  /** Conversations the viewer ever took part in of which anything changed since a time; the longest quiet first. */
  movedSince(app: AppKey, viewer: UserId, sinceMs: number): Promise<readonly MovedConversation[]>
  /**
   * Messages of a conversation sent or deleted since a time, above a position, oldest first, as far as the viewer may
   * see. Tombstones are among them, for whoever saw the message before.
   */
  messagesSince(
    app: AppKey,
    conversation: Uuid,
    viewer: UserId,
    sinceMs: number,
    page: { readonly above: number; readonly limit: number },
  ): Promise<readonly MessageRecord[]>
  profile(app: AppKey, userId: UserId): Promise<Profile | undefined>
  /** Everybody the viewer ever shared a conversation with, newest first. */
  acquaintances(
    app: AppKey,
    viewer: UserId,
    page: { readonly from: UserId | null; readonly limit: number },
  ): Promise<{ readonly total: number; readonly items: readonly Profile[] }>
  /** Whether two people ever shared a conversation. */
  areAcquainted(app: AppKey, a: UserId, b: UserId): Promise<boolean>
  /** Ids of the conversations in which somebody takes part. */
  conversationsOf(app: AppKey, userId: UserId): Promise<readonly Uuid[]>
}

export interface MovedConversation {
  readonly id: Uuid
  readonly deletedAt: number | null
  readonly own: ParticipantRecord
}
