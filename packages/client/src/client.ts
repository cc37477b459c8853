/**
 * What an app holds: one client for one app on one device. A table of contents: each method says where it leads.
 */
import { type BasicIdentity, type ConversationId, uuidv7 } from '@parley/protocol'
import { Authentication, type DeauthenticateOptions } from './authentication/authentication.ts'
import { type AuthenticationState, unavailable } from './authentication/authentication-state.ts'
import type {
  ClientEvents,
  ClientOptions,
  ConversationHandle,
  CreatedConversation,
  Operation,
  OperationOptions,
  OutboxHandle,
  SentMessage,
  Tell,
} from './client-types.ts'
import { Emitter } from './emitter.ts'
import { systemChance, systemClock, systemLocks } from './environment.ts'
import { abortable, forApp, throwIfAborted } from './errors.ts'
import { systemHints } from './hints.ts'
import { readConversationId, readMessageId } from './operations/check.ts'
import { type CreateConversationOptions, createConversation } from './operations/create-conversation.ts'
import { deleteConversation, leaveConversation } from './operations/delete-conversation.ts'
import { deleteMessage } from './operations/delete-message.ts'
import { findDistinct } from './operations/find-distinct.ts'
import { markRead } from './operations/mark-messages.ts'
import { sendMessage } from './operations/send-message.ts'
import { changeParticipants, deleteMetadata, setMetadata } from './operations/update-conversation.ts'
import type { Draft, Placed } from './outbox/outbox.ts'
import type { LiveQuery } from './queries/live-query.ts'
import { type ConversationQueryOptions, createViews, type MessageQueryOptions } from './queries/views.ts'
import { systemStorage } from './replica-storage.ts'
import { ReplicaWatch } from './replica-watch.ts'
import { type ConnectionState, stopped } from './sync/connection-state.ts'
import { Engine } from './sync/engine.ts'
import { type HistoryProgress, NO_HISTORY } from './sync/history.ts'
import { systemFetch } from './transport/fetch.ts'
import { webSockets } from './transport/socket.ts'
import type { ConversationView } from './view/conversation-view.ts'
import type { MessageView } from './view/message-view.ts'

export interface MessagesOptions extends MessageQueryOptions {
  readonly conversation: string
}

/**
 * Makes a client and opens its local database. Whoever was signed in last is signed in again, connected or not.
 *
 * @example
 * const client = createClient({ appId, url: 'https://chat.example.com', challenge: ({ nonce }) => fetchToken(nonce) })
 * await client.authenticate('ada')
 * const { conversation } = await client.createConversation({ participants: ['ben'] })
 * await conversation.sendText('Hello')
 */
export function createClient(options: ClientOptions): Client {
  return new Client(options)
}

export class Client {
  readonly outbox: OutboxHandle
  readonly #emitter = new Emitter<ClientEvents>()
  readonly #watch = new ReplicaWatch((error) => this.#emitter.emit('problem', { error }))
  readonly #views = createViews(this.#watch)
  readonly #authentication: Authentication
  readonly #newUuid: () => ReturnType<typeof uuidv7>
  readonly #stopHints: () => void

