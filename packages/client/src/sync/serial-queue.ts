/**
 * One writer at a time: jobs run in the order they were given, each after the one before has settled. It owns that
 * order and nothing else; a job that fails fails for its caller alone.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job)
    this.#last = result.catch(() => {})
    return result
  }

  /** Settles once everything given so far has run. */
  async idle(): Promise<void> {
    await this.#last
  }
}
