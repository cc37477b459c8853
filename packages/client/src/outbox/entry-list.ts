import type { StreamId } from '@parley/protocol'
import type { Summary } from './summary.ts'

/**
 * The summaries of the outbox by order, by id, and by the stream that settles them, so that a long outbox costs no more
 * per message than a short one.
 */
export class EntryList {
  #byOrder: Summary[] = []
  readonly #byId = new Map<string, Summary>()
  readonly #settling = new Map<StreamId, Set<Summary>>()

  load(entries: readonly Summary[]): void {
    this.#byOrder = []
    this.#byId.clear()
    this.#settling.clear()
    for (const entry of entries) this.put(entry)
  }

  get size(): number {
    return this.#byOrder.length
  }

  /** All of them, in order. */
  all(): readonly Summary[] {
    return this.#byOrder
  }

  byId(id: string): Summary | undefined {
    return this.#byId.get(id)
  }

  /** Streams in which the effects of acknowledged entries are still to be seen. */
  get settling(): readonly StreamId[] {
    return [...this.#settling.keys()]
  }

  /** Entries that are settled once this stream has reached this sequence. */
  settledBy(stream: StreamId, sequence: number): Summary[] {
    const settling = this.#settling.get(stream)
    return settling ? [...settling].filter((entry) => entry.settlesAt!.sequence <= sequence) : []
  }

  /** Adds an entry, or replaces the one of the same order. */
  put(entry: Summary): void {
    const at = this.#indexOf(entry.order)
    const old = this.#byOrder[at]
    const isReplaced = old?.order === entry.order
    if (isReplaced) this.#forget(old)
    this.#byOrder.splice(at, isReplaced ? 1 : 0, entry)
    this.#byId.set(entry.id, entry)
    if (!entry.settlesAt) return
    const { stream } = entry.settlesAt
    this.#settling.set(stream, (this.#settling.get(stream) ?? new Set()).add(entry))
  }

  delete(order: number): void {
    const at = this.#indexOf(order)
    const entry = this.#byOrder[at]
    if (entry?.order !== order) return
    this.#byOrder.splice(at, 1)
    this.#forget(entry)
  }

  #forget(entry: Summary): void {
    this.#byId.delete(entry.id)
    if (!entry.settlesAt) return
    const settling = this.#settling.get(entry.settlesAt.stream)
    settling?.delete(entry)
    if (settling?.size === 0) this.#settling.delete(entry.settlesAt.stream)
  }

  /** Where an order is, or belongs. */
  #indexOf(order: number): number {
    let low = 0
    let high = this.#byOrder.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#byOrder[middle]!.order < order) low = middle + 1
      else high = middle
    }
    return low
  }
}
