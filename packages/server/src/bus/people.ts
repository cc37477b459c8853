import type { UserId } from '@parley/protocol'
import type { Clock } from '../clock.ts'
import type { AppKey } from '../model/state.ts'
import type { Doubt, Exchange } from './exchange.ts'
import type { PersonAtNode, TypingSignal } from './messages.ts'
import { isDifferent, type PersonName, type PersonSeen, Presence } from './presence.ts'
import { TypingElsewhere } from './typing.ts'

/** How often it is looked for whoever stopped typing without saying so. */
const EXPIRY_MS = 1_000
/** Somebody asks who is here: answered once for all who ask in this time, and not by all nodes in the same instant. */
const ANSWER_WITHIN_MS = 1_000
/** A process that has just woken sees who left meanwhile before it says who is here, also on a busy machine. */
const WAKING_MS = 1_000

export interface PeopleOptions {
  readonly exchange: Exchange
  readonly clock: Clock
  /** Milliseconds on a clock that does not jump. */
  readonly elapsed?: () => number
  /** From 0 to below 1. */
  readonly chance?: () => number
  /** The presence of these changed, here or elsewhere. */
  changed(people: readonly PersonName[]): void
  /** Somebody types at another node, or does no more. */
  typing(signal: TypingSignal): void
}

/** Who is here and who is typing, at all nodes together. It tells the others of this node's people and hears of theirs. */
export class People {
  readonly #options: PeopleOptions
  readonly #elapsed: () => number
  readonly #presence: Presence
  readonly #typing = new TypingElsewhere()
  readonly #stops: (() => void)[]
  #cancelAnswer: (() => void) | undefined
  #cancelExpiry = () => {}

  constructor(options: PeopleOptions) {
    this.#options = options
    this.#elapsed = options.elapsed ?? (() => performance.now())
    const { exchange } = options
    this.#presence = new Presence(exchange.own.node)
    this.#stops = [
      exchange.on('person', (message, from) => this.#changed(this.#presence.hear(from.life, from.number, message))),
      exchange.on('everybody', (message, from) =>
        this.#changed(this.#presence.hearEverybody(from.life, from.number, message)),
      ),
      exchange.on('who-is-there', ({ of }) => of.node === exchange.own.node && this.#answerSoon()),
      exchange.on('typing', (signal, from) => {
        if (this.#typing.hear(from.life, from.number, signal, this.#elapsed())) options.typing(signal)
      }),
      exchange.onCame(() => this.#answerSoon()),
      exchange.onNewLife(() => this.#answerSoon(WAKING_MS)),
      exchange.onGone((life) => this.#gone(life)),
      exchange.onDoubt((doubt) => this.#doubt(doubt)),
    ]
    this.#expireLater()
  }

  of(person: PersonName): PersonSeen {
    return this.#presence.of(person)
  }

  /** The lives of other nodes at which somebody is said to be. */
  nodesOf(app: AppKey, userId: UserId): Iterable<string> {
    return this.#presence.nodesOf({ app, userId })
  }

  /** Somebody's first connection came to this node, its last one went, or they said something of themselves. */
  own(person: PersonAtNode): void {
    const { app, userId } = person
    const before = this.of({ app, userId })
    const news = this.#presence.own(person)
    if (!news) return
    this.#options.exchange.say(news)
    if (isDifferent(before, this.of({ app, userId }))) this.#changed([{ app, userId }])
  }

  /** Somebody types at this node. */
  type(signal: Omit<TypingSignal, 'type'>): void {
    this.#options.exchange.say({ type: 'typing', ...signal })
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop()
    this.#cancelExpiry()
    this.#cancelAnswer?.()
  }

  #changed(people: readonly PersonName[]): void {
    if (people.length > 0) this.#options.changed(people)
  }

  #gone(life: string): void {
    for (const signal of this.#typing.nodeGone(life)) this.#options.typing(signal)
    this.#changed(this.#presence.nodeGone(life, this.#options.clock.now()))
  }

  /** Whoever was away, or slept, finds out by the numbers as well, and so do those who missed them. */
  #doubt(doubt: Doubt): void {
    if (doubt.reason !== 'missing' || doubt.channel !== 'people') return
    this.#options.exchange.say({ type: 'who-is-there', of: doubt.of })
  }

  #answerSoon(afterMs = 0): void {
    if (this.#cancelAnswer && afterMs === 0) return
    this.#cancelAnswer?.()
    const { clock, chance = Math.random, exchange } = this.#options
    this.#cancelAnswer = clock.after(afterMs + ANSWER_WITHIN_MS * (0.1 + 0.9 * chance()), () => {
      this.#cancelAnswer = undefined
      for (const part of this.#presence.everybodyHere()) exchange.say(part)
    })
  }

  #expireLater(): void {
    this.#cancelExpiry = this.#options.clock.after(EXPIRY_MS, () => {
      for (const signal of this.#typing.expire(this.#elapsed())) this.#options.typing(signal)
      this.#expireLater()
    })
  }
}
