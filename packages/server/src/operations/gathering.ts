/** From so many operations in the last batch on, a batch waits for more: fewer are no crowd that is about to ask again. */
export const MANY = 64
/** With so many a batch is as cheap as it gets, or nearly. */
export const ENOUGH = 500
/** Of those that were under way when the last batch was answered. */
const MOST = 0.95
/** The longest wait, in milliseconds; nor is it longer than the last batch took. */
export const MAX_WAIT_MS = 25

/**
 * Whether the next batch waits a moment for more. On a store of many servers a commit costs as much as a hundred messages,
 * whatever is in it: a round trip, and every conversation in which somebody else was faster. Those who were just answered
 * are about to ask again, and who waits for them commits half as often. Where a few ask, nobody waits. Pure: time, on a
 * clock that does not jump, is an argument.
 */
export class Gathering {
  #until = Number.NEGATIVE_INFINITY
  #enough = 0

  /**
   * A batch was answered.
   * @param waiting how many wait for the next one by then
   */
  answered(batch: number, waiting: number, tookMs: number, now: number): void {
    const patience = batch < MANY ? 0 : Math.min(MAX_WAIT_MS, tookMs)
    this.#until = now + patience
    this.#enough = Math.min(ENOUGH, MOST * (batch + waiting))
  }

  /** How many of those waiting are enough to wait no longer. */
  get enough(): number {
    return this.#enough
  }

  /** How long the next batch waits for more; 0 or less: it does not. */
  waitMs(waiting: number, now: number): number {
    return waiting >= this.#enough ? 0 : this.#until - now
  }
}
