/**
 * Time in a simulated world: everything that will happen, in order of its moment and, within a moment, of being asked
 * for. Between two happenings every promise that can settle settles, so that a run is a sequence and a seed repeats it.
 */
interface Happening {
  readonly at: number
  readonly order: number
  task: (() => void) | undefined
}

export class Timeline {
  #now = 0
  #order = 0
  readonly #heap: Happening[] = []
  /** How many things have happened. */
  happened = 0

  /** Milliseconds since the beginning of this world. */
  get now(): number {
    return this.#now
  }

  /** Lets `task` happen after `ms`; the answer calls it off. */
  after(ms: number, task: () => void): () => void {
    const happening: Happening = { at: this.#now + Math.max(0, ms), order: ++this.#order, task }
    this.#push(happening)
    return () => {
      happening.task = undefined
    }
  }

  /** Resolves after `ms`. */
  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve))
  }

  /** Lives through the next `ms`, or until `isEnough` says so after something happened. */
  async pass(ms: number, isEnough: () => boolean = () => false): Promise<void> {
    const end = this.#now + ms
    await settled()
    for (let next = this.#heap[0]; next && next.at <= end; next = this.#heap[0]) {
      this.#pop()
      const { task } = next
      if (!task) continue
      this.#now = next.at
      this.happened++
      task()
      await settled()
      if (isEnough()) return
    }
    this.#now = end
  }

  #push(happening: Happening): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(happening)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(happening, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = happening
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= heap.length) break
      const right = left + 1
      const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

const isBefore = (a: Happening, b: Happening) => a.at < b.at || (a.at === b.at && a.order < b.order)

/** Every promise that waits for nothing but its turn has had it. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
