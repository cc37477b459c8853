/** How much of what is expected is what was seen last. */
const NEWS = 0.2
/** Callers are let in as long as they would have their turn within this: half of what a call may take. */
const MAX_WAIT_MS = 1_250

/**
 * Who may wait for one of a few connections. A queue longer than its turns come round in time serves nobody: whoever is at
 * its end is given up before, and whoever asks twice stands at its end twice. Those for whom there is no turn in time are
 * better told so at once. Pure; it is told for how long connections are kept.
 */
export class Turns {
  readonly #connections: number
  #keptMs = 0

  constructor(connections: number) {
    this.#connections = connections
  }

  /** Somebody gave a connection back. */
  kept(ms: number): void {
    this.#keptMs += NEWS * (ms - this.#keptMs)
  }

  /** Whether one more may wait behind so many. The first few always may: from them it is learnt that things go faster. */
  hasRoom(waiting: number): boolean {
    return (waiting * this.#keptMs) / this.#connections <= MAX_WAIT_MS
  }
}
