import type { Key, KeyPart, Range } from '../replica.ts'

interface Entry {
  readonly key: Key
  readonly row: unknown
}

/** Rows in key order, found by halving. */
export class SortedTable {
  readonly #entries: Entry[] = []

  get(key: Key): unknown {
    const entry = this.#entries[this.#firstFrom(key)]
    return entry && compareKeys(entry.key, key) === 0 ? entry.row : undefined
  }

  put(key: Key, row: unknown): void {
    const at = this.#firstFrom(key)
    const entry = this.#entries[at]
    this.#entries.splice(at, entry && compareKeys(entry.key, key) === 0 ? 1 : 0, { key, row })
  }

  delete(key: Key): void {
    const at = this.#firstFrom(key)
    const entry = this.#entries[at]
    if (entry && compareKeys(entry.key, key) === 0) this.#entries.splice(at, 1)
  }

  deleteAll(prefix: Key): void {
    const [start, end] = this.#bounds({ prefix })
    this.#entries.splice(start, end - start)
  }

  scan(range: Range): unknown[] {
    const [start, end] = this.#bounds(range)
    const limit = Math.max(0, Math.min(range.limit ?? Infinity, end - start))
    const entries = range.reverse
      ? this.#entries.slice(end - limit, end).reverse()
      : this.#entries.slice(start, start + limit)
    return entries.map((entry) => entry.row)
  }

  count(range: Range): number {
    const [start, end] = this.#bounds(range)
    return Math.max(0, Math.min(range.limit ?? Infinity, end - start))
  }

  #bounds({ prefix = [], from, to }: Range): [start: number, end: number] {
    const start = this.#firstFrom(from === undefined ? prefix : [...prefix, from])
    const end = this.#firstBeyond(to === undefined ? prefix : [...prefix, to])
    return [start, Math.max(start, end)]
  }

  /** Index of the first entry whose key is `key` or greater. A key sorts after its own prefix. */
  #firstFrom(key: Key): number {
    return this.#search((entry) => compareKeys(entry.key, key) >= 0)
  }

  /** Index of the first entry that is greater than every key beginning with `prefix`. */
  #firstBeyond(prefix: Key): number {
    return this.#search((entry) => compareKeys(entry.key.slice(0, prefix.length), prefix) > 0)
  }

  #search(isThere: (entry: Entry) => boolean): number {
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isThere(this.#entries[middle]!)) high = middle
      else low = middle + 1
    }
    return low
  }
}

function compareKeys(a: Key, b: Key): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareParts(a[i]!, b[i]!)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function compareParts(a: KeyPart, b: KeyPart): number {
  return a < b ? -1 : a > b ? 1 : 0
}
