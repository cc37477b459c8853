/**
 * What an app holds: one client for one app on one device. A table of contents: each method says where it leads.
 */
import { type BasicIdentity, type ConversationId, uuidv7 } from '@parley/protocol'
import { type AuthenticationState, unavailable } from './authentication/authentication-state.ts'
import type { DeauthenticateOptions } from './authentication/departure.ts'
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
import { systemChance, systemChannel, systemClock, systemLocks } from './environment.ts'
import { abortable, forApp, throwIfAborted } from './errors.ts'
import { systemHints } from './hints.ts'
import { readConversationId, readMessageId } from './operations/check.ts'
import { type CreateConversationOptions, createConversation } from './operations/create-conversation.ts'
import { deleteConversation, leaveConversation } from './operations/delete-conversation.ts'
import { deleteMessage } from './operations/delete-message.ts'
import { markRead } from './operations/mark-messages.ts'
import { sendMessage } from './operations/send-message.ts'
import { changeParticipants, deleteMetadata, setMetadata } from './operations/update-conversation.ts'
import type { Draft } from './outbox/drafting.ts'
import type { Placed } from './outbox/outbox.ts'
import { listUnsent } from './outbox/stored-entries.ts'
import type { LiveQuery } from './queries/live-query.ts'
import { type ConversationQueryOptions, createViews, type MessageQueryOptions } from './queries/views.ts'
import { systemStorage } from './replica-storage.ts'
import { ReplicaWatch } from './replica-watch.ts'
import type { ConnectionState } from './sync/connection-state.ts'
import { Engine } from './sync/engine.ts'
import type { HistoryProgress } from './sync/history.ts'
import { Tab } from './tabs/tab.ts'
import { systemFetch } from './transport/fetch.ts'
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
  readonly #tab: Tab
  readonly #newUuid: () => ReturnType<typeof uuidv7>
  readonly #stopHints: () => void

  constructor(options: ClientOptions) {
    const { appId, url, challenge, clock = systemClock, chance = systemChance } = options
    const { websocketUrl = url.replace(/^http/, 'ws'), sockets, webSocket } = options
    const address = { url: websocketUrl, sockets, webSocket }
    const emit: Tell = (name, event) => this.#emitter.emit(name, event)
    this.#newUuid = () => uuidv7(clock.wall(), chance.bytes(10))
    let isAlone = false
    const storage = systemStorage(() => {
      // What one tab has in memory no other can read.
      isAlone = true
      emit('storage', { state: 'memory' })
    })
    const { openChannel = systemChannel } = options
    this.#tab = new Tab({
      appId,
      challenge,
      clock,
      chance,
      tell: emit,
      api: { url, clock, fetch: options.fetch ?? systemFetch },
      line: { ...address, appId, clock },
      storage: options.storage ?? storage,
      locks: options.locks ?? systemLocks(),
      openChannel: () => (isAlone ? undefined : openChannel),
      watch: this.#watch,
      loadOnline: options.online ?? (() => import('./online.ts')),
      makeEngine: ({ identity, ...ports }) => new Engine({ ...ports, address, identity: identity.id, clock, chance }),
    })
    this.#stopHints = (options.hints ?? systemHints)((hint) => {
      if (hint) this.#tab.sleep(hint === 'sleep')
      else this.#tab.hint('look', [])
    })
    this.outbox = {
      list: async () => forApp(this.#mayAct(() => listUnsent(this.#tab.replica))),
      retry: async (operationId) => forApp(this.#mayAct(() => this.#tab.call('retry', [operationId]))),
      discard: async (operationId) => forApp(this.#mayAct(() => this.#tab.call('discard', [operationId]))),
    }
  }

  /** Settles once the local database is open: `state` then says who is signed in. */
  get opened(): Promise<void> {
    return this.#tab.shown.opened
  }

  get state(): AuthenticationState {
    return this.#tab.shown.snapshot.state
  }

  /** Whose data is on this device, connected or not. */
  get identity(): BasicIdentity | undefined {
    return this.#tab.shown.identity
  }

  /** The line to the server, the same object until it is in another state. */
  get connection(): ConnectionState {
    return this.#tab.shown.snapshot.connection
  }

  /** How much of the history is on the device; the same object until that changes. */
  get history(): HistoryProgress {
    return this.#tab.shown.snapshot.history
  }

  /** Listens; the function returned stops it. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (event: ClientEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener)
  }

  /** Signs a user in by asking the app's `challenge` function for a token. The same user's session is resumed. */
  authenticate(userId?: string, options: OperationOptions = {}): Promise<BasicIdentity> {
    return forApp(this.#tab.call('authenticate', [userId], options.signal))
  }

  /** Sends what is unsent, ends the session, deletes the local copy. Needs a connection. */
  deauthenticate({ signal, ...options }: DeauthenticateOptions = {}): Promise<void> {
    return forApp(this.#tab.call('deauthenticate', [options], signal))
  }

  /** Takes the connection up again after {@link disconnect}; otherwise it comes by itself. */
  connect(): void {
    void this.#tab.call('connect', []).catch(() => {})
  }

  /** Goes offline without signing out. */
  disconnect(): void {
    void this.#tab.call('disconnect', []).catch(() => {})
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
    return this.#tab.shown.resolve(readConversationId(id))
  }

  /** Starts a conversation, or finds the distinct one of the same people. */
  async createConversation(options: CreateConversationOptions): Promise<CreatedConversation> {
    throwIfAborted(options.signal)
    const me = this.#mayAct(() => this.identity!)
    const draft = createConversation(options, me.id, this.#newUuid)
    const people = new Set([me.id, ...(draft.input.participants as (typeof me.id)[])])
    const placed = await abortable(this.#tab.call('create', [draft, people]), options.signal)
    const id = placed.conversation
    return { id, conversation: this.conversation(id), ...operationOf(placed) }
  }

  /** The verbs of one conversation. */
  conversation(id: string): ConversationHandle {
    const given = readConversationId(id)
    const current = () => this.#resolve(given)
    const newUuid = this.#newUuid
    const add = (draft: Draft, options: OperationOptions = {}) => this.#operate(draft, options.signal)
    const send: ConversationHandle['sendMessage'] = async (parts, options = {}): Promise<SentMessage> => {
      const { id, draft } = sendMessage(current(), parts, options, newUuid)
      return { id, ...(await this.#operate(draft, options.signal)) }
    }
    return {
      get id() {
        return current()
      },
      sendMessage: send,
      sendText: (text, options) => send([{ mime_type: 'text/plain', body: text }], options),
      markRead: (upTo, options = {}) => this.#markRead(current(), upTo, options),
      typing: () => this.#tab.hint('typing', [current()]),
      stopTyping: () => this.#tab.hint('stopTyping', [current()]),
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
    this.#mayAct(() => {})
    const position = typeof upTo === 'object' ? upTo.position : (upTo ?? (await this.#newestPosition(conversation)))
    return position === 0 ? undefined : this.#operate(markRead(conversation, position, this.#newUuid), options.signal)
  }

  async #newestPosition(conversation: ConversationId): Promise<number> {
    const [newest] = await this.#tab.replica.scan('messages', { prefix: [conversation], reverse: true, limit: 1 })
    return newest?.position ?? 0
  }

  /** Ends this client, not the session: a later one goes on where this one was. Safe to call twice. */
  close(): Promise<void> {
    this.#stopHints()
    this.#views.close()
    return this.#tab.close()
  }

  async #operate<Result>(draft: Draft, signal: AbortSignal | undefined): Promise<Operation<Result>> {
    throwIfAborted(signal)
    return operationOf(await this.#mayAct(() => abortable(this.#tab.call('add', [draft]), signal)))
  }

  /** Does it if somebody is signed in who may act. */
  #mayAct<T>(act: () => T): T {
    const { state } = this.state
    if (state === 'authenticated' || state === 'challenged') return act()
    throw unavailable(this.state)
  }
}

/** With the server's answer as this operation has it; nobody has to listen to it. */
function operationOf<Result>({ id, acknowledged }: Placed): Operation<Result> {
  // The cast: the protocol says which operation has which result.
  const answer = acknowledged.then(({ result }) => result as unknown as Result)
  answer.catch(() => {})
  return { operationId: id, acknowledged: answer }
}
