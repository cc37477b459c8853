/**
 * Has those who come within a moment of each other go on together. What many ask for at once, as after a server came back,
 * is then done for several of them in one go: one look into the store, one commit, one flush. Whoever comes alone goes at
 * once.
 */
export class Departures {
  readonly #everyMs: number
  #waiting: (() => void)[] = []
  #lastAt = Number.NEGATIVE_INFINITY

  /** @param everyMs from one departure to the next, and so about the longest that anybody waits */
  constructor(everyMs: number) {
    this.#everyMs = everyMs
  }

  /** Resolves when it is time to go. */
  next(): Promise<void> {
    if (this.#waiting.length === 0) {
      const now = performance.now()
      const leftMs = this.#lastAt + this.#everyMs - now
      if (leftMs <= 0) {
        this.#lastAt = now
        return Promise.resolve()
      }
      setTimeout(() => this.#depart(), leftMs)
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #depart(): void {
    this.#lastAt = performance.now()
    const together = this.#waiting
    this.#waiting = []
    for (const go of together) go()
  }
}
