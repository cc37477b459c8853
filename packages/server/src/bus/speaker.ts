import { encodeBatch, splitBatches } from './batch-text.ts'
import type { Bus, Channel } from './bus.ts'
import type { NodeLife } from './messages.ts'
import type { Seal } from './seal.ts'
import type { Words } from './words.ts'

export interface SpeakerOptions {
  readonly bus: Bus
  readonly seal: Seal
  readonly own: NodeLife
  /** Runs the callback when this turn of the event loop has brought all it will bring. */
  readonly soon: (callback: () => void) => void
  /** Messages that were said, and that could not be: counted here. */
  readonly counts: { said: number; unsaid: number }
  /** Up to this number was said on a channel. */
  readonly said: (channel: Channel, number: number) => void
}

/**
 * This node's mouth: what is said in one turn of the event loop on one channel travels as one; each such batch is sealed,
 * and numbered for its channel in this life of the node.
 */
export class Speaker {
  readonly #options: SpeakerOptions
  #own: NodeLife
  #numbers = new Map<Channel, number>()
  #gathered = new Map<Channel, (() => Words)[]>()
  #isGathering = false
  #isClosed = false

  constructor(options: SpeakerOptions) {
    this.#options = options
    this.#own = options.own
  }

  /** How many batches were said on each channel in this life. */
  get heads(): ReadonlyMap<Channel, number> {
    return this.#numbers
  }

  /**
   * Says something at the end of this turn.
   * @param words asked for then, since putting it into words need not keep the next commit waiting
   */
  say(channel: Channel, words: () => Words): void {
    if (this.#isClosed) return
    const all = this.#gathered.get(channel)
    if (all) all.push(words)
    else this.#gathered.set(channel, [words])
    if (this.#isGathering) return
    this.#isGathering = true
    this.#options.soon(() => {
      this.#isGathering = false
      this.flush()
    })
  }

  flush(): void {
    if (this.#gathered.size === 0) return
    const gathered = this.#gathered
    this.#gathered = new Map()
    for (const [channel, all] of gathered) this.#publish(channel, all)
  }

  /** A new life: numbers begin anew. What was about to be said on a channel goes with the old one unless it is kept. */
  reborn(own: NodeLife, isKept: (channel: Channel) => boolean): void {
    this.#own = own
    this.#numbers = new Map()
    for (const channel of [...this.#gathered.keys()]) if (!isKept(channel)) this.#gathered.delete(channel)
  }

  /** Nothing is said any more. */
  close(): void {
    this.#isClosed = true
  }

  #publish(channel: Channel, all: readonly (() => Words)[]): void {
    const { bus, seal, counts, said } = this.#options
    if (bus.state.state === 'degraded') {
      // Nobody hears it. That something was said the others learn from its number.
      said(channel, this.#number(channel))
      counts.unsaid += all.length
      return
    }
    const batches = splitBatches(
      all.map((words) => words()),
      (text) => Buffer.byteLength(text),
    )
    for (const batch of batches) {
      const text = encodeBatch(this.#own, this.#number(channel), batch)
      bus.publish(channel, seal.seal(channel, text))
      counts.said += batch.length
    }
    const left = all.length - batches.reduce((count, batch) => count + batch.length, 0)
    if (left > 0) this.#number(channel)
    counts.unsaid += left
    said(channel, this.#numbers.get(channel)!)
  }

  #number(channel: Channel): number {
    const number = (this.#numbers.get(channel) ?? 0) + 1
    this.#numbers.set(channel, number)
    return number
  }
}
