/**
 * A clock that stands still until a test moves it. It owns the timers set on it and runs them in order of time, then
 * of setting; the monotonic and the wall time are separate, so that a test can let the wall clock jump.
 */
export class VirtualClock {
  #now = 0
  #wall: number
  #lastTimer = 0
  readonly #timers = new Map<number, { readonly at: number; readonly task: () => void }>()

  constructor(options: { readonly wall?: number } = {}) {
    this.#wall = options.wall ?? Date.UTC(2027, 0, 1)
  }

  now = (): number => this.#now
  wall = (): number => this.#wall

  after = (ms: number, task: () => void): (() => void) => {
    const timer = ++this.#lastTimer
    this.#timers.set(timer, { at: this.#now + Math.max(0, ms), task })
    return () => this.#timers.delete(timer)
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.size
  }

  /** When the next timer is due; undefined if there is none. */
  get nextAt(): number | undefined {
    let next: number | undefined
    for (const { at } of this.#timers.values()) if (next === undefined || at < next) next = at
    return next
  }

  /** Moves time on, running what falls due; between two timers everything that is waiting for nothing else runs. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (let next = this.#nextDue(end); next; next = this.#nextDue(end)) {
      this.#moveTo(next.at)
      this.#timers.delete(next.timer)
      next.task()
      await settle()
    }
    this.#moveTo(end)
    await settle()
  }

  /** The device sleeps: time passes, no timer runs; all that are due run late afterwards. */
  async sleep(ms: number): Promise<void> {
    this.#now += ms
    this.#wall += ms
    await this.advance(0)
  }

  /** The wall clock jumps; timers don't notice. */
  jump(ms: number): void {
    this.#wall += ms
  }

  #moveTo(at: number): void {
    if (at <= this.#now) return
    this.#wall += at - this.#now
    this.#now = at
  }

  #nextDue(end: number): { readonly timer: number; readonly at: number; readonly task: () => void } | undefined {
    let due: { readonly timer: number; readonly at: number; readonly task: () => void } | undefined
    for (const [timer, { at, task }] of this.#timers) {
      if (at <= end && (!due || at < due.at)) due = { timer, at, task }
    }
    return due
  }
}

/**
 * Lets everything run that waits for nothing but its turn: promises, and the immediates that storage adapters use.
 * Not a sleep: no time passes on any clock of ours.
 */
export async function settle(rounds = 12): Promise<void> {
  for (let i = 0; i < rounds; i++) await new Promise<void>((resolve) => setImmediate(resolve))
}
