/** Time and timers, passed in so that a test can crank them. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
  /** Calls back once after `ms`; the answer cancels. */
  after(ms: number, callback: () => void): () => void
}

/** `setTimeout` counts to 2^31 - 1 ms; a session may live for a year. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    let timer: NodeJS.Timeout
    const arm = (left: number) => {
      timer = setTimeout(
        () => (left > LONGEST_TIMER_MS ? arm(left - LONGEST_TIMER_MS) : callback()),
        Math.max(0, Math.min(left, LONGEST_TIMER_MS)),
      )
      timer.unref()
    }
    arm(ms)
    return () => clearTimeout(timer)
  },
}
