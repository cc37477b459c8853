/**
 * One tab's part in a browser full of them: whatever the app asks for goes to the owner, here or in another tab, and
 * what the owner says is shown in each (`shown.ts`). It owns the channel, this tab's hand on the replica, and the calls
 * without an answer. Who owns is decided by `leadership.ts`; what an owner does, by `owner.ts`.
 *
 *     app ─► call ─► (does this tab own?) ─ yes ─► owner.ts ───────────────────► answer ─► app
 *                                         └ no ──► channel ─► the owner's tab ─► channel ──┘
 */
import type { BasicIdentity, ConversationId } from '@parley/protocol'
import type { AuthenticationPorts } from '../authentication/authentication-ports.ts'
import type { AuthenticationState } from '../authentication/authentication-state.ts'
import { readStored } from '../authentication/stored-session.ts'
import type { Tell } from '../client-types.ts'
import { deferred } from '../deferred.ts'
import type { Channel, Locks, OpenChannel } from '../environment.ts'
import { aborted, closed, ParleyError, storageError } from '../errors.ts'
import { type LoadOnline, OnlinePart } from '../online-part.ts'
import type { LossReason, ReplicaError, ReplicaStorage } from '../replica/replica.ts'
import type { ReplicaWatch } from '../replica-watch.ts'
import type { ConnectionState } from '../sync/connection-state.ts'
import type { HistoryProgress } from '../sync/history.ts'
import { Calls } from './calls.ts'
import {
  type Answer,
  answerFrom,
  type Call,
  copyEvent,
  type Envelope,
  eventFrom,
  type Message,
  type OwnerEnvelope,
  TABS_VERSION,
  type Verb,
  type Verbs,
} from './messages.ts'
import { Owner } from './owner.ts'
import { Ownership, type OwnershipPorts } from './ownership.ts'
import { Service } from './service.ts'
import { SharedReplica } from './shared-replica.ts'
import { Shown } from './shown.ts'

export interface TabPorts
  extends Pick<AuthenticationPorts, 'api' | 'line' | 'challenge' | 'clock' | 'chance' | 'makeEngine'> {
  readonly appId: string
  readonly storage: ReplicaStorage
  readonly locks: Locks
  /** Undefined where this tab is on its own. */
  readonly openChannel: () => OpenChannel | undefined
  readonly watch: ReplicaWatch
  readonly loadOnline: LoadOnline
  /** To the app in this tab. */
  readonly tell: Tell
}

/** Beyond it the rows of a commit are not copied to the other tabs: they read anew. */
const MAX_TOUCHED = 500

type OwnEffect = Parameters<OwnershipPorts['perform']>[0]

export class Tab {
  readonly replica: SharedReplica
  readonly #ports: TabPorts
  readonly #id: string
  readonly #ownership: Ownership
  readonly #calls = new Calls()
  readonly #opened = deferred()
  readonly #closed = deferred()
  readonly #life = new AbortController()
  readonly #online: OnlinePart
  #channel: Channel | undefined
  /** Whether any other tab was ever heard. */
  #hasCompany = false
  /** The latest term heard of, or ours. */
  #term = 0
  /** Whose snapshot we have: the owner of this term is asked. 0 for nobody's. */
  #followed = 0
  /** In our term only. */
  #owner: Owner | undefined
  #service: Service | undefined
  /** Settles once nothing of our term before is under way any more. */
  #retired: Promise<void> = Promise.resolve()
  readonly #shown: Shown

