/**
 * The log's part of the store: what decisions are made from and what was decided, as rows that are loaded and replaced.
 * Spoken to by the write lane alone.
 */
import type { UserId, Uuid } from '@parley/protocol'
import type { ConversationState } from '../model/conversation-state.ts'
import type { Remembered } from '../model/decision.ts'
import type { AppKey, ConversationRecord, MessageRecord, ParticipantRecord, Profile, Session } from '../model/state.ts'
import type { Cursor, Place } from './cursor.ts'

/** What the write lane needs: load what decisions depend on, commit what they decided. */
export interface LogStore {
  /** The cursor of the last commit; where several write, of the last before which all is settled. */
  lastCursor(): Promise<Cursor>
  /** Each item as of one moment; where several write, not all of them as of the same. */
  load(wanted: Wanted): Promise<Loaded>
  /**
   * All of it or nothing, durable when the promise resolves.
   * @throws MessageExists if a message said to be new is not
   * @throws Stale if somebody else changed what the writer decided from; where there can be one writer only, if the cursor
   *   is not the one after the last, since whoever commits does not know the last commit
   * @throws CommitUnknown if the store went away before it could say what became of the commit
   */
  commit(writes: Writes): Promise<Place>
  /**
   * For a writer that lost against others: does something while nobody else can commit a change of these conversations, or
   * of anything in them. What it loads of them meanwhile is still so when it commits. A store that can have one writer only
   * leaves it out.
   */
  readonly holding?:
    | (<T>(conversations: readonly AppItem<Uuid>[], work: (held: Held) => Promise<T>) => Promise<T>)
    | undefined
  /** Forgets remembered operations and used nonces that nobody can repeat any more. */
  prune(before: { readonly operationsMs: number; readonly noncesMs: number }): Promise<void>
}

/** Conversations that wait for one writer. They do so until it commits or gives up, and for two seconds at most. */
export interface Held {
  /** Those of them that are there, as they are now. */
  readonly revisions: readonly (AppItem<Uuid> & { readonly revision: number })[]
  /** As `commit` of the log; ends the hold, whether it succeeds or not. */
  commit(writes: Writes): Promise<Place>
}

export interface Wanted {
  readonly conversations: readonly AppItem<Uuid>[]
  readonly distinctKeys: readonly AppItem<string>[]
  readonly messages: readonly AppItem<Uuid>[]
  readonly people: readonly AppItem<UserId>[]
  readonly operations: readonly { readonly app: AppKey; readonly userId: UserId; readonly id: Uuid }[]
  readonly nonces: readonly string[]
  readonly sessions: readonly Uuid[]
}

export interface AppItem<T> {
  readonly app: AppKey
  readonly key: T
}

/** Absent things are simply not in the lists. Conversations come for both their ids and the distinct keys asked for. */
export interface Loaded {
  readonly conversations: readonly LoadedConversation[]
  readonly messages: readonly (MessageRecord & { readonly app: AppKey })[]
  readonly people: readonly Person[]
  readonly operations: readonly RememberedOperation[]
  readonly nonces: readonly string[]
  readonly sessions: readonly Session[]
}

export type LoadedConversation = ConstructorParameters<typeof ConversationState>[0]

/** An identity and the head of its inbox. */
export interface Person extends Revised {
  readonly app: AppKey
  readonly profile: Profile
  readonly inboxSequence: number
}

/**
 * How often a conversation (its participants and messages included) or a person was changed by a commit: 1 after the
 * first. A store that can have one writer only need not count, and leaves it out.
 */
export interface Revised {
  readonly revision?: number
}

export interface RememberedOperation extends Remembered {
  readonly app: AppKey
  readonly userId: UserId
  readonly id: Uuid
  readonly at: number
}

/** Rows as they are to be after the commit; each replaces the one of the same key. */
export interface Writes {
  /** The one after the last the writer knows. Where several write, the store gives out numbers itself. */
  readonly cursor: Cursor
  /** What was believed when this was decided; left out by a writer that is the only one. */
  readonly basis?: Basis
  /** When, in Unix milliseconds. */
  readonly at: number
  readonly conversations: readonly ConversationWrite[]
  readonly participants: readonly (ParticipantRecord & { readonly app: AppKey; readonly conversation: Uuid })[]
  readonly messages: readonly (MessageRecord & { readonly app: AppKey; readonly isNew: boolean })[]
  /** Conversations whose messages are to be deleted. */
  readonly purged: readonly AppItem<Uuid>[]
  readonly people: readonly (Person & { readonly isInboxMoved: boolean })[]
  readonly sessions: readonly { readonly session: Session; readonly tokenHash: string | null }[]
  readonly nonces: readonly { readonly hash: string; readonly forgetAt: number }[]
  readonly operations: readonly RememberedOperation[]
}

/**
 * The revision of every conversation and person that the commit changes anything of, as they were before it; 0 for one
 * that is not there. Heads alone would not do: hiding a conversation moves only an inbox, a new profile moves nothing.
 */
export interface Basis {
  readonly conversations: readonly BelievedConversation[]
  readonly people: readonly (AppItem<UserId> & { readonly revision: number })[]
}

export interface BelievedConversation extends AppItem<Uuid> {
  readonly revision: number
  /**
   * On what terms messages are sent there: how often a commit changed more of it than that there are new messages, or that
   * somebody has got or read some. Who may send, and to whom it goes, is the same on the same terms. Loaded with the
   * conversation.
   */
  readonly terms?: number
  /**
   * What the commit does there at most. `messages`: it sends some, and rests on nothing but the terms; if these still hold, it
   * is not refused, whatever revision it has by now, but its messages come after those of others. `marks`: it leaves the
   * terms as they are. Left out: anything.
   */
  readonly change?: 'messages' | 'marks'
}

export interface ConversationWrite {
  readonly app: AppKey
  readonly record: ConversationRecord
  /** True if the record is as it was, and only the rest has moved; a store may then leave it alone. */
  readonly isRecordSame?: boolean
  readonly headSequence: number
  readonly headPosition: number
  readonly lastMessageAt: number
}

/** What of a writer's knowledge is out of date: to be forgotten, loaded and decided upon again. */
export type Outdated = Wanted

/** To be spread into what is wanted or outdated. */
export const NOTHING: Wanted = {
  conversations: [],
  distinctKeys: [],
  messages: [],
  people: [],
  operations: [],
  nonces: [],
  sessions: [],
}
