import { AFTER_SLOW_MS, MAX_AVERAGE_MS, SLOW_MS } from './beside-the-sockets.ts'

/** Rows of a look that are found beside the sockets: each is a few pages, mostly in memory. */
export const MAX_LONE_LOOKS = 64
/** Looks that the average is made of, roughly. */
const AVERAGED = 32

/**
 * Says which rows the server's own thread looks up by itself. To have a thread of the store look means to wake it and to be
 * woken by it, which takes longer than to find a few rows; but a file that is not in the system's memory, on a disk that
 * takes its time, would keep every socket waiting. So looks are timed, and after one that was slow, or several that
 * were not quick, the threads look for a minute.
 */
export class LoneLooks {
  readonly #now: () => number
  #averageMs = 0
  #notBefore = Number.NEGATIVE_INFINITY

  /** @param now milliseconds of a clock that nobody sets */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether so many rows are to be looked up by the server's own thread. */
  isFor(rows: number): boolean {
    return rows <= MAX_LONE_LOOKS && this.#now() >= this.#notBefore
  }

  /** Rows were looked up there; how long that took. */
  took(ms: number): void {
    this.#averageMs += (ms - this.#averageMs) / AVERAGED
    if (ms < SLOW_MS && this.#averageMs <= MAX_AVERAGE_MS) return
    this.#averageMs = 0
    this.#notBefore = this.#now() + AFTER_SLOW_MS
  }
}