  constructor(ports: TabPorts) {
    const { appId, locks, clock, chance } = ports
    this.#ports = ports
    this.#shown = new Shown(ports.tell)
    this.#online = new OnlinePart(ports.loadOnline, clock)
    this.#id = [...chance.bytes(8)].join('.')
    this.#ownership = new Ownership({
      name: this.#name,
      locks,
      clock,
      chance,
      hearsOthers: () => this.#channel !== undefined,
      perform: (effect) => this.#perform(effect),
    })
    this.replica = new SharedReplica({
      appId,
      storage: ports.storage,
      isShared: () => this.#channel !== undefined,
      onCommitted: (writes) => {
        ports.watch.touched(writes)
        this.#say({ type: 'touched', writes: writes.length > MAX_TOUCHED ? 'everything' : writes })
      },
      onFenced: () => this.#fenced(),
      onLost: (reason) => this.#lostReplica(reason),
    })
    this.#open().catch((error) => this.#storageFailed(error))
    // Here before it is needed, also if the owner leaves; whoever needs it tries again.
    this.#online.get(this.#life.signal).catch(() => {})
  }

  // -- what the app sees ---------------------------------------------------------------------------------------------

  /** Settles once it is known who is signed in. */
  get opened(): Promise<void> {
    return this.#opened.promise
  }

  get state(): AuthenticationState {
    return this.#shown.snapshot.state
  }

  get identity(): BasicIdentity | undefined {
    return 'identity' in this.state ? this.state.identity : undefined
  }

  get connection(): ConnectionState {
    return (this.#owner ?? this.#shown.snapshot).connection
  }

  get history(): HistoryProgress {
    return (this.#owner ?? this.#shown.snapshot).history
  }

  /** The id a conversation goes by now. */
  resolve(conversation: ConversationId): ConversationId {
    return (this.#owner ?? this.#shown.snapshot).aliases.get(conversation) ?? conversation
  }

  /** Asks the owner for something, and the next one if that owner dies before it has answered. */
  call<V extends Verb>(
    verb: V,
    args: Parameters<Verbs[V]>,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<Verbs[V]>>> {
    if (this.#shown.isClosed) return Promise.reject(closed())
    if (signal?.aborted) return Promise.reject(aborted(signal))
    if (verb === 'connect' || verb === 'disconnect') this.#shown.note({ wantsConnection: verb === 'connect' })
    const { call, answer, abort } = this.#calls.make({ verb, args, identity: this.identity?.id })
    const cancel = () => {
      abort.abort()
      this.#post({ type: 'cancel', number: call.number })
      if (!this.#owner) this.#calls.answered(call.number, { error: aborted(signal!) })
    }
    signal?.addEventListener('abort', cancel, { once: true })
    this.#ask(call)
    // The cast: this verb's answer.
    return answer.promise as Promise<Awaited<ReturnType<Verbs[V]>>>
  }

  /** Like {@link call}, for what means nothing to a later owner. */
  hint<V extends 'look' | 'typing' | 'stopTyping'>(verb: V, args: Parameters<Verbs[V]>): void {
    this.#ask({ number: 0, verb, args, identity: undefined })
  }

  /** The page is about to be frozen, after which nothing of it runs until it wakes. */
  sleep(isAsleep: boolean): void {
    this.#ownership.dispatch(isAsleep ? 'sleep' : 'wake')
  }

  async close(error = closed()): Promise<void> {
    if (this.#shown.isClosed) return this.#closed.promise
    const owner = this.#owner
    this.#shown.tell('state', { state: 'closed' })
    this.#opened.resolve()
    this.#life.abort()
    this.#ownership.dispatch('close')
    await owner?.authentication.close()
    // What this tab was about to write as the owner is written by now, and was answered so.
    this.#calls.close(error)
    this.#channel?.close()
    await this.replica.close()
    this.#closed.resolve()
  }

  #showIdentity(shown: BasicIdentity | undefined): void {
    this.#shown.note({ shown })
    this.#ports.watch.show(this.replica, shown)
  }

  // -- the local database --------------------------------------------------------------------------------------------

  get #name(): string {
    return `parley:${this.#ports.appId}`
  }

  async #open(): Promise<void> {
    await this.replica.open()
    if (this.#shown.isClosed) return this.replica.close()
    this.#channel = this.#ports.openChannel()?.(this.#name, (message) => this.#hear(message as Envelope))
    this.#ownership.dispatch('open')
    // Tells the owner that we live, should it wait for an answer of ours.
    const { locks } = this.#ports
    const alive = { signal: this.#life.signal }
    if (this.#channel) locks.hold(`${this.#name}:${this.#id}`, alive, () => this.#closed.promise).catch(() => {})
  }

  /** No owner answers: what is in the replica is shown, and what is asked for waits. */
  async #showStored(): Promise<void> {
    const { session, signingOut } = await readStored(this.replica)
    if (!session || signingOut || this.state.state !== 'opening') return
    const { identity, id, expiresAt } = session
    this.#showIdentity(identity)
    this.#shown.tell('state', { state: 'authenticated', identity, session: { id, expiresAt } })
    this.#opened.resolve()
  }

  #storageFailed(error: unknown): void {
    if (this.#shown.isClosed) return
    this.#ports.tell('storage', { state: 'lost', error })
    void this.close(storageError(error)).catch(() => {})
  }

  #fenced(): void {
    if (this.#channel) this.#ownership.dispatch('lost')
    else this.#storageFailed(new ParleyError('storage_failed', 'Another client writes to the same database.'))
  }

  #lostReplica(reason: LossReason): void {
    if (this.#shown.isClosed) return
    this.#ports.tell('storage', { state: 'lost' })
    const error = new ParleyError('storage_failed', `The local database was ${reason}.`)
    if (reason !== 'deleted') return void this.close(error).catch(() => {})
    const reopened = this.#owner
      ? this.#owner.authentication.dataDeleted(error, () => this.#reopen())
      : this.replica.open()
    reopened.catch((cause) => this.#storageFailed(cause))
  }

  async #reopen(): Promise<void> {
    this.#term = await this.replica.reopen()
    this.#introduce()
  }

  // -- being the owner, or not ---------------------------------------------------------------------------------------

  #perform(effect: OwnEffect): void {
    if (effect === 'retire') this.#retire()
    else if (effect === 'show') this.#showStored().catch((error) => this.#storageFailed(error))
    else if (effect === 'claim') {
      // It takes a moment, in which nobody need doubt that somebody owns.
      this.#post({ type: 'pong' })
      void this.#claim()
    } else this.#post({ type: effect })
  }

  async #claim(): Promise<void> {
    try {
      // What is under way would be written in the term that is claimed, and the owner that is made in it would not know.
      await this.#retired
      if (this.#ownership.state !== 'claiming') return
      this.#term = await this.replica.claim(this.#term)
      if (this.#ownership.state !== 'claiming') return
      const owner = this.#makeOwner()
      this.#owner = owner
      const post = (message: Message) => this.#owner === owner && this.#post(message)
      const lockOf = (tab: string) => `${this.#name}:${tab}`
      this.#service = new Service({ owner, locks: this.#ports.locks, lockOf, post })
      await owner.authentication.takeOver()
      if (this.#owner !== owner) return
      // Of its last commits the owner before us may have told nobody.
      this.#ports.watch.touched('everything')
      this.#ownership.dispatch('claimed')
      this.#introduce()
      this.#opened.resolve()
      this.#askAgain()
    } catch (error) {
      // Another tab was faster, or this one is being closed: that is dealt with where it happens.
      const { code } = error as Partial<ReplicaError>
      if (code === 'fenced') this.#fenced()
      else if (code !== 'closed') this.#storageFailed(error)
    }
  }

  #makeOwner(): Owner {
    const { api, line, challenge, clock, chance, makeEngine } = this.#ports
    const ifOwner = (act: () => void) => {
      if (this.#owner === owner) act()
    }
    const owner: Owner = new Owner({
      api,
      line,
      challenge,
      clock,
      chance,
      makeEngine,
      online: this.#online,
      replica: this.replica,
      wantsConnection: this.#shown.snapshot.wantsConnection,
      tell: (name, event) =>
        ifOwner(() => {
          this.#shown.tell(name, event)
          this.#say({ type: 'told', name, event: copyEvent(event) })
        }),
      onBasis: (shown, wantsConnection) =>
        ifOwner(() => {
          this.#shown.note({ wantsConnection })
          this.#showIdentity(shown)
          this.#say({ type: 'basis', shown, wantsConnection })
        }),
      onBroken: (error) => ifOwner(() => this.#storageFailed(error)),
    })
    return owner
  }

  #retire(): void {
    const owner = this.#owner
    const { state } = this.#ownership
    // Whoever lost the lock is not to send others after whoever has it now.
    if (state === 'asleep' || state === 'closed') this.#post({ type: 'farewell' })
    this.#followed = 0
    if (!owner) return
    const { connection, history, aliases } = owner
    this.#shown.note({ connection, history, aliases })
    this.#owner = undefined
    this.#service = undefined
    this.#retired = owner.authentication.close().catch(() => {})
  }

  #introduce(to?: string): void {
    const { connection, history, aliases } = this.#owner!
    this.#post({ type: 'owner', to, snapshot: { ...this.#shown.snapshot, connection, history, aliases } })
  }

  // -- calls ---------------------------------------------------------------------------------------------------------

  #ask(call: Call): void {
    const owner = this.#owner
    if (owner && this.#ownership.state === 'owning') {
      const answer = (answer: Answer) => {
        // Nobody else will carry it out for a tab that closes: what this one says of it is the truth.
        if (this.#owner === owner || this.#shown.isClosed) this.#calls.answered(call.number, answer)
      }
      const { signal } = this.#calls.get(call.number)?.abort ?? this.#life
      void owner.carryOut(call, { signal, challenge: this.#ports.challenge, answer })
    } else if (this.#followed > 0) {
      try {
        this.#post({ type: 'call', call })
      } catch (error) {
        this.#calls.answered(call.number, { error: new ParleyError('invalid', String(error), { cause: error }) })
      }
    }
  }

  /** A new owner: what the one before knew of, it may not. */
  #askAgain(): void {
    for (const pending of this.#calls.all) this.#ask(this.#calls.repeated(pending))
  }

  async #giveToken(number: number, nonce: string): Promise<void> {
    const token = await this.#calls.giveToken(number, nonce, this.#ports.challenge)
    if (token) this.#post({ type: 'token', ...token })
  }

  // -- the channel ---------------------------------------------------------------------------------------------------

  #post(message: Message): void {
    this.#channel?.post({ ...message, version: TABS_VERSION, from: this.#id, term: this.#term } satisfies Envelope)
  }

  /** As the owner, if anybody is there to listen. */
  #say(message: Message): void {
    if (this.#hasCompany && this.#ownership.state === 'owning') this.#post(message)
  }

  #hear(message: Envelope): void {
    const isFirst = !this.#hasCompany
    this.#hasCompany = true
    if (message.version > TABS_VERSION) this.#lostReplica('superseded')
    if (message.version !== TABS_VERSION || this.#shown.isClosed) return
    const { from, term } = message
    const isOwner = this.#ownership.state === 'owning'
    // What became of us since we took over was said to nobody: tabs that slept heard that we are there, and nothing since.
    if (isFirst && isOwner) this.#introduce()
    switch (message.type) {
      case 'hello':
        if (isOwner) this.#introduce(from)
        break
      case 'ping':
        if (isOwner || this.#ownership.state === 'claiming') this.#post({ type: 'pong' })
        break
      case 'call':
        if (isOwner && term === this.#term) void this.#service?.serve(from, message.call)
        break
      case 'cancel':
        this.#service?.cancel(from, message.number)
        break
      case 'token':
        this.#service?.takeToken(from, message)
        break
      default:
        if (term > this.#term || (term === this.#term && !this.#owner)) this.#hearOwner(message)
    }
  }

  #hearOwner(message: OwnerEnvelope): void {
    const { type, term, to } = message
    if (term > this.#term && type !== 'owner') this.#post({ type: 'hello' })
    this.#term = term
    this.#ownership.dispatch(type === 'owner' ? 'announced' : type === 'farewell' ? 'farewell' : 'heard')
    if (to !== undefined && to !== this.#id) return
    if (type === 'owner') this.#follow(message)
    else if (this.#followed !== term) return
    else if (type === 'answer') {
      const { number, answer } = message
      this.#calls.answered(number, answerFrom(answer, this.#calls.get(number)?.handlerError))
    } else if (type === 'ask') void this.#giveToken(message.number, message.nonce)
    else if (type === 'told') this.#shown.tell(message.name, eventFrom(message.event))
    else if (type === 'touched') this.#ports.watch.touched(message.writes)
    else if (type === 'basis') {
      this.#shown.note({ wantsConnection: message.wantsConnection })
      this.#showIdentity(message.shown)
    }
  }

  #follow({ term, snapshot }: OwnerEnvelope & { readonly type: 'owner' }): void {
    const { state, connection, history, shown, aliases, wantsConnection } = snapshot
    const isNew = this.#followed !== term
    this.#followed = term
    this.#shown.note({ aliases, wantsConnection })
    this.#showIdentity(shown)
    // What was committed before we heard of it.
    this.#ports.watch.touched('everything')
    this.#shown.tell('state', state)
    this.#shown.tell('connection', connection)
    this.#shown.tell('history', history)
    this.#opened.resolve()
    if (!isNew) return
    // The owner may have thought that it is alone; see `#hear`.
    this.#post({ type: 'ping' })
    this.#askAgain()
  }
}
