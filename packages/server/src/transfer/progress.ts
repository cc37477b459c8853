/** What a transfer is doing, in the order in which it does it. */
export type TransferStep = 'copying' | 'catching up' | 'comparing' | 'cutting over'

export interface TransferProgress {
  readonly step: TransferStep
  /** Rows in all. */
  readonly done: number
  /** As counted at the beginning: while people write, it becomes more. */
  readonly total: number
  readonly rowsPerSecond: number
  /** Until this step is done, at the speed so far; undefined before there is one. */
  readonly leftMs: number | undefined
}

/** Counts rows of one step, and says how fast they go. */
export class Counter {
  readonly #step: TransferStep
  readonly #total: number
  readonly #before: number
  readonly #say: (progress: TransferProgress) => void
  readonly #now: () => number
  readonly #from: number
  #done: number

  /** @param before what an earlier run has done of it */
  constructor(
    step: TransferStep,
    of: { readonly total: number; readonly before?: number },
    say: (progress: TransferProgress) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#step = step
    this.#total = of.total
    this.#before = of.before ?? 0
    this.#done = this.#before
    this.#say = say
    this.#now = now
    this.#from = now()
    this.add(0)
  }

  add(rows: number): void {
    this.#done += rows
    const seconds = (this.#now() - this.#from) / 1_000
    const rowsPerSecond = seconds > 0 ? Math.round((this.#done - this.#before) / seconds) : 0
    const left = Math.max(0, this.#total - this.#done)
    this.#say({
      step: this.#step,
      done: this.#done,
      total: this.#total,
      rowsPerSecond,
      leftMs: rowsPerSecond > 0 ? Math.round((left / rowsPerSecond) * 1_000) : undefined,
    })
  }
}
