/**
 * The floor under the bus: looking into the store for what moved, without having been told. Pure: when to look, and where
 * to go on.
 */
import type { MovedPage } from '../model/moved.ts'

/** Between looks while all is well, give or take a fifth: only what nobody noticed is left to be found. */
export const HEALTHY_POLL_MS = 30_000
/** Between looks while the bus cannot be relied on; drawn anew each time, so that nodes do not look in step. */
export const MIN_DEGRADED_POLL_MS = 1_000
export const MAX_DEGRADED_POLL_MS = 2_000
/** How long a hint that is missing may still come, overtaken on the way. */
export const LOSS_GRACE_MS = 300

/** Decides when the store is looked into. Times are those of a clock that does not jump. */
export class PollSchedule {
  readonly #chance: () => number
  #isDegraded = true
  #dueAt: number
  #endedAt = Number.NEGATIVE_INFINITY
  #isLooking = false
  /** Something was missed while it was being looked: that look may have been too early for it. */
  #isMissedMeanwhile = false

  /** @param chance from 0 to below 1 */
  constructor(now: number, chance: () => number) {
    this.#chance = chance
    this.#dueAt = now
  }

  /** When to look next; undefined while one look is under way. */
  get dueAt(): number | undefined {
    return this.#isLooking ? undefined : this.#dueAt
  }

  /** The bus is away, or somebody on it is strangely quiet. */
  degraded(now: number): void {
    this.#isDegraded = true
    this.#bring(now + this.#pause())
  }

  /** It can be relied on again; what was said meanwhile was missed. */
  recovered(now: number): void {
    this.#isDegraded = false
    this.missed(now)
  }

  /** Something was said that did not arrive. */
  missed(now: number): void {
    this.#isMissedMeanwhile = this.#isLooking
    // One look makes good whatever was missed before it, so looks need not follow each other closely.
    this.#bring(Math.max(now + LOSS_GRACE_MS, this.#endedAt + MIN_DEGRADED_POLL_MS))
  }

  began(): void {
    this.#isLooking = true
    this.#isMissedMeanwhile = false
  }

  ended(now: number, isComplete: boolean): void {
    this.#isLooking = false
    this.#endedAt = now
    const isUrgent = this.#isDegraded || !isComplete || this.#isMissedMeanwhile
    this.#dueAt = now + (isUrgent ? this.#pause() : HEALTHY_POLL_MS * (0.8 + 0.4 * this.#chance()))
  }

  #bring(at: number): void {
    this.#dueAt = Math.min(this.#dueAt, at)
  }

  #pause(): number {
    return MIN_DEGRADED_POLL_MS + this.#chance() * (MAX_DEGRADED_POLL_MS - MIN_DEGRADED_POLL_MS)
  }
}

/**
 * One look after the other, page by page. A stream that moves while it is being looked is found again further on, so that
 * what the first page called settled holds for all of them.
 */
export class PollWalk {
  #settled: number
  #look: { readonly at: number; readonly settled: number } | undefined

  /** @param cursor nothing up to it is of interest */
  constructor(cursor: number) {
    this.#settled = cursor
  }

  /** Everything up to this cursor was found. */
  get settled(): number {
    return this.#settled
  }

  /** After which cursor the next page is to be read. */
  get after(): number {
    return this.#look?.at ?? this.#settled
  }

  /** Answers whether the look is complete. */
  turn(page: MovedPage): boolean {
    const settled = this.#look?.settled ?? page.settled
    // A page that leads nowhere would lead there for ever.
    const leads = page.next !== null && page.next > this.after
    this.#look = leads ? { at: page.next as number, settled } : undefined
    if (leads) return false
    this.#settled = Math.max(this.#settled, settled)
    return true
  }

  /** A page could not be read; the next look begins anew. */
  abandon(): void {
    this.#look = undefined
  }
}