  constructor(options: ClientOptions) {
    const { appId, url, challenge, clock = systemClock, chance = systemChance } = options
    const sockets = options.sockets ?? webSockets(options.webSocket)
    const websocketUrl = options.websocketUrl ?? url.replace(/^http/, 'ws')
    const tell: Tell = (name, event) => this.#emitter.emit(name, event)
    this.#newUuid = () => uuidv7(clock.wall(), chance.bytes(10))
    this.#authentication = new Authentication({
      appId,
      challenge,
      clock,
      chance,
      api: { url, appId, clock, fetch: options.fetch ?? systemFetch },
      storage: this.#watch.over(options.storage ?? systemStorage(() => tell('storage', { state: 'memory' }))),
      locks: options.locks ?? systemLocks,
      makeEngine: (replica, identity, session) =>
        new Engine({ url: websocketUrl, replica, identity: identity.id, session, sockets, clock, chance, tell }),
      tell,
      onReplica: (replica, identity) => this.#watch.show(replica, identity),
    })
    this.#stopHints = (options.hints ?? systemHints)(() => this.#authentication.engine?.hint())
    this.outbox = {
      list: async () => forApp(this.#engine().outbox.list()),
      retry: async (operationId) => forApp(this.#engine().outbox.retry(operationId)),
      discard: async (operationId) => forApp(this.#engine().outbox.discard(operationId)),
    }
    this.#authentication.open()
  }

  /** Settles once the local database is open: `state` then says who is signed in. */
  get opened(): Promise<void> {
    return this.#authentication.opened
  }

  get state(): AuthenticationState {
    return this.#authentication.state
  }

  /** Whose data is on this device, connected or not. */
  get identity(): BasicIdentity | undefined {
    return this.#authentication.identity
  }

  /** The line to the server, the same object until it is in another state. */
  get connection(): ConnectionState {
    return this.#authentication.engine?.connection ?? stopped
  }

  /** How much of the history is on the device; the same object until that changes. */
  get history(): HistoryProgress {
    return this.#authentication.engine?.historyProgress ?? NO_HISTORY
  }

  /** Listens; the function returned stops it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener)
  }

  /** Signs a user in by asking the app's `challenge` function for a token. The same user's session is resumed. */
  authenticate(userId?: string, options: OperationOptions = {}): Promise<BasicIdentity> {
    return forApp(this.#authentication.authenticate(userId, options.signal))
  }

  /** Sends what is unsent, ends the session, deletes the local copy. Needs a connection. */
  deauthenticate(options: DeauthenticateOptions = {}): Promise<void> {
    return forApp(this.#authentication.deauthenticate(options))
  }

  /** Takes the connection up again after {@link disconnect}; otherwise it comes by itself. */
  connect(): void {
    this.#authentication.connect()
  }

  /** Goes offline without signing out. */
  disconnect(): void {
    this.#authentication.disconnect()
  }

  /** Conversations as a screen shows them, live: what is confirmed with what is in the outbox on top. */
  conversations(options: ConversationQueryOptions = {}): LiveQuery<ConversationView> {
    return this.#views.conversations(options)
  }

  /** The newest messages of a conversation, oldest first, live; `loadMore` widens the window. */
  messages({ conversation, ...options }: MessagesOptions): LiveQuery<MessageView> {
    return this.#views.messages(this.#resolve(conversation), options)
  }

  /** One conversation as it is now; null if there is none on this device. */
  getConversation(id: string): Promise<ConversationView | null> {
    return this.#views.conversation(this.#resolve(id))
  }

  getMessage(conversation: string, id: string): Promise<MessageView | null> {
    return this.#views.message(this.#resolve(conversation), readMessageId(id))
  }

  #resolve(id: string): ConversationId {
    const given = readConversationId(id)
    return this.#authentication.engine?.outbox.resolve(given) ?? given
  }

  /** Starts a conversation, or finds the distinct one of the same people. */
  async createConversation(options: CreateConversationOptions): Promise<CreatedConversation> {
    throwIfAborted(options.signal)
    const engine = this.#engine()
    const me = this.identity!
    const draft = createConversation(options, me.id, this.#newUuid)
    const people = new Set([me.id, ...(draft.input.participants as (typeof me.id)[])])
    const known = draft.input.distinct
      ? await findDistinct(this.#authentication.replica!, await engine.outbox.list(), people)
      : undefined
    if (known !== undefined) {
      // On its way itself, it is acknowledged when the server has made it, and not at all if it is given up.
      const pending = engine.outbox.creationOf(known)
      const acknowledged = (pending ?? Promise.resolve({ conversation: known })).then(
        ({ conversation }) => ({ conversation, outcome: 'found' }) as const,
      )
      acknowledged.catch(() => {})
      return { ...this.#created(known, draft.id), acknowledged }
    }
    const placed = await this.#add(draft, options.signal)
    return { ...this.#created(placed.conversation, placed.id), acknowledged: answerOf(placed) }
  }

  #created(id: ConversationId, operationId: string): Omit<CreatedConversation, 'acknowledged'> {
    return { id, operationId, conversation: this.conversation(id) }
  }

  /** The verbs of one conversation. */
  conversation(id: string): ConversationHandle {
    const given = readConversationId(id)
    const current = () => this.#resolve(given)
    const newUuid = this.#newUuid
    const add = (draft: Draft, options: OperationOptions = {}) => this.#operate(draft, options.signal)
    const send: ConversationHandle['sendMessage'] = async (parts, options = {}): Promise<SentMessage> => {
      const { id, draft } = sendMessage(current(), parts, options, newUuid)
      const placed = await this.#add(draft, options.signal)
      return { id, operationId: placed.id, acknowledged: answerOf(placed) }
    }
    return {
      get id() {
        return current()
      },
      sendMessage: send,
      sendText: (text, options) => send([{ mime_type: 'text/plain', body: text }], options),
      markRead: (upTo, options = {}) => this.#markRead(current(), upTo, options),
      typing: () => this.#authentication.engine?.typing.press(current()),
      stopTyping: () => this.#authentication.engine?.typing.stop(current()),
      setMetadata: async (values, options) => add(setMetadata(current(), values, newUuid), options),
      deleteMetadata: async (paths, options) => add(deleteMetadata(current(), paths, newUuid), options),
      addParticipants: async (people, options) => add(changeParticipants(current(), 'add', people, newUuid), options),
      removeParticipants: async (people, options) =>
        add(changeParticipants(current(), 'remove', people, newUuid), options),
      leave: async (options) => add(leaveConversation(current(), newUuid), options),
      delete: async (mode, options) => add(deleteConversation(current(), mode, newUuid), options),
      deleteMessage: async (message, mode, options) => add(deleteMessage(current(), message, mode, newUuid), options),
    }
  }

  async #markRead(
    conversation: ConversationId,
    upTo: number | { readonly position: number } | undefined,
    options: OperationOptions,
  ): Promise<Operation | undefined> {
    this.#engine()
    const position = typeof upTo === 'object' ? upTo.position : (upTo ?? (await this.#newestPosition(conversation)))
    return position === 0 ? undefined : this.#operate(markRead(conversation, position, this.#newUuid), options.signal)
  }

  async #newestPosition(conversation: ConversationId): Promise<number> {
    const newest = await this.#authentication.replica?.scan('messages', {
      prefix: [conversation],
      reverse: true,
      limit: 1,
    })
    return newest?.[0]?.position ?? 0
  }

  /** Ends this client, not the session: a later one goes on where this one was. Safe to call twice. */
  close(): Promise<void> {
    this.#stopHints()
    this.#views.close()
    return this.#authentication.close()
  }

  async #operate(draft: Draft, signal: AbortSignal | undefined): Promise<Operation> {
    const placed = await this.#add(draft, signal)
    return { operationId: placed.id, acknowledged: answerOf(placed) }
  }

  #add(draft: Draft, signal: AbortSignal | undefined): Promise<Placed> {
    throwIfAborted(signal)
    return abortable(this.#engine().add(draft), signal)
  }

  /** The engine of whoever is signed in and may act. */
  #engine(): Engine {
    const { state } = this.state
    const { engine } = this.#authentication
    if (engine && (state === 'authenticated' || state === 'challenged')) return engine
    throw unavailable(this.state)
  }
}

/** The server's answer as this operation has it; nobody has to listen to it. */
function answerOf<Result>({ acknowledged }: Placed): Promise<Result> {
  // The cast: the protocol says which operation has which result.
  const answer = acknowledged.then(({ result }) => result as unknown as Result)
  answer.catch(() => {})
  return answer
}
