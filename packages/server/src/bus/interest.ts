import type { UserId } from '@parley/protocol'
import type { Clock } from '../clock.ts'
import type { AppKey } from '../model/state.ts'
import { Addressees } from './addressees.ts'
import { Confirmations } from './confirmations.ts'
import type { Addressing, Exchange } from './exchange.ts'
import type { From } from './hearer.ts'
import type { Commit, KnownPeople, NodeMessage } from './messages.ts'

/** Within this time one answer will do for all who came to a node. */
const ANSWER_WITHIN_MS = 20

export interface InterestOptions {
  readonly exchange: Exchange
  readonly clock: Clock
  /** Milliseconds on a clock that does not jump. */
  readonly elapsed?: () => number
  /** Moves remembered for nodes that are not known yet to be concerned. */
  readonly capacity?: number
  /** The lives of nodes at which somebody is said to be. */
  nodesOf(app: AppKey, userId: UserId): Iterable<string>
}

/**
 * Each node is told what concerns the people at it, and nothing else. Two halves: whom this node tells ({@link Addressees}),
 * and whether the others know whom to tell it of ({@link Confirmations}).
 *
 *     B: somebody came (number 7 of what B said of its people)
 *     A:   what it committed a moment ago for them and did not tell B; then: “your people are known up to 7”
 *     A:   from now on what concerns them
 *
 * What A had forgotten by then, since it took long, B looks up. Until A says that it knows, B looks into the store every
 * other second.
 */
export class Interest implements Addressing {
  readonly #options: InterestOptions
  readonly #elapsed: () => number
  readonly #addressees: Addressees
  readonly #confirmations = new Confirmations()
  readonly #stops: (() => void)[]
  /** Nodes that said something of their people and are to be answered. */
  readonly #toAnswer = new Map<string, From>()
  #cancelAnswer: (() => void) | undefined

  constructor(options: InterestOptions) {
    this.#options = options
    this.#elapsed = options.elapsed ?? (() => performance.now())
    this.#addressees = new Addressees({ nodesOf: options.nodesOf, capacity: options.capacity })
    const { exchange } = options
    this.#stops = [
      exchange.onCame((from) => this.#came(from)),
      exchange.onGone((life) => this.#gone(life)),
      exchange.onNewLife(() => this.#confirmations.reborn(this.#elapsed())),
      exchange.onDoubt((doubt) => {
        if (doubt.reason === 'missing' && doubt.channel === 'people') this.#addressees.missed(doubt.of)
      }),
      exchange.onSaid(({ channel, number }) => {
        if (channel === 'people') this.#confirmations.said(number, this.#elapsed())
      }),
      exchange.on('person', (said, from) => this.#heard(said, from)),
      exchange.on('everybody', (said, from) => this.#heard(said, from)),
      exchange.on('beat', ({ to }, from) => this.#beat(to, from)),
      exchange.on('known', (known, from) => this.#known(known, from)),
    ]
    exchange.address(this)
  }

  of(commit: Commit): readonly string[] | undefined {
    this.#tellMissed()
    return this.#addressees.of(commit, this.#elapsed())
  }

  knownOf(life: string): Pick<KnownPeople, 'number' | 'reachesMs'> | undefined {
    // Before it is said that they are known: who hears that takes it for granted.
    this.#tellMissed()
    return this.#addressees.knownOf(life, this.#elapsed())
  }

  /** Whether the others know who is here, or had no time yet to say so. */
  get isKnown(): boolean {
    return !this.#confirmations.isLate(this.#elapsed())
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop()
    this.#cancelAnswer?.()
  }

  #came(from: From): void {
    this.#addressees.came(from)
    this.#confirmations.came(from.life, this.#elapsed())
  }

  #gone(life: string): void {
    this.#addressees.gone(life)
    this.#toAnswer.delete(life)
    if (this.#confirmations.gone(life)) this.#options.exchange.doubt({ reason: 'not-known' })
  }

  #heard(said: Extract<NodeMessage, { type: 'person' | 'everybody' }>, from: From): void {
    this.#addressees.heard(from, said)
    this.#toAnswer.set(from.life, from)
    this.#cancelAnswer ??= this.#options.clock.after(ANSWER_WITHIN_MS, () => {
      this.#cancelAnswer = undefined
      this.#answer()
    })
  }

  #answer(): void {
    for (const [life, { node, incarnation }] of this.#toAnswer) {
      const known = this.knownOf(life)
      if (known) this.#options.exchange.sayTo(node, { type: 'known', of: { node, incarnation }, ...known })
    }
    this.#toAnswer.clear()
  }

  #tellMissed(): void {
    for (const [node, missed] of this.#addressees.takeMissed(this.#elapsed())) {
      for (const hint of missed) this.#options.exchange.sayTo(node, hint)
    }
  }

  #beat(to: Extract<NodeMessage, { type: 'beat' }>['to'], { life }: From): void {
    const own = to?.[this.#options.exchange.own.node]
    this.#addressees.beat(life, to !== undefined)
    this.#confirmations.beat(life, { isAlike: to !== undefined, isAware: own !== undefined }, this.#elapsed())
    if (own?.known) this.#known(own.known, { life })
  }

  #known({ of, number, reachesMs }: KnownPeople, { life }: Pick<From, 'life'>): void {
    const { own } = this.#options.exchange
    if (of.node !== own.node || of.incarnation !== own.incarnation) return
    const isDoubtful = this.#confirmations.known(life, { number, reachesMs }, this.#elapsed())
    if (isDoubtful) this.#options.exchange.doubt({ reason: 'not-known' })
  }
}
