/**
 * What this tab shows of the owner, to its own app: who is signed in, whose data there is to see, how far things are, and
 * whatever else the app is told of. The same thing is told once, since after a change of owners most things are as they were;
 * and nothing once this client is closed.
 */
import type { BasicIdentity, ConversationId } from '@parley/protocol'
import { readStored } from '../authentication/stored-session.ts'
import type { ClientEvents, Tell } from '../client-types.ts'
import { deferred } from '../deferred.ts'
import { share } from '../queries/share.ts'
import type { Replica } from '../replica/replica.ts'
import type { ReplicaWatch } from '../replica-watch.ts'
import { stopped } from '../sync/connection-state.ts'
import { NO_HISTORY } from '../sync/history.ts'
import { eventFrom, type OwnerEnvelope, type Snapshot } from './messages.ts'

/** How far things are. */
type Progress = Pick<Snapshot, 'connection' | 'history' | 'aliases'>

export interface ShownPorts {
  readonly replica: Replica
  readonly watch: ReplicaWatch
  /** To the app in this tab. */
  readonly tell: Tell
}

export class Shown {
  readonly #ports: ShownPorts
  readonly #opened = deferred()
  #told: Snapshot = {
    state: { state: 'opening' },
    connection: stopped,
    history: NO_HISTORY,
    shown: undefined,
    aliases: new Map(),
    wantsConnection: true,
  }
  /** The owner, while it is in this tab. */
  #owner: Progress | undefined

  constructor(ports: ShownPorts) {
    this.#ports = ports
  }

  /** Settles once it is known who is signed in. */
  get opened(): Promise<void> {
    return this.#opened.promise
  }

  get snapshot(): Snapshot {
    const { connection, history, aliases } = this.#owner ?? this.#told
    return { ...this.#told, connection, history, aliases }
  }

  get identity(): BasicIdentity | undefined {
    const { state } = this.#told
    return 'identity' in state ? state.identity : undefined
  }

  get isClosed(): boolean {
    return this.#told.state.state === 'closed'
  }

  /** The id a conversation goes by now. */
  resolve(conversation: ConversationId): ConversationId {
    return this.snapshot.aliases.get(conversation) ?? conversation
  }

  tell(name: keyof ClientEvents, event: unknown): void {
    if (this.isClosed) return
    const before = (this.#told as Partial<Record<keyof ClientEvents, unknown>>)[name]
    if (share(before, event) === before) return
    if (name === 'state' || name === 'connection' || name === 'history') this.note({ [name]: event })
    else if (name === 'relabelled') {
      const { from, to } = event as ClientEvents['relabelled']
      this.note({ aliases: new Map([...this.#told.aliases, [from, to]]) })
    }
    this.#ports.tell(name, event as never)
  }

  /** What the app is not told of, or sees elsewhere. */
  note(news: Partial<Snapshot>): void {
    this.#told = { ...this.#told, ...news }
  }

  /** An owner in this tab says itself how far things are; what it said last stays when it goes. */
  attend(owner: Progress | undefined): void {
    this.#told = this.snapshot
    this.#owner = owner
  }

  /** Whose data there is to see, and whether the app wants a connection. */
  showBasis(shown: BasicIdentity | undefined, wantsConnection: boolean): void {
    const { watch, replica } = this.#ports
    this.note({ shown, wantsConnection })
    watch.show(replica, shown)
  }

  /** Nobody knows better: what is in the replica. */
  async showStored(): Promise<void> {
    const { session, signingOut } = await readStored(this.#ports.replica)
    if (!session || signingOut || this.#told.state.state !== 'opening') return
    const { identity, id, expiresAt } = session
    this.showBasis(identity, this.#told.wantsConnection)
    this.tell('state', { state: 'authenticated', identity, session: { id, expiresAt } })
    this.settle()
  }

  /** An owner in another tab presents itself. */
  showAll({ state, connection, history, shown, aliases, wantsConnection }: Snapshot): void {
    this.note({ aliases })
    this.showBasis(shown, wantsConnection)
    // What was committed before we heard of it.
    this.#ports.watch.touched('everything')
    this.tell('state', state)
    this.tell('connection', connection)
    this.tell('history', history)
    this.settle()
  }

  /** That owner says what is news. */
  hear(message: OwnerEnvelope): void {
    if (message.type === 'told') this.tell(message.name, eventFrom(message.event))
    else if (message.type === 'touched') this.#ports.watch.touched(message.writes)
    else if (message.type === 'basis') this.showBasis(message.shown, message.wantsConnection)
  }

  /** It is known who is signed in, or never will be. */
  settle(): void {
    this.#opened.resolve()
  }
}
