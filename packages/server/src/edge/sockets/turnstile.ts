/** Upgrades carried out in one turn of the event loop, some 5 ms of it; between two turns everybody else is served. */
const PER_TURN = 32
/** Upgrades that may wait for their turn. Beyond this whoever comes is told to come back, which costs next to nothing. */
export const MAX_WAITING_UPGRADES = 2_000

/**
 * Thousands who come at once, as after the server came back, enter a few at a time. What leaves the line unserved is
 * the caller's affair: a socket that is gone by its turn is not upgraded.
 */
export class Turnstile {
  readonly #waiting: (() => void)[] = []
  #isTurning = false

  /** Runs `enter` when it is its turn, or answers false because too many wait already. */
  pass(enter: () => void): boolean {
    if (this.#waiting.length >= MAX_WAITING_UPGRADES) return false
    this.#waiting.push(enter)
    if (!this.#isTurning) {
      this.#isTurning = true
      this.#turn()
    }
    return true
  }

  #turn(): void {
    for (const enter of this.#waiting.splice(0, PER_TURN)) enter()
    if (this.#waiting.length > 0) setImmediate(() => this.#turn())
    else setImmediate(() => this.#rest())
  }

  #rest(): void {
    if (this.#waiting.length > 0) this.#turn()
    else this.#isTurning = false
  }
}
