/** What an app sees of the client, in one place. */
import type {
  BasicIdentity,
  ConversationId,
  CreateConversationResult,
  DeletionMode,
  MessageId,
  Part,
  SendMessageResult,
  SessionInfo,
} from '@parley/protocol'
import type { AuthenticationState, ChallengeFailure, Deauthentication } from './authentication/authentication-state.ts'
import type { ChallengeHandler } from './authentication/challenge-handler.ts'
import type { Chance, Clock, Locks, OpenChannel } from './environment.ts'
import type { Hints } from './hints.ts'
import type { LoadOnline } from './online-part.ts'
import type { SendMessageOptions } from './operations/send-message.ts'
import type { MetadataValues } from './operations/update-conversation.ts'
import type { OutboxEntry, ReplicaStorage } from './replica/replica.ts'
import type { ConnectionState } from './sync/connection-state.ts'
import type { HistoryProgress } from './sync/history.ts'
import type { Fetch } from './transport/fetch.ts'
import type { SocketFactory, WebSocketClass } from './transport/socket.ts'

export interface ClientOptions {
  /** `layer:///apps/…/<uuid>` or the bare UUID. */
  readonly appId: string
  /** Where the server answers, such as `https://chat.example.com`. */
  readonly url: string
  /** Default: `url` with `ws` for `http`. */
  readonly websocketUrl?: string
  /** Fetches an identity token from the app's own authentication service, whenever the server asks who this is. */
  readonly challenge: ChallengeHandler
  /** Default: IndexedDB in browsers, memory elsewhere; for Node see `@parley/client/sqlite`. */
  readonly storage?: ReplicaStorage
  /** For Node before version 22: the class from the `ws` package. */
  readonly webSocket?: WebSocketClass
  /**
   * What needs the network: by default a file of its own that is fetched as soon as there is a client. For an app that
   * wants all of it at once, `@parley/client/online`.
   */
  readonly online?: LoadOnline
  /** The rest is for tests. */
  readonly sockets?: SocketFactory
  readonly fetch?: Fetch
  readonly clock?: Clock
  readonly chance?: Chance
  readonly locks?: Locks
  readonly openChannel?: OpenChannel
  readonly hints?: Hints
}

export interface ClientEvents {
  /** Who is signed in. */
  state: AuthenticationState
  /** The line to the server; `live` when it stands. */
  connection: ConnectionState
  /** How much of the history is on the device. */
  history: HistoryProgress
  /** The app's handler failed, or the server did not take its token; it will be asked again. */
  'challenge-failed': ChallengeFailure
  /** The session goes on. */
  renewed: SessionInfo
  /** What was never sent is about to be deleted with the local copy. The last chance to keep it. */
  unsent: { readonly entries: readonly OutboxEntry[] }
  /** The local copy is gone. */
  deauthenticated: Deauthentication
  /** The server's final answer to operations was no; they stay in the outbox until retried or discarded. */
  'operation-failed': { readonly entries: readonly OutboxEntry[] }
  /** A distinct conversation existed already: what was `from` is `to` from now on. */
  relabelled: { readonly from: ConversationId; readonly to: ConversationId }
  /** Who types in a conversation, all of them each time. */
  typing: {
    readonly conversation: ConversationId
    readonly typing: readonly BasicIdentity[]
    readonly paused: readonly BasicIdentity[]
  }
  /**
   * `full`: no room on the device, what arrives waits. `memory`: this browser stores nothing, all is gone with the
   * page. `lost`: the database was deleted, is broken, or belongs to newer code in another tab.
   */
  storage: { readonly state: 'ok' | 'full' | 'failed' | 'memory' | 'lost'; readonly error?: unknown }
  /** A connection cannot even be tried; see the error for what is missing. */
  problem: { readonly error: unknown }
}

/** Tells the app of something. */
export type Tell = <Name extends keyof ClientEvents>(name: Name, event: ClientEvents[Name]) => void

/** An operation that is safe in the outbox. */
export interface Operation<Result = unknown> {
  /** Names it in the outbox. */
  readonly operationId: string
  /** The server's answer. Ignoring it is fine. Rejects with `refused` or `discarded`. */
  readonly acknowledged: Promise<Result>
}

export interface SentMessage extends Operation<SendMessageResult> {
  readonly id: MessageId
}

export interface CreatedConversation extends Operation<CreateConversationResult> {
  readonly id: ConversationId
  readonly conversation: ConversationHandle
}

export interface OperationOptions {
  readonly signal?: AbortSignal
}

/**
 * Verbs on one conversation. Each resolves once the operation is durable on this device; the network may be away.
 */
export interface ConversationHandle {
  /** The id it goes by now; changes when a distinct conversation is found. */
  readonly id: ConversationId
  sendMessage(parts: readonly Part[], options?: SendMessageOptions): Promise<SentMessage>
  sendText(text: string, options?: SendMessageOptions): Promise<SentMessage>
  /** Up to a message or position; without one, everything. Undefined if there is nothing to mark. */
  markRead(upTo?: number | { readonly position: number }, options?: OperationOptions): Promise<Operation | undefined>
  /** Call it on each key: the SDK says what is needed. */
  typing(): void
  stopTyping(): void
  setMetadata(values: MetadataValues, options?: OperationOptions): Promise<Operation>
  deleteMetadata(paths: readonly string[], options?: OperationOptions): Promise<Operation>
  addParticipants(participants: readonly string[], options?: OperationOptions): Promise<Operation>
  removeParticipants(participants: readonly string[], options?: OperationOptions): Promise<Operation>
  /** Gone from my devices, and I take part no more. */
  leave(options?: OperationOptions): Promise<Operation>
  delete(mode: DeletionMode, options?: OperationOptions): Promise<Operation>
  deleteMessage(message: string, mode: DeletionMode, options?: OperationOptions): Promise<Operation>
}

export interface OutboxHandle {
  /** What was asked for and is not carried out, failed ones included, in order. */
  list(): Promise<OutboxEntry[]>
  /** Sends a failed operation again, in its old place. */
  retry(operationId: string): Promise<void>
  /** Gives an operation up, with what depends on it; answers what was dropped. */
  discard(operationId: string): Promise<readonly OutboxEntry[]>
}
