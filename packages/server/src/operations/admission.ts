/**
 * Who is let into the write lane when more is asked than can be done. What is taken on is done, and soon; the rest is
 * told when to come back, at once and at little cost, so that a server that is asked for three times what it can do still
 * does nearly all that it can.
 *
 *     pressure   0 ──────────── ¼ ─────────────── 1 ─────────────── 1½
 *     let in     everybody      those with few    those with        nobody
 *                               under way         nothing under way
 *
 * Pressure is how long a newcomer would wait, or how many wait already, as a part of what is borne.
 */
import { limits } from '@parley/protocol'

/** Operations that wait for a batch; beyond it nobody is let in. */
export const MAX_WAITING = 20_000
/** How long an operation should wait for its batch. To wait a little beats to be sent away and come back later. */
export const MAX_WAIT_MS = 2_000
/** Where nobody is let in any more. */
const MAX_PRESSURE = 1.5

/** Batches smaller than this say nothing of what a full one takes. */
const TELLING_BATCH = 100
/** How much of the pace is what the last batch showed. */
const NEWS = 0.2

/** How fast operations are carried out when there are always more of them. */
export class Pace {
  #perMs: number | undefined

  /** A batch was carried out, and others were waiting by then. */
  note(operations: number, ms: number): void {
    if (operations < TELLING_BATCH || ms <= 0) return
    const shown = operations / ms
    this.#perMs = this.#perMs === undefined ? shown : this.#perMs + NEWS * (shown - this.#perMs)
  }

  /** How long so many take; 0 as long as nobody knows. */
  waitMs(waiting: number): number {
    return this.#perMs === undefined ? 0 : waiting / this.#perMs
  }
}

/** 0 when nobody waits, 1 when somebody would wait for as long as is borne. */
export function pressureOf(waiting: number, waitMs: number): number {
  return Math.max((waiting / MAX_WAITING) * MAX_PRESSURE, waitMs / MAX_WAIT_MS)
}

/** From here on, what can wait or be left out, is: typing, presence, and those who have much under way. */
const PRESSED_FROM = 0.25

export const isPressed = (pressure: number): boolean => pressure > PRESSED_FROM

/**
 * Whether one more is let in.
 * @param underWay how many operations the same connection has under way; undefined for what comes by another door, such
 *   as signing in
 */
export function isAdmitted(pressure: number, underWay: number | undefined): boolean {
  if (!isPressed(pressure)) return true
  if (pressure >= MAX_PRESSURE) return false
  if (underWay === undefined) return true
  return underWay < Math.max(1, shareOf(pressure))
}

/**
 * How many operations a connection may have under way: all that it ever may where pressure begins, one where all is there
 * that is borne, and in between as many times fewer for each step. So a few hundred connections that send whatever they can
 * keep no more waiting than is done in a third of a second; the rest is still on their side.
 */
const shareOf = (pressure: number): number =>
  limits.maxOperationsInFlight ** Math.min(1, (1 - pressure) / (1 - PRESSED_FROM))

/** The shortest time after which it makes sense to come back. */
const SHORTEST_RETRY_MS = 500
/** Those who come back find a queue as long as the one they were turned away from, several times over. */
const RETRY_PER_WAIT = 4

/**
 * When to come back: later the longer the queue, and not all at once.
 * @param chance from 0 to 1
 */
export function retryAfterMs(waitMs: number, chance: number): number {
  return Math.round(Math.max(SHORTEST_RETRY_MS, waitMs * RETRY_PER_WAIT) * (0.5 + chance))
}

/** Something like chance, the same for the same id: the last digits of a UUID are random. */
export function chanceOf(id: string | null | undefined): number {
  const digits = Number.parseInt(id?.slice(-4) ?? '', 16)
  return Number.isNaN(digits) ? 0.5 : digits / 0xffff
}
