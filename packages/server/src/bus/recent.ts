/** A map that remembers so many at most; what was put longest ago is forgotten first. */
export class Recent<Key, Value> {
  readonly #map = new Map<Key, Value>()
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#map.size
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key)
  }

  put(key: Key, value: Value): void {
    this.#map.delete(key)
    this.#map.set(key, value)
    if (this.#map.size > this.#capacity) this.#map.delete(this.#map.keys().next().value as Key)
  }

  delete(key: Key): boolean {
    return this.#map.delete(key)
  }

  [Symbol.iterator](): IterableIterator<[Key, Value]> {
    return this.#map.entries()
  }
}
