import type { Clock } from '../clock.ts'
import { Listeners } from '../listeners.ts'
import { type Beat, Beats, beatOf, SLEPT_MS } from './beats.ts'
import type { Bus, Channel } from './bus.ts'
import { Channels, channelTo } from './channels.ts'
import { type From, Hearer, lifeName } from './hearer.ts'
import {
  type Commit,
  type CommitHint,
  commitWords,
  type KnownPeople,
  type NodeLife,
  type NodeMessage,
} from './messages.ts'
import { Peers } from './peers.ts'
import { type Fault, Seal } from './seal.ts'
import { Speaker } from './speaker.ts'
import { inWords, type Words } from './words.ts'

export interface ExchangeOptions {
  readonly bus: Bus
  readonly clock: Clock
  /** Milliseconds on a clock that does not jump. */
  readonly elapsed?: () => number
  /** The secret of the store, which all nodes share. */
  readonly secret: string
  /** This node's name, no other's. */
  readonly node: string
  /** Whether the store answers this node at present; the others are told with each beat. */
  readonly hasStore?: () => boolean
  /** Channels that changes and signals are spread over; the same number at every node. */
  readonly partitions?: number
  readonly log: (message: string, details: Record<string, unknown>) => void
  /** Runs the callback when this turn of the event loop has brought all it will bring. */
  readonly soon?: (callback: () => void) => void
}

/** Why something may have been missed. */
export type Doubt =
  /** A node's numbers have a gap on a channel. */
  | { readonly reason: 'missing'; readonly of: NodeLife; readonly channel: string }
  /** A node is heard for the first time; it may have said something before. */
  | { readonly reason: 'new-node'; readonly of: NodeLife }
  | { readonly reason: 'reconnected' }
  /** A node committed something without knowing who is here. */
  | { readonly reason: 'not-known' }
  /** This process stood still for a while. */
  | { readonly reason: 'slept' }

/** What was passed over, by reason; for whoever operates it. */
export type ExchangeCounts = Record<
  Fault | 'unknown' | 'repeated' | 'missing' | 'own' | 'past' | 'said' | 'heard' | 'unsaid',
  number
>

/** Who decides which nodes are told of a commit, and knows whether the others can decide it for this one. */
export interface Addressing {
  /** Nodes that are to be told of a commit; undefined: all of them. */
  of(commit: Commit): readonly string[] | undefined
  /** What is known of the people at a life of a node. */
  knownOf(life: string): Pick<KnownPeople, 'number' | 'reachesMs'> | undefined
  /** Whether the others know who is here, or had no time yet to say so. */
  readonly isKnown: boolean
}

type Kind = NodeMessage['type']
type MessageOf<Type extends Kind> = Extract<NodeMessage, { readonly type: Type }>

/**
 * What this node says to the others (`speaker.ts`) and hears from them (`hearer.ts`). It tells when something may have
 * been missed, which nodes came and went, and whether the bus can be relied on. Whoever it tells decides what follows.
 */
export class Exchange {
  readonly counts: ExchangeCounts = {
    ...{ oversized: 0, malformed: 0, 'other-version': 0, forged: 0, unknown: 0, repeated: 0, missing: 0 },
    ...{ own: 0, past: 0, said: 0, heard: 0, unsaid: 0 },
  }
  readonly #options: ExchangeOptions
  readonly #channels: Channels
  readonly #hearer: Hearer
  readonly #speaker: Speaker
  readonly #peers = new Peers()
  readonly #lives = new Map<string, string>()
  readonly #ears = new Map<Kind, Listeners<{ readonly message: NodeMessage; readonly from: From }>>()
  readonly #doubts: Listeners<Doubt>
  readonly #reliability: Listeners<boolean>
  readonly #came: Listeners<From>
  readonly #gone: Listeners<string>
  readonly #newLife: Listeners<NodeLife>
  readonly #saidOn: Listeners<{ readonly channel: Channel; readonly number: number }>
  readonly #stops: (() => void)[] = []
  /** Answered once a beat: nodes that do not know that they were held for dead. */
  readonly #answered = new Set<string>()
  #own: NodeLife
  #addressing: Addressing | undefined
  readonly #beats: Beats
  #wasReliable: boolean
  #isClosed = false

