/**
 * A store that is asked every second and was silent for so long is hanging, or out of reach from here. Where other servers
 * can take over, that had better be known soon; the only one there is has nobody to send people to.
 */
const MAX_SILENCE_MS = { alone: 15_000, amongOthers: 4_000 }

/** When the store last answered; told by a job that asks it every second, whatever the store is and wherever. */
export class StorePulse {
  readonly #now: () => number
  readonly #maxSilenceMs: number
  #beatAt: number

  /**
   * @param isAlone whether no other server is on the store
   * @param now milliseconds of a clock that nobody sets, so that a leap of the wall clock is no silence
   */
  constructor(isAlone: boolean, now: () => number = () => performance.now()) {
    this.#now = now
    this.#maxSilenceMs = isAlone ? MAX_SILENCE_MS.alone : MAX_SILENCE_MS.amongOthers
    this.#beatAt = now()
  }

  beat(): void {
    this.#beatAt = this.#now()
  }

  /** A sentence while the store has been silent for too long. */
  get trouble(): string | undefined {
    const silentMs = this.#now() - this.#beatAt
    if (silentMs < this.#maxSilenceMs) return undefined
    return `The store has not answered for ${Math.round(silentMs / 1_000)} seconds.`
  }
}
