/** What one look into the store brings nearly always fits. */
const LENT_BYTES = 524_288
/** Kept while nobody reads. */
const MAX_KEPT = 8

/**
 * Memory that a look into the store is written into, used again and again. It is shared: the store's thread writes into
 * it what this one passes on, and nothing is copied in between.
 */
export class LentMemory {
  readonly #free: Uint8Array[] = []

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(new SharedArrayBuffer(LENT_BYTES))
  }

  /** Nobody writes into it or reads from it any more. What is never given back is simply let go. */
  giveBack(memory: Uint8Array): void {
    if (this.#free.length < MAX_KEPT) this.#free.push(memory)
  }
}
