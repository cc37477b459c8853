/** Time and timers, passed in so that a test can crank them. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
  /** Calls back once after `ms`; the answer cancels. */
  after(ms: number, callback: () => void): () => void
}

/** `setTimeout` counts to 2^31 - 1 ms; a session may live for a year. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * From here on a timer is rounded up to whole seconds. Node keeps a list for each length there is: with thousands of
 * sessions that end at instants of their own, those lists would take more than the timers.
 */
const ROUNDED_FROM_MS = 60_000

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    if (ms > LONGEST_TIMER_MS) return afterLong(ms, callback)
    const timer = setTimeout(callback, timerLength(ms))
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Never shorter than asked for, and longer by less than a second. */
export const timerLength = (ms: number): number =>
  ms < ROUNDED_FROM_MS ? Math.max(0, ms) : Math.min(LONGEST_TIMER_MS, Math.ceil(ms / 1_000) * 1_000)

function afterLong(ms: number, callback: () => void): () => void {
  let cancel: () => void = () => undefined
  const arm = (left: number) => {
    const next = left > LONGEST_TIMER_MS ? () => arm(left - LONGEST_TIMER_MS) : callback
    cancel = systemClock.after(Math.min(left, LONGEST_TIMER_MS), next)
  }
  arm(ms)
  return () => cancel()
}
