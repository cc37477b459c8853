import { limits } from '@parley/protocol'
import type { Clock } from '../clock.ts'

/** So many at once, and afterwards as many a second as are given back: what a peer may ask for that costs others work. */
export class Allowance {
  readonly #burst: number
  readonly #perSecond: number
  readonly #now: () => number
  #left: number
  #at: number

  /** @param of.now a clock in milliseconds; one that goes back gives nothing back meanwhile */
  constructor(of: { readonly burst: number; readonly perSecond: number; readonly now: () => number }) {
    this.#burst = of.burst
    this.#perSecond = of.perSecond
    this.#now = of.now
    this.#left = of.burst
    this.#at = of.now()
  }

  /** Whether there is one left, which is taken. */
  take(): boolean {
    const now = this.#now()
    this.#left = Math.min(this.#burst, this.#left + (Math.max(0, now - this.#at) * this.#perSecond) / 1_000)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}

export const typingAllowance = (clock: Clock): Allowance =>
  new Allowance({ burst: limits.maxTypingBurst, perSecond: limits.maxTypingPerSecond, now: () => clock.now() })
