/**
 * The store: the truth. Adapters keep rows and answer reads; what rows mean is decided above. Every method is one
 * consistent look or one atomic change.
 *
 * Each part of the port has a file: what the write lane needs (`log-store.ts`), what devices catch up from
 * (`stream-store.ts`), what lists show (`list-store.ts`), who may come in (`app-store.ts`), who does what
 * (`claim-store.ts`); how the log is counted is in `cursor.ts`, what a store says no with in `store-errors.ts`. Whoever
 * uses the store finds all of it here.
 */
import type { AppStore } from './app-store.ts'
import type { ClaimStore } from './claim-store.ts'
import type { ListStore } from './list-store.ts'
import type { LogStore } from './log-store.ts'
import type { StreamStore } from './stream-store.ts'

export type { App, AppStore, Provider, ProviderKey, RegisteredKey, SignInFacts } from './app-store.ts'
export type { ClaimStore } from './claim-store.ts'
export type { Cursor, Place, Shift } from './cursor.ts'
export type { ConversationView, ListStore, MovedConversation } from './list-store.ts'
export {
  type AppItem,
  type Basis,
  type BelievedConversation,
  type ConversationWrite,
  type Held,
  type Loaded,
  type LoadedConversation,
  type LogStore,
  NOTHING,
  type Outdated,
  type Person,
  type RememberedOperation,
  type Revised,
  type Wanted,
  type Writes,
} from './log-store.ts'
export { CommitUnknown, MessageExists, Stale, StoreOpenError, StoreOutage } from './store-errors.ts'
export type {
  ConversationPage,
  InboxPage,
  MessagePage,
  MovedStreams,
  PageForAll,
  StreamRow,
  StreamStore,
  WrittenFrom,
  WrittenMessages,
  WrittenPage,
} from './stream-store.ts'

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
