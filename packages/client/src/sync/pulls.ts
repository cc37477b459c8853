/**
 * Pulls under way on one connection: which streams were asked for, from where, and how far the answer has come. At
 * most one pull at a time, so that what it brings fits in memory. It owns that bookkeeping; `requests.ts` asks.
 */
import type { PullFrame, RowsFrame, StreamId } from '@parley/protocol'
import { isDenied } from './merge.ts'

/** Without a frame for this long, a pull is asked for again. */
export const PULL_PATIENCE_MS = 20_000

/** How many answered pulls are remembered, for frames that come late on a disturbed line. */
const REMEMBERED = 8

interface Pull {
  readonly id: number
  readonly reached: Map<StreamId, number>
  lastHeardAt: number
}

/** What a frame is to the pull it answers. */
export type PulledFrame =
  | { readonly kind: 'next'; readonly after: number; readonly isLast: boolean }
  /** Repeated, or out of its turn: its rows are good, but it says nothing of how far we are. */
  | { readonly kind: 'late' }
  /** No pull of this connection. */
  | { readonly kind: 'foreign' }

export class Pulls {
  #current: Pull | undefined
  #finished: Pull[] = []

  get isIdle(): boolean {
    return this.#current === undefined
  }

  start(id: number, streams: PullFrame['streams'], now: number): PullFrame {
    const reached = new Map(streams.map(({ stream, after }) => [stream, after]))
    this.#current = { id, reached, lastHeardAt: now }
    return { type: 'pull', id, streams }
  }

  hear(frame: RowsFrame, now: number): PulledFrame {
    const pull = [this.#current, ...this.#finished].find((each) => each?.id === frame.id)
    const after = pull?.reached.get(frame.stream)
    if (!pull || after === undefined) return { kind: 'foreign' }
    const isCurrent = pull === this.#current
    pull.lastHeardAt = now
    if (isCurrent && frame.last) this.#finish()
    // That there is nothing to see is news whatever was reached.
    const isNext = frame.after === after || isDenied(frame)
    if (!isNext || !isCurrent) return { kind: 'late' }
    pull.reached.set(frame.stream, frame.sequence)
    return { kind: 'next', after, isLast: frame.last }
  }

  /** The server refused it. */
  refused(id: number): void {
    if (this.#current?.id === id) this.#finish()
  }

  /** Gives up a pull that is not answered any more. */
  expire(now: number): void {
    if (this.#current && now - this.#current.lastHeardAt >= PULL_PATIENCE_MS) this.#finish()
  }

  reset(): void {
    this.#current = undefined
    this.#finished = []
  }

  #finish(): void {
    if (this.#current) this.#finished = [this.#current, ...this.#finished].slice(0, REMEMBERED)
    this.#current = undefined
  }
}
