/** Rows in key order, on a simulated disk; every change answers what takes it back. */
type Key = readonly (string | number)[]

interface Range {
  readonly prefix?: Key
  readonly from?: string | number
  readonly to?: string | number
  readonly reverse?: boolean
  readonly limit?: number
}

interface Entry {
  readonly key: string
  row: unknown
}

const END = '\u0001'

/** One text per key, in the same order. Numbers sort before texts and among each other by value. */
const textOf = (key: Key): string => {
  let text = ''
  for (const part of key) text += (typeof part === 'number' ? String(part).padStart(17, '0') : part) + END
  return text
}

export class SimulatedTable {
  readonly #entries: Entry[] = []

  get size(): number {
    return this.#entries.length
  }

  get(key: Key): unknown {
    const text = textOf(key)
    const entry = this.#entries[this.#firstFrom(text)]
    return entry?.key === text ? entry.row : undefined
  }

  all(): readonly unknown[] {
    return this.#entries.map(({ row }) => row)
  }

  put(key: Key, row: unknown): () => void {
    const text = textOf(key)
    const at = this.#firstFrom(text)
    const entry = this.#entries[at]
    if (entry?.key === text) {
      const before = entry.row
      this.#entries[at] = { key: text, row }
      return () => void this.put(key, before)
    }
    this.#entries.splice(at, 0, { key: text, row })
    return () => void this.delete(key)
  }

  delete(key: Key): () => void {
    const text = textOf(key)
    const at = this.#firstFrom(text)
    const entry = this.#entries[at]
    if (entry?.key !== text) return () => undefined
    this.#entries.splice(at, 1)
    return () => void this.put(key, entry.row)
  }

  deleteAll(prefix: Key): () => void {
    const [start, end] = this.#bounds({ prefix })
    const gone = this.#entries.splice(start, end - start)
    return () => void this.#entries.splice(start, 0, ...gone)
  }

  scan(range: Range): unknown[] {
    const [start, end] = this.#bounds(range)
    const limit = Math.max(0, Math.min(range.limit ?? Infinity, end - start))
    const found = range.reverse
      ? this.#entries.slice(end - limit, end).reverse()
      : this.#entries.slice(start, start + limit)
    return found.map(({ row }) => row)
  }

  #bounds({ prefix = [], from, to }: Range): [start: number, end: number] {
    const start = this.#firstFrom(textOf(from === undefined ? prefix : [...prefix, from]))
    // Every key that begins so sorts before this one, since no part of a key begins with a character that high.
    const end = this.#firstFrom(`${textOf(to === undefined ? prefix : [...prefix, to])}\uffff`)
    return [start, Math.max(start, end)]
  }

  #firstFrom(key: string): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#entries[middle]!.key >= key) high = middle
      else low = middle + 1
    }
    return low
  }
}
