/**
 * The store: the truth. Adapters keep rows and answer reads; what rows mean is decided above. Every method is one
 * consistent look or one atomic change.
 */
import type { ErrorId, UserId, Uuid } from '@parley/protocol'
import type { ConversationState } from '../model/conversation-state.ts'
import type { Remembered } from '../model/decision.ts'
import type { MovedPage } from '../model/moved.ts'
import type { AppKey, ConversationRecord, MessageRecord, ParticipantRecord, Profile, Session } from '../model/state.ts'

export interface Store {
  /** Names this log; a store restored from a backup gets another name, and clients compare everything. */
  readonly epoch: string
  /** True if one process alone serves it: what its writer remembers is how it is. False if several may. */
  readonly hasOneWriter?: boolean
  readonly log: LogStore
  readonly streams: StreamStore
  readonly lists: ListStore
  readonly apps: AppStore
  /** Only of a store that several processes may serve; where there is one, all work is its own. */
  readonly claims?: ClaimStore
  /** Resolves, if ever, when this process can use the store no more, however long it waits. An outage is not that. */
  readonly lost?: Promise<StoreLoss>
  /** How long each of the store's own threads was busy so far; only of a store that has threads. */
  readonly threads?: () => readonly { readonly name: string; readonly busySeconds: number }[]
  close(): Promise<void>
}

/** Why a store is lost to a process. */
export interface StoreLoss {
  /** For anybody who asks. */
  readonly sentence: string
  /** For the log. */
  readonly cause?: unknown
  /** What helps: the same server started anew, or only a person who mends the store. */
  readonly remedy: 'restart' | 'repair'
}

/**
 * A number that rises with every commit. Where several processes write, numbers may become visible in another order than
 * theirs: what a reader may go by is the cursor that comes with an answer, never one of its own making.
 */
export type Cursor = number

/** Where a commit stands in the log. */
export interface Place {
  /** The commit's own number: what it moved is found by `moved` after any lower cursor. */
  readonly cursor: Cursor
  /** Nothing up to this cursor can still be committed: whoever has heard of all of it may keep it. Below `cursor`. */
  readonly settled: Cursor
}

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
  readonly revisions: Basis['conversations']
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
  readonly conversations: readonly (AppItem<Uuid> & { readonly revision: number })[]
  readonly people: readonly (AppItem<UserId> & { readonly revision: number })[]
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

/** Which process does what only one of them need do. */
export interface ClaimStore {
  /**
   * Claims a piece of work for so long, by the store's clock, or holds on to it. Answers whether it is the holder's until
   * then: not if it is somebody else's. Whoever is away for longer loses it and may not know, so it is for work that may be
   * done twice.
   * @param ms 0 gives it up
   */
  claim(work: string, holder: string, ms: number): Promise<boolean>
}

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

export interface App {
  readonly key: AppKey
  readonly id: Uuid
  readonly environment: 'staging' | 'production'
  readonly name: string
  /** How long sessions last; null: as long as the identity token that opened them. */
  readonly sessionSeconds: number | null
  /** Pages of which origins may open sockets; null: any. */
  readonly allowedOrigins: readonly string[] | null
  readonly createdAt: number
  readonly suspendedAt: number | null
}

export interface Provider {
  readonly id: Uuid
  readonly app: AppKey
  /** Where the provider publishes its keys, if it does. */
  readonly jwksUrl: string | null
}

export interface ProviderKey {
  /** As tokens name it: a UUID for registered keys, any text for keys from a JWKS address. */
  readonly id: string
  readonly provider: Uuid
  readonly algorithm: 'RS256' | 'ES256' | 'EdDSA'
  readonly publicJwk: Readonly<Record<string, unknown>>
  readonly state: 'active' | 'disabled' | 'deleted'
  readonly createdAt: number
}

export interface RegisteredKey {
  readonly key: ProviderKey
  readonly provider: Provider
}

export interface SignInFacts {
  readonly app: App
  /** The key of that id, if it is registered anywhere. */
  readonly registered: RegisteredKey | undefined
  readonly isSuspended: boolean
}

/** Apps, providers, keys and sessions: small, read often, written by administration and sign-in. */
export interface AppStore {
  /** A secret of the store, made once; the key of nonces. */
  secret(): Promise<string>
  create(app: App, provider: Provider, key: ProviderKey | null): Promise<void>
  all(): Promise<readonly App[]>
  byId(id: Uuid): Promise<App | undefined>
  byKey(key: AppKey): Promise<App | undefined>
  provider(id: Uuid): Promise<Provider | undefined>
  providersOf(app: AppKey): Promise<readonly Provider[]>
  key(id: string): Promise<ProviderKey | undefined>
  /**
   * All that a sign-in asks for, in one look; undefined if there is no such app.
   * @param named what the token names, as far as it names anything
   */
  forSignIn(appId: Uuid, named?: { readonly keyId: string; readonly userId: string }): Promise<SignInFacts | undefined>
  keysOf(provider: Uuid): Promise<readonly ProviderKey[]>
  /** Replaces what may change about an app: its name, the length of its sessions, its origins, whether it is suspended. */
  putApp(app: App): Promise<void>
  putProvider(provider: Provider): Promise<void>
  putKey(key: ProviderKey): Promise<void>
  session(tokenHash: string): Promise<Session | undefined>
  /** Sessions that ended after a time; for processes that did not end them. */
  endedSince(sinceMs: number): Promise<readonly { readonly id: Uuid }[]>
  liveSessionsOf(app: AppKey, userId: UserId): Promise<readonly Session[]>
  /** Ends all live sessions of an identity, from whichever process. Answers how many. */
  endSessionsOf(app: AppKey, userId: UserId, atMs: number): Promise<number>
  /** Likewise of everybody in an app. */
  endSessionsOfApp(app: AppKey, atMs: number): Promise<number>
}

/** A commit was refused whole because the id of a new message is taken: somebody repeats what was done before. */
export class MessageExists extends Error {
  override readonly name = 'MessageExists'
}

/** What of a writer's knowledge is out of date: to be forgotten, loaded and decided upon again. */
export type Outdated = Wanted

/** A commit was refused whole because somebody else changed what it rests on. */
export class Stale extends Error {
  override readonly name = 'Stale'
  readonly outdated: Outdated
  /** @param outdated whatever it is, if the store does not say */
  constructor(outdated: Partial<Outdated> = {}) {
    const all = { ...NOTHING, ...outdated }
    const named = Object.entries(all).flatMap(([kind, items]) => (items.length > 0 ? [`${items.length} ${kind}`] : []))
    super(`Somebody else changed ${named.join(', ') || 'something'}.`)
    this.outdated = all
  }
}

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

/** The store cannot do its work right now; nothing was changed. */
export class StoreOutage extends Error {
  override readonly name: string = 'StoreOutage'
  /** What callers are told. */
  readonly refusal: ErrorId = 'service_unavailable'
}

/** The store went away in the middle of a commit, and for now nobody knows whether it happened. */
export class CommitUnknown extends StoreOutage {
  override readonly name = 'CommitUnknown'
  /**
   * Where the commit stands, or undefined if it did not happen and never will. Until this has answered, what was
   * committed may not have been told.
   * @throws StoreOutage if it still cannot be known
   */
  readonly fate: () => Promise<Place | undefined>
  constructor(message: string, fate: () => Promise<Place | undefined>, options?: ErrorOptions) {
    super(message, options)
    this.fate = fate
  }
}

/** The store cannot be used at all; the sentence says why and what to do. */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError'
  readonly code = 'store_unusable'
}
