/**
 * One page of a browser as a process: it may be frozen, when nothing of it runs and everything that happens to it
 * waits; or dead, when nothing of it runs any more. Whatever calls into the page goes through {@link run}.
 */
export class Page {
  #state: 'running' | 'frozen' | 'dead' = 'running'
  #waiting: (() => void)[] = []
  readonly #onDeath: (() => void)[] = []

  get isDead(): boolean {
    return this.#state === 'dead'
  }

  run(task: () => void): void {
    if (this.#state === 'running') task()
    else if (this.#state === 'frozen') this.#waiting.push(task)
  }

  onDeath(task: () => void): void {
    this.#onDeath.push(task)
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen'
  }

  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'running'
    for (const task of this.#waiting.splice(0)) this.run(task)
  }

  die(): void {
    if (this.#state === 'dead') return
    this.#state = 'dead'
    this.#waiting = []
    for (const task of this.#onDeath.splice(0)) task()
  }

  /** The same promise, as this page sees it: never while it is frozen, never once it is dead. */
  promised<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.isDead) return
      work().then(
        (value) => this.run(() => resolve(value)),
        (error) => this.run(() => reject(error)),
      )
    })
  }
}