  constructor(options: ExchangeOptions) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(options.node)) {
      throw new Error('The name of a node consists of 1 to 64 letters, digits, dots, - and _.')
    }
    this.#options = options
    const soon = options.soon ?? setImmediate
    this.#channels = new Channels(options.partitions)
    const seal = new Seal(options.secret)
    this.#own = { node: options.node, incarnation: Math.max(1, Math.floor(options.clock.now())) }
    this.#speaker = new Speaker({
      ...{ bus: options.bus, seal, own: this.#own, soon, counts: this.counts },
      said: (channel, number) => this.#saidOn.tell({ channel, number }),
    })
    this.#hearer = new Hearer({
      ...{ seal, channels: this.#channels, own: () => this.#own, counts: this.counts },
      onNamesake: ({ node }) => options.log('another node bears the name of this one', { node }),
    })
    const stumbled = (error: unknown) => this.#stumbled(error)
    this.#doubts = new Listeners(stumbled)
    this.#reliability = new Listeners(stumbled)
    this.#came = new Listeners(stumbled)
    this.#gone = new Listeners(stumbled)
    this.#newLife = new Listeners(stumbled)
    this.#saidOn = new Listeners(stumbled)
    this.#wasReliable = this.isReliable
    for (const channel of [...this.#channels.all, channelTo(options.node)]) {
      this.#stops.push(options.bus.subscribe(channel, (payload) => this.#hear(channel, payload)))
    }
    this.#stops.push(options.bus.watch(({ state }) => this.#busIs(state)))
    const elapsed = options.elapsed ?? (() => performance.now())
    this.#beats = new Beats({ clock: options.clock, elapsed, pass: (lateMs) => this.#pass(lateMs) })
    soon(() => this.say(this.#beat()))
  }

  /** This node, as the others know it. */
  get own(): NodeLife {
    return this.#own
  }

  get others(): readonly NodeLife[] {
    return this.#peers.alive
  }

  /** Whether hints come as they should: the bus is there, nobody on it is strangely quiet, and all know whom to tell. */
  get isReliable(): boolean {
    const isConnected = this.#options.bus.state.state === 'connected'
    return isConnected && !this.#peers.isAnybodySilent && this.#addressing?.isKnown !== false
  }

  /** From now on nodes are told only of commits that concern them. Before that, and without it, all are told of all. */
  address(addressing: Addressing): void {
    this.#addressing = addressing
  }

  /**
   * Says what was committed, at the end of this turn: putting it into words need not keep the next commit waiting. What is
   * given must not change any more.
   */
  commits(committed: readonly Commit[]): void {
    for (const commit of committed) {
      const nodes = this.#addressing ? this.#addressing.of(commit) : undefined
      if (!nodes) this.#speaker.say(this.#channels.ofCommit(commit), () => commitWords(commit))
      else if (nodes.length === 1) this.#speaker.say(channelTo(nodes[0]!), () => commitWords(commit))
      else if (nodes.length > 1) this.#sayToAll(nodes, commit)
    }
  }

  /** Says something at the end of this turn. */
  say(message: Exclude<NodeMessage, CommitHint>): void {
    this.#speaker.say(this.#channels.of(message), () => inWords(message))
  }

  /** Says something to one node, at the end of this turn. */
  sayTo(node: string, message: NodeMessage): void {
    this.#speaker.say(channelTo(node), () => inWords(message))
  }

  /** Somebody who listens to it found out that something may have been missed. */
  doubt(doubt: Doubt): void {
    this.#doubts.tell(doubt)
  }

  /** Hears messages of a kind; the answer stops it. */
  on<Type extends Kind>(type: Type, hear: (message: MessageOf<Type>, from: From) => void): () => void {
    const known = this.#ears.get(type)
    const listeners = known ?? new Listeners((error) => this.#stumbled(error))
    this.#ears.set(type, listeners)
    return listeners.add(({ message, from }) => hear(message as MessageOf<Type>, from))
  }

  /** Something may have been missed: the store has to be looked at. */
  onDoubt(listener: (doubt: Doubt) => void): () => void {
    return this.#doubts.add(listener)
  }

  onReliability(listener: (isReliable: boolean) => void): () => void {
    return this.#reliability.add(listener)
  }

  /** A node is heard for the first time in this life of it. */
  onCame(listener: (from: From) => void): () => void {
    return this.#came.add(listener)
  }

  /** A life of a node is over, named as in {@link From}. */
  onGone(listener: (life: string) => void): () => void {
    return this.#gone.add(listener)
  }

  /** Others held this node for dead, so it begins anew: whatever they knew of it they have forgotten. */
  onNewLife(listener: (own: NodeLife) => void): () => void {
    return this.#newLife.add(listener)
  }

  /** Up to this number was said on a channel. */
  onSaid(listener: (said: { readonly channel: Channel; readonly number: number }) => void): () => void {
    return this.#saidOn.add(listener)
  }

  /** Says good-bye. The bus itself stays open. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.say({ type: 'leaving' })
    this.#speaker.flush()
    this.#speaker.close()
    this.#isClosed = true
    this.#beats.stop()
    for (const stop of this.#stops.splice(0)) stop()
    await this.#options.bus.flush()
  }

  /** It is put into words once. */
  #sayToAll(nodes: readonly string[], commit: Commit): void {
    let words: Words | undefined
    const once = () => {
      words ??= commitWords(commit)
      return words
    }
    for (const node of nodes) this.#speaker.say(channelTo(node), once)
  }

  #hear(channel: Channel, payload: Uint8Array): void {
    const heard = this.#hearer.hear(channel, payload)
    if (!heard) return
    const { batch, from, isMissing } = heard
    const isHeard = this.#stand(from)
    // Before what it says is told: whoever is told had better know that something is missing.
    if (isMissing) this.#missing(batch, channel)
    this.counts.unknown += batch.unknown
    this.counts.malformed += batch.malformed
    for (const message of batch.messages) {
      // What was committed was committed, whoever says so.
      if (isHeard || message.type === 'committed') this.#tell(message, from)
    }
  }

  /** Whether its sender may be heard. */
  #stand(from: From): boolean {
    switch (this.#peers.hear(from)) {
      case 'known':
        this.#checkReliability()
        return true
      case 'new':
        this.#end(from.node)
        this.#lives.set(from.node, from.life)
        this.#came.tell(from)
        this.#doubts.tell({ reason: 'new-node', of: { node: from.node, incarnation: from.incarnation } })
        this.#checkReliability()
        return true
      case 'dead':
      case 'past':
        this.counts.past += 1
        this.#answer(from.node)
        return false
    }
  }

  #tell(message: NodeMessage, from: From): void {
    this.counts.heard += 1
    if (message.type === 'beat') for (const channel of this.#hearer.missing(message, from)) this.#missing(from, channel)
    if (message.type === 'leaving' && this.#peers.left(from)) this.#end(from.node)
    if (message.type === 'held-for-dead') this.#heldForDead(message.dead)
    this.#ears.get(message.type)?.tell({ message, from })
  }

  #missing({ node, incarnation }: NodeLife, channel: string): void {
    this.counts.missing += 1
    this.#doubts.tell({ reason: 'missing', of: { node, incarnation }, channel })
  }

  #answer(node: string): void {
    if (this.#answered.has(node)) return
    this.#answered.add(node)
    const dead = this.#peers.lifeOf(node)
    if (dead) this.say({ type: 'held-for-dead', dead })
  }

  #heldForDead(dead: NodeLife): void {
    if (dead.node !== this.#own.node || dead.incarnation < this.#own.incarnation) return
    const now = Math.floor(this.#options.clock.now())
    this.#own = { node: dead.node, incarnation: Math.max(now, dead.incarnation + 1) }
    // Of whom it had, it was to speak as it woke, before it knew who had left. What was committed was committed.
    this.#speaker.reborn(this.#own, (channel) => channel.startsWith('changes.') || channel.startsWith('to.'))
    this.#options.log('others held this node for dead', { incarnation: this.#own.incarnation })
    this.say(this.#beat())
    this.#newLife.tell(this.#own)
  }

  #end(node: string): void {
    const life = this.#lives.get(node)
    if (life === undefined) return
    this.#lives.delete(node)
    this.#gone.tell(life)
  }

  #busIs(state: 'connected' | 'degraded'): void {
    this.#checkReliability()
    if (state === 'degraded') return
    this.say(this.#beat())
    this.#doubts.tell({ reason: 'reconnected' })
  }

  #checkReliability(): void {
    const { isReliable } = this
    if (isReliable === this.#wasReliable) return
    this.#wasReliable = isReliable
    this.#reliability.tell(isReliable)
  }

  /** A beat passed, so much later than it should have. */
  #pass(lateMs: number): void {
    this.#answered.clear()
    this.say(this.#beat())
    if (lateMs > SLEPT_MS) {
      this.#options.log('this node slept', { lateMs })
      this.#doubts.tell({ reason: 'slept' })
    }
    for (const dead of this.#peers.beat()) {
      this.#options.log('a node is held for dead', { ...dead })
      this.#end(dead.node)
      this.say({ type: 'held-for-dead', dead })
    }
    this.#checkReliability()
  }

  #beat(): Beat {
    const addressing = this.#addressing
    return beatOf({
      channels: this.#channels.all,
      heads: this.#speaker.heads,
      hasStore: this.#options.hasStore?.(),
      told: addressing && { nodes: this.#peers.alive, knownOf: (of) => addressing.knownOf(lifeName(of)) },
    })
  }

  #stumbled(error: unknown): void {
    const details = error instanceof Error ? error.stack : String(error)
    this.#options.log('a bug in who hears other nodes', { error: details })
  }
}
