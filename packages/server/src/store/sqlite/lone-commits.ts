import { AFTER_SLOW_MS, MAX_AVERAGE_MS, SLOW_MS } from './beside-the-sockets.ts'
import type { PackedWrites } from './packed-writes.ts'

/** Rows of a batch that may be committed beside the sockets: a few messages, and what they move. */
export const MAX_LONE_ROWS = 40
/** So many small batches in a row make it likely that the next one is small as well. */
export const SURE_AFTER = 16
/** After so many, one goes to the store's thread all the same: it sees to the length of the log. */
export const MAX_IN_A_ROW = 500

/** Commits that the average is made of, roughly. */
const AVERAGED = 8

/**
 * Says which batches the server's own thread commits. To have the store's thread commit means to wake it and to be woken
 * by it, which takes longer than the commit of a message or two on a disk that is well; but while the server's own thread
 * flushes, it serves no socket. So it does while batches are small and commits fast, and both is known of those before,
 * wherever they were made:
 *
 *     there ──16 small ones in a row, fast on the average──→ here
 *     there ←──a large one; not so fast on the average────── here
 *     there for a minute ←──a slow one; one that failed───── here
 *
 * To come back takes 16 batches because two connections that take turns read each other's pages anew each time.
 */
export class LoneCommits {
  readonly #now: () => number
  #inARow = 0
  #averageMs = 0
  #notBefore = 0

  /** @param now milliseconds of a clock that nobody sets */
  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether a batch is to be committed by the server's own thread. */
  isFor(writes: PackedWrites): boolean {
    if (!isSmall(writes) || this.#averageMs > MAX_AVERAGE_MS) this.#inARow = 0
    const isSure = this.#inARow >= SURE_AFTER && this.#inARow % MAX_IN_A_ROW !== 0
    return isSure && this.#now() >= this.#notBefore
  }

  /** A batch was committed, and how long that kept its thread. */
  committed(writes: PackedWrites, { ms, isHere }: { readonly ms: number; readonly isHere: boolean }): void {
    if (isHere && ms >= SLOW_MS) this.failedHere()
    if (!isSmall(writes)) return
    this.#inARow++
    this.#averageMs += (ms - this.#averageMs) / AVERAGED
  }

  /** One could not be committed by the server's own thread. */
  failedHere(): void {
    this.#inARow = 0
    this.#notBefore = this.#now() + AFTER_SLOW_MS
  }
}

function isSmall({ cursor: _cursor, purged, ...rows }: PackedWrites): boolean {
  // Of a purged conversation one row is known, and any number is deleted.
  if (purged.length > 0) return false
  let count = 0
  for (const table of Object.values(rows)) count += table.length
  return count <= MAX_LONE_ROWS
}
