import type {
  ConversationId,
  ConversationRow,
  IdentityId,
  Json,
  MembershipRow,
  MessageId,
  MessageRow,
  OperationInputs,
  OperationName,
  ParticipantRow,
  StreamId,
  WireError,
} from '@parley/protocol'

/**
 * The replica: one device's copy of one identity's conversations, and the only thing queries read.
 *
 * The port is small so that adapters stay honest: read a row, read a range, commit a list of writes atomically. What
 * rows mean is decided above it (`sync/merge.ts`, `outbox/`, `queries/`). There is one writer at a time.
 */
export interface Replica {
  get<T extends TableName>(table: T, key: Key): Promise<Tables[T] | undefined>

  /** As many answers as keys, in their order; in one go, so that a merge of a page doesn't cost a trip for each row. */
  getMany<T extends TableName>(table: T, keys: readonly Key[]): Promise<(Tables[T] | undefined)[]>

  /** Rows whose key begins with `prefix`, in key order; see {@link Range}. */
  scan<T extends TableName>(table: T, range?: Range): Promise<Tables[T][]>

  /** How many rows {@link scan} would give. */
  count(table: TableName, range?: Range): Promise<number>

  /**
   * All writes or none, in order. With `strict` durability the promise resolves only once a power cut cannot undo
   * them; `relaxed` is for what can be downloaded again. With a `term` nothing is written unless it is the one in
   * {@link TERM} at that moment (0 for none).
   * @throws ReplicaError `full` when the device has no room, `closed` after close, `fenced` in a later term, `broken`
   *   otherwise
   */
  commit(writes: readonly Write[], options: CommitOptions): Promise<void>

  /** Safe to call twice. Reads and commits afterwards reject with `closed`. */
  close(): Promise<void>
}

export interface CommitOptions {
  readonly durability: 'strict' | 'relaxed'
  readonly term?: number | undefined
}

/** The row of `meta` with the number of the latest owner of this replica: whoever holds an earlier one may not write. */
export const TERM = 'term'

/**
 * A key is one value, or several compared from left to right. Texts in keys are ASCII in practice (ids, names); how an
 * adapter orders others among each other is its own affair.
 */
export type KeyPart = string | number
export type Key = readonly KeyPart[]

export interface Range {
  readonly prefix?: Key
  /** Bounds of the key part that follows the prefix, both included. */
  readonly from?: KeyPart
  readonly to?: KeyPart
  readonly reverse?: boolean
  readonly limit?: number
}

/** Table → row. The comment names the key. */
export interface Tables {
  /** [name]. Session, cursor, epoch, identity: single values of the device. */
  meta: { readonly name: string; readonly value: Json }
  /** [stream] */
  streams: StoredStream
  /** [conversation id] */
  conversations: ConversationRow
  /** [conversation id, identity id] */
  participants: ParticipantRow & { readonly conversation: ConversationId }
  /** [conversation id] */
  memberships: MembershipRow
  /** [conversation id, position] */
  messages: MessageRow & { readonly conversation: ConversationId }
  /**
   * [message id] → where it is. Written and deleted with its message, never alone: an adapter may keep none, and answer
   * with the message, which says the same.
   */
  positions: { readonly id: MessageId; readonly conversation: ConversationId; readonly position: number }
  /** [order], ascending in the order the app asked. */
  outbox: OutboxEntry
}

export type TableName = keyof Tables

export interface StoredStream {
  readonly stream: StreamId
  /** Up to where the replica has this stream; 0 for nothing. */
  readonly sequence: number
  /** The highest sequence heard of; above `sequence` means behind. */
  readonly head: number
  /** The lowest position downloaded so far; null before the first page, 1 or `complete` when all is here. */
  readonly oldest: number | null
  /** The history is here from the first message on. */
  readonly complete: boolean
  /** Where the copy began with a page: changes up to there never come. Absent where it began with the stream itself. */
  readonly began?: number
}

