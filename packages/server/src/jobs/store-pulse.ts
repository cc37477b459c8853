/** A store that is asked every second and was silent for so long is hanging, or out of reach from here. */
const MAX_SILENCE_MS = 15_000

/** When the store last answered; told by a job that asks it every second, whatever the store is and wherever. */
export class StorePulse {
  readonly #now: () => number
  #beatAt: number

  /** @param now milliseconds of a clock that nobody sets, so that a leap of the wall clock is no silence */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#beatAt = now()
  }

  beat(): void {
    this.#beatAt = this.#now()
  }

  /** A sentence while the store has been silent for too long. */
  get trouble(): string | undefined {
    const silentMs = this.#now() - this.#beatAt
    if (silentMs < MAX_SILENCE_MS) return undefined
    return `The store has not answered for ${Math.round(silentMs / 1_000)} seconds.`
  }
}
