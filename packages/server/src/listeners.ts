/**
 * Who wants to be told. One that throws keeps nobody else from hearing; its error goes to whoever made the list.
 */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>()
  readonly #onError: (error: unknown) => void

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** The answer takes it away again. The same function added twice is told twice. */
  add(listener: (value: T) => void): () => void {
    const own = (value: T) => listener(value)
    this.#all.add(own)
    return () => this.#all.delete(own)
  }

  get isEmpty(): boolean {
    return this.#all.size === 0
  }

  tell(value: T): void {
    for (const listener of this.#all) {
      try {
        listener(value)
      } catch (error) {
        this.#onError(error)
      }
    }
  }
}
