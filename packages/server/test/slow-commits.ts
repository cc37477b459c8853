import { type Place, Stale, type Store, type Writes } from '../src/store/store.ts'

/** What becomes of a commit: it takes so many turns of the event loop, and may be told first that another one was faster. */
export interface Fate {
  readonly turns: number
  readonly isLate: boolean
}

/** A store whose commits take their time, as a test says. */
export class SlowCommits {
  readonly inner: Store
  readonly store: Store
  #fates: readonly Fate[] = []
  #count = 0
  /** The last commit that was late. */
  #lateAt = 0

  constructor(inner: Store) {
    this.inner = inner
    this.store = { ...inner, log: { ...inner.log, commit: (writes) => this.#commit(writes) } }
  }

  /** From now on commits have these fates, in turn. */
  take(fates: readonly Fate[]): void {
    this.#fates = fates
  }

  /** Lets some turns of the event loop pass. */
  async pass(turns: number): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  async #commit(writes: Writes): Promise<Place> {
    const fate = this.#fates[this.#count++ % this.#fates.length]
    if (!fate) return this.inner.log.commit(writes)
    await this.pass(fate.turns)
    // Nobody is late every time.
    if (fate.isLate && this.#count - this.#lateAt > 3) {
      this.#lateAt = this.#count
      const conversations = writes.conversations.map(({ app, record }) => ({ app, key: record.id }))
      throw new Stale({
        conversations,
        people: writes.people.map(({ app, profile }) => ({ app, key: profile.userId })),
      })
    }
    return this.inner.log.commit(writes)
  }
}
