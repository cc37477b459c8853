/**
 * One tab's part in a browser full of them: whatever the app asks for goes to the owner, here or in another tab, and
 * what the owner says is shown in each (`shown.ts`). It owns the channel, this tab's hand on the replica, and the calls
 * without an answer. Who owns is decided by `leadership.ts`; what an owner does, by `owner.ts`.
 *
 *     app ─► call ─► (does this tab own?) ─ yes ─► owner.ts ───────────────────► answer ─► app
 *                                         └ no ──► channel ─► the owner's tab ─► channel ──┘
 */
import type { AuthenticationPorts } from '../authentication/authentication-ports.ts'
import { deferred } from '../deferred.ts'
import type { Channel, Locks, OpenChannel } from '../environment.ts'
import { aborted, closed, ParleyError, storageError } from '../errors.ts'
import { type LoadOnline, OnlinePart } from '../online-part.ts'
import type { LossReason, ReplicaError, ReplicaStorage } from '../replica/replica.ts'
import type { ReplicaWatch } from '../replica-watch.ts'
import { Calls } from './calls.ts'
import {
  type Answer,
  type Call,
  copyEvent,
  type Envelope,
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
  extends Pick<AuthenticationPorts, 'api' | 'line' | 'challenge' | 'clock' | 'chance' | 'makeEngine' | 'tell'> {
  readonly appId: string
  readonly storage: ReplicaStorage
  readonly locks: Locks
  /** Undefined where this tab is on its own. */
  readonly openChannel: () => OpenChannel | undefined
  readonly watch: ReplicaWatch
  readonly loadOnline: LoadOnline
}

/** Beyond it the rows of a commit are not copied to the other tabs: they read anew. */
const MAX_TOUCHED = 500

type OwnEffect = Parameters<OwnershipPorts['perform']>[0]

export class Tab {
  readonly replica: SharedReplica
  readonly shown: Shown
  readonly #ports: TabPorts
  readonly #id: string
  readonly #ownership: Ownership
  readonly #calls: Calls
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

  constructor(ports: TabPorts) {
    const { appId, locks, clock, chance } = ports
    this.#ports = ports
    this.#online = new OnlinePart(ports.loadOnline, clock)
    this.#id = [...chance.bytes(8)].join('.')
    this.#calls = new Calls({
      ask: (call) => this.#ask(call),
      post: (message) => this.#post(message),
      isOwner: () => this.#owner !== undefined,
      challenge: ports.challenge,
    })
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
    this.shown = new Shown({ ...ports, replica: this.replica })
    this.#open().catch((error) => this.#storageFailed(error))
    // Here before it is needed, also if the owner leaves; whoever needs it tries again.
    this.#online.get(this.#life.signal).catch(() => {})
  }

  // -- what the app sees ---------------------------------------------------------------------------------------------

  /** Asks the owner for something, and the next one if that owner dies before it has answered. */
  call<V extends Verb>(
    verb: V,
    args: Parameters<Verbs[V]>,
    signal?: AbortSignal,
  ): Promise<Awaited<ReturnType<Verbs[V]>>> {
    if (this.shown.isClosed) return Promise.reject(closed())
    if (signal?.aborted) return Promise.reject(aborted(signal))
    if (verb === 'connect' || verb === 'disconnect') this.shown.note({ wantsConnection: verb === 'connect' })
    const answer = this.#calls.make({ verb, args, identity: this.shown.identity?.id }, signal)
    // The cast: this verb's answer.
    return answer as Promise<Awaited<ReturnType<Verbs[V]>>>
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
    if (this.shown.isClosed) return this.#closed.promise
    const owner = this.#owner
    this.shown.tell('state', { state: 'closed' })
    this.shown.settle()
    this.#life.abort()
    this.#ownership.dispatch('close')
    await owner?.retire()
    // What this tab was about to write as the owner is written by now, and was answered so.
    this.#calls.close(error)
    this.#channel?.close()
    await this.replica.close()
    this.#closed.resolve()
  }

  // -- the local database --------------------------------------------------------------------------------------------

  get #name(): string {
    return `parley:${this.#ports.appId}`
  }

  async #open(): Promise<void> {
    await this.replica.open()
    if (this.shown.isClosed) return this.replica.close()
    this.#channel = this.#ports.openChannel()?.(this.#name, (message) => this.#hear(message as Envelope))
    this.#ownership.dispatch('open')
    if (!this.#channel) return
    // Tells the owner that we live, should it wait for an answer of ours.
    const { locks } = this.#ports
    const { signal } = this.#life
    locks.hold(`${this.#name}:${this.#id}`, { signal }, () => this.#closed.promise).catch(() => {})
  }

  #storageFailed(error: unknown): void {
    if (this.shown.isClosed) return
    this.#ports.tell('storage', { state: 'lost', error })
    void this.close(storageError(error)).catch(() => {})
  }

  #fenced(): void {
    if (this.#channel) this.#ownership.dispatch('lost')
    else this.#storageFailed(new ParleyError('storage_failed', 'Another client writes to the same database.'))
  }

  #lostReplica(reason: LossReason): void {
    if (this.shown.isClosed) return
    this.#ports.tell('storage', { state: 'lost' })
    const error = new ParleyError('storage_failed', `The local database was ${reason}.`)
    if (reason !== 'deleted') return void this.close(error).catch(() => {})
    const reopen = async () => {
      this.#term = await this.replica.reopen()
      this.#introduce()
    }
    const reopened = this.#owner ? this.#owner.authentication.dataDeleted(error, reopen) : this.replica.open()
    reopened.catch((cause) => this.#storageFailed(cause))
  }

  // -- being the owner, or not ---------------------------------------------------------------------------------------

  #perform(effect: OwnEffect): void {
    if (effect === 'retire') this.#retire()
    else if (effect === 'show') this.shown.showStored().catch((error) => this.#storageFailed(error))
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
      this.shown.attend(owner)
      const post = (message: Message) => this.#owner === owner && this.#post(message)
      const lockOf = (tab: string) => `${this.#name}:${tab}`
      this.#service = new Service({ owner, locks: this.#ports.locks, lockOf, post })
      await owner.authentication.takeOver()
      if (this.#owner !== owner) return
      // Of its last commits the owner before us may have told nobody.
      this.#ports.watch.touched('everything')
      this.#ownership.dispatch('claimed')
      this.#introduce()
      this.shown.settle()
      this.#calls.askAgain()
    } catch (error) {
      // Another tab was faster, or this one is being closed: that is dealt with where it happens.
      const { code } = error as Partial<ReplicaError>
      if (code === 'fenced') this.#fenced()
      else if (code !== 'closed') this.#storageFailed(error)
    }
  }

  #makeOwner(): Owner {
    return new Owner({
      ...this.#ports,
      online: this.#online,
      replica: this.replica,
      wantsConnection: this.shown.snapshot.wantsConnection,
      tell: (name, event) => {
        this.shown.tell(name, event)
        this.#say({ type: 'told', name, event: copyEvent(event) })
      },
      onBasis: (shown, wantsConnection) => {
        this.shown.showBasis(shown, wantsConnection)
        this.#say({ type: 'basis', shown, wantsConnection })
      },
      onBroken: (error) => this.#storageFailed(error),
    })
  }

  #retire(): void {
    const owner = this.#owner
    const { state } = this.#ownership
    // Whoever lost the lock is not to send others after whoever has it now.
    if (state === 'asleep' || state === 'closed') this.#post({ type: 'farewell' })
    this.#followed = 0
    if (!owner) return
    this.shown.attend(undefined)
    this.#owner = undefined
    this.#service = undefined
    this.#retired = owner.retire().catch(() => {})
  }

  #introduce(to?: string): void {
    this.#post({ type: 'owner', to, snapshot: this.shown.snapshot })
  }

  // -- calls ---------------------------------------------------------------------------------------------------------

  #ask(call: Call): void {
    const owner = this.#owner
    if (owner && this.#ownership.state === 'owning') {
      const answer = (answer: Answer) => {
        // Nobody else will carry it out for a tab that closes: what this one says of it is the truth.
        if (this.#owner === owner || this.shown.isClosed) this.#calls.answered(call.number, answer)
      }
      const signal = this.#calls.signalOf(call.number) ?? this.#life.signal
      void owner.carryOut(call, { signal, challenge: this.#ports.challenge, answer })
    } else if (this.#followed > 0) {
      try {
        this.#post({ type: 'call', call })
      } catch (error) {
        this.#calls.answered(call.number, { error: new ParleyError('invalid', String(error), { cause: error }) })
      }
    }
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
    if (message.version !== TABS_VERSION || this.shown.isClosed) return
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
    else if (type === 'answer' || type === 'ask') this.#calls.hear(message)
    else this.shown.hear(message)
  }

  #follow({ term, snapshot }: OwnerEnvelope & { readonly type: 'owner' }): void {
    const isNew = this.#followed !== term
    this.#followed = term
    this.shown.showAll(snapshot)
    if (!isNew) return
    // The owner may have thought that it is alone; see `#hear`.
    this.#post({ type: 'ping' })
    this.#calls.askAgain()
  }
}
