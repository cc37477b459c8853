import type { Session } from '../model/state.ts'

/** Sessions opened or renewed while the clock is behind what it once showed; beyond, the first ones are forgotten. */
const MAX_SINCE = 100_000

/**
 * What a wall clock that is set back must not undo. A session that was over by the clock stays over when the clock shows
 * an earlier time again; those that were opened or renewed since are judged by the clock as it is now. It remembers as
 * long as this process lives, and until the clock is where it was.
 */
export class ClockMemory {
  /** The latest time the clock ever showed. */
  #latest = Number.NEGATIVE_INFINITY
  readonly #since = new Set<Session['id']>()

  /**
   * The latest time ever shown: a clock that stands still instead of going back. Nonces live by it, so that none that has
   * expired is good again; whoever issues them and whoever takes them are to agree on it.
   */
  latest(now: number): number {
    if (now >= this.#latest) {
      this.#latest = now
      this.#since.clear()
    }
    return this.#latest
  }

  /** A session was opened or renewed. */
  begun(id: Session['id'], now: number): void {
    if (now >= this.latest(now)) return
    this.#since.add(id)
    if (this.#since.size > MAX_SINCE) this.#since.delete(this.#since.values().next().value as Session['id'])
  }

  /** Whether the clock shows, or has shown since it began, that the session is over. */
  isOver({ id, expiresAt }: Pick<Session, 'id' | 'expiresAt'>, now: number): boolean {
    const latest = this.latest(now)
    return expiresAt <= now || (expiresAt <= latest && !this.#since.has(id))
  }
}
