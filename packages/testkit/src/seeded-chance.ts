/** Chance that a seed repeats exactly (mulberry32): a failing run is a number. */
export class SeededChance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  number = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  /** From 0 to below `bound`. */
  below = (bound: number): number => Math.floor(this.number() * bound)

  bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => this.below(256))

  pick = <T>(choices: readonly T[]): T => {
    const choice = choices[this.below(choices.length)]
    if (choice === undefined) throw new Error('Nothing to pick from.')
    return choice
  }
}