/** An operation the server has not been heard to have carried out in full. */
export interface OutboxEntry<Name extends OperationName = OperationName> {
  readonly order: number
  /** The operation's id: what makes a retry harmless. */
  readonly id: string
  readonly name: Name
  readonly input: OperationInputs[Name]
  readonly conversation: ConversationId
  /** By the device's clock, for display only. */
  readonly createdAt: string
  /** Who asked; an outbox is never sent for somebody else. */
  readonly identity: IdentityId
  /** It was carried out before, and is asked for again to hear the answer: there is nothing to show of it. */
  readonly isEcho?: true | undefined
  readonly state:
    | { readonly state: 'waiting' }
    /** Carried out; dropped once the stream has reached `sequence`. */
    | { readonly state: 'acknowledged'; readonly stream: StreamId; readonly sequence: number; readonly result: Json }
    /** Refused for good; kept until the app retries or discards it. */
    | { readonly state: 'failed'; readonly error: WireError }
}

export type Write = {
  [T in TableName]:
    | { readonly type: 'put'; readonly table: T; readonly row: Tables[T] }
    | { readonly type: 'delete'; readonly table: T; readonly key: Key }
    /** Every row whose key begins with `prefix`; an empty prefix empties the table. */
    | { readonly type: 'delete-all'; readonly table: T; readonly prefix: Key }
}[TableName]

/** How a table's key is read from its row. */
export const keyOf: { readonly [T in TableName]: (row: Tables[T]) => Key } = {
  meta: (row) => [row.name],
  streams: (row) => [row.stream],
  conversations: (row) => [row.id],
  participants: (row) => [row.conversation, row.identity.id],
  memberships: (row) => [row.conversation],
  messages: (row) => [row.conversation, row.position],
  positions: (row) => [row.id],
  outbox: (row) => [row.order],
}

export const tableNames = Object.keys(keyOf) as TableName[]

/** Any row's key. The cast is what indexing by a union of tables costs. */
export function keyOfRow<T extends TableName>(table: T, row: Tables[T]): Key {
  return (keyOf[table] as (row: Tables[T]) => Key)(row)
}

/**
 * `unavailable`: there is no such storage here (IndexedDB in some private windows); nothing is lost by going on in
 * memory. `full`: the device has no room; nothing of that commit was written. `closed`: used after close or after
 * {@link OpenOptions.onLost}. `fenced`: another owner writes now. `broken`: anything else; the cause says more.
 */
export class ReplicaError extends Error {
  override readonly name = 'ReplicaError'
  readonly code: 'unavailable' | 'full' | 'closed' | 'fenced' | 'broken'
  constructor(code: ReplicaError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** For adapters, inside the commit: throws unless the term found is the one that was given. */
export function assertTerm(given: number | undefined, found: Tables['meta'] | undefined): void {
  if (given !== undefined && given !== (found?.value ?? 0)) {
    throw new ReplicaError('fenced', `Another tab writes now, in term ${found?.value}; this one had ${given}.`)
  }
}

/**
 * Where replicas live: one per app, since one identity at a time is authenticated on a device. Adapters: IndexedDB,
 * SQLite for Node, memory.
 */
export interface ReplicaStorage {
  /**
   * Opens the app's replica, creating it if there is none.
   * @throws ReplicaError `unavailable` where this kind of storage doesn't exist
   */
  open(appId: string, options?: OpenOptions): Promise<Replica>
  /** Deletes the app's replica and every trace of it. Open handles are closed, and told. */
  destroy(appId: string): Promise<void>
}

export interface OpenOptions {
  /**
   * Called at most once, when the replica closes by itself: `deleted` by somebody (another tab signed out, or
   * {@link ReplicaStorage.destroy}), `superseded` by newer code in another tab, `broken` disk. Every later call rejects
   * with `closed`. Not called for one's own close.
   */
  readonly onLost?: ((reason: LossReason) => void) | undefined
}

export type LossReason = 'deleted' | 'superseded' | 'broken'
