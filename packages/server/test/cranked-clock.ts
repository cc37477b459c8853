import type { Clock } from '@parley/server'

/** A clock that stands still until a test moves it; timers run when their time comes. */
export class CrankedClock implements Clock {
  #now: number
  #last = 0
  readonly #timers = new Map<number, { readonly at: number; readonly callback: () => void }>()

  constructor(now = Date.now()) {
    this.#now = now
  }

  now = (): number => this.#now

  after = (ms: number, callback: () => void): (() => void) => {
    const id = ++this.#last
    this.#timers.set(id, { at: this.#now + Math.max(0, ms), callback })
    return () => this.#timers.delete(id)
  }

  /** Moves time on, running what falls due in order. What those do by themselves comes to an end in its own time. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at)[0]
      if (!due) break
      const [id, { at, callback }] = due
      this.#timers.delete(id)
      this.#now = Math.max(this.#now, at)
      callback()
    }
    this.#now = end
  }

  /** The wall clock jumps, timers do not notice. */
  jump(ms: number): void {
    this.#now += ms
    for (const [id, { at, callback }] of this.#timers) this.#timers.set(id, { at: at + ms, callback })
  }
}
