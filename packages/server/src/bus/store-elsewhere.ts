import type { Exchange } from './exchange.ts'
import { BEAT_MS } from './peers.ts'

/** What was said so long ago need not be so any more. */
const FRESH_MS = 2 * BEAT_MS

/** Whether other nodes reach the store while this one may not: each says so with every beat. */
export class StoreElsewhere {
  readonly #elapsed: () => number
  #saidAt = Number.NEGATIVE_INFINITY

  constructor(exchange: Pick<Exchange, 'on'>, elapsed: () => number = () => performance.now()) {
    this.#elapsed = elapsed
    exchange.on('beat', ({ hasStore }) => {
      if (hasStore) this.#saidAt = elapsed()
    })
  }

  /** Whether somebody who is still there said so just now. */
  get answers(): boolean {
    return this.#elapsed() - this.#saidAt <= FRESH_MS
  }
}
