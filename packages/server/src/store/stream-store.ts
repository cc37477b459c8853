/**
 * The streams' part of the store: what moved since a cursor, and the rows above a sequence. Devices catch up from it, and
 * servers that are not the only one.
 */
import type { UserId, Uuid } from '@parley/protocol'
import type { MovedPage } from '../model/moved.ts'
import type { AppKey, ConversationRecord, MessageRecord, ParticipantRecord, Profile } from '../model/state.ts'
import type { Cursor } from './cursor.ts'

/** What a device catches up from. */
export interface StreamStore {
  /** The caller's streams that moved after a cursor (all, for 0), and the cursor that makes this answer complete. */
  moved(app: AppKey, userId: UserId, after: Cursor): Promise<MovedStreams>
  /**
   * Rows of a conversation's stream above a sequence, in order, for an active participant; undefined for anybody else.
   * `sequence` is how far the reader is with these rows.
   */
  conversation(
    app: AppKey,
    id: Uuid,
    viewer: UserId,
    after: number,
    limit: number,
  ): Promise<ConversationPage | undefined>
  /**
   * The same of several conversations, with messages written out: a long history is passed on as it is stored, not taken
   * apart and built anew. Answers pages for the first of those asked for: one at least, and no more once one does not reach
   * its end or all of them together are as much as one look should bring (`written-page.ts`).
   * @param room lent for the bytes of the answer, which lie in it as far as they fit; shared memory, so that a store on
   *   another thread need not copy them
   */
  writtenConversations(
    app: AppKey,
    viewer: UserId,
    from: readonly WrittenFrom[],
    limit: number,
    room?: Uint8Array,
  ): Promise<readonly (WrittenPage | undefined)[]>
  inbox(app: AppKey, userId: UserId, after: number, limit: number): Promise<InboxPage>
  /**
   * The newest messages below a position (all, for null), newest first, as far as the viewer may see. Undefined for a
   * stranger.
   */
  messages(
    app: AppKey,
    id: Uuid,
    viewer: UserId,
    before: number | null,
    limit: number,
  ): Promise<MessagePage | undefined>
  /** Active participants in the order they joined; none if there is no such conversation, or no longer. */
  audience(app: AppKey, conversation: Uuid): Promise<readonly UserId[]>
  /**
   * Streams of any app that moved after a cursor, in the order in which they moved, about `limit` of them: for a server
   * that is not the only one and tells its listeners what others committed.
   */
  movedAnywhere(after: Cursor, limit: number): Promise<MovedPage>
  /** Likewise: a conversation's stream above a sequence, as `conversation` gives it, and who hears of it. */
  conversationForAll(app: AppKey, id: Uuid, after: number, limit: number): Promise<PageForAll | undefined>
}

export interface MovedStreams {
  readonly cursor: Cursor
  readonly inbox: number
  readonly isInboxMoved: boolean
  readonly conversations: readonly { readonly id: Uuid; readonly sequence: number }[]
}

export interface ConversationPage {
  readonly rows: readonly StreamRow[]
  readonly sequence: number
  readonly more: boolean
}

export interface PageForAll extends ConversationPage {
  readonly audience: readonly UserId[]
}

/** A conversation, and the sequence above which its rows are wanted. */
export interface WrittenFrom {
  readonly id: Uuid
  readonly after: number
}

export interface WrittenPage {
  readonly rows: readonly (Exclude<StreamRow, { readonly type: 'message' }> | WrittenMessages)[]
  readonly sequence: number
  readonly more: boolean
}

/** Messages that follow each other, as they travel: rows in JSON with commas between them, in UTF-8. */
export interface WrittenMessages {
  readonly type: 'messages'
  readonly bytes: Uint8Array
  /** That of the last one. */
  readonly sequence: number
}

export type StreamRow =
  | { readonly type: 'conversation'; readonly record: ConversationRecord }
  | { readonly type: 'participant'; readonly record: ParticipantRecord; readonly profile: Profile }
  | { readonly type: 'message'; readonly record: MessageRecord }

export interface InboxPage {
  readonly rows: readonly { readonly conversation: Uuid; readonly record: ParticipantRecord }[]
  readonly sequence: number
  readonly more: boolean
}

export interface MessagePage {
  readonly conversation: ConversationRecord
  readonly participants: readonly { readonly record: ParticipantRecord; readonly profile: Profile }[]
  readonly messages: readonly MessageRecord[]
  readonly sequence: number
  readonly headPosition: number
  readonly more: boolean
}
