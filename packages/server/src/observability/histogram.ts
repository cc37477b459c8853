/** How often something took how long, or was how large: a few plain numbers, so that noting one costs next to nothing. */
export class Histogram {
  /** Upper ends, ascending, each included; what is above the last one is counted in `count` alone. */
  readonly bounds: readonly number[]
  /** How many fell between each bound and the one before. */
  readonly counts: number[]
  count = 0
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = bounds.map(() => 0)
  }

  note(value: number): void {
    this.count++
    this.sum += value
    const { bounds } = this
    for (let i = 0; i < bounds.length; i++) {
      if (value <= bounds[i]!) {
        this.counts[i]!++
        return
      }
    }
  }
}

/** From one millisecond, less than which nobody notices, to ten seconds, after which nobody waits. */
export const secondsHistogram = (): Histogram =>
  new Histogram([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
