import type { NodeLife } from './messages.ts'

/** What the number of a batch says: that it was heard before, that it is the next one, that others are missing. */
export type Numbered = 'repeat' | 'next' | 'missing'

/** Missing numbers remembered for each node and channel; what comes later than that comes as a surprise. */
const MAX_MISSING = 1_024
/** Nodes and channels remembered. */
const MAX_LINES = 10_000

interface Line {
  last: number
  readonly missing: Set<number>
}

/**
 * Finds out what was lost: each life of a node numbers what it says on a channel, and tells its last number with every
 * sign of life. Pure; one that comes late after all is as good as the next.
 */
export class BatchNumbers {
  readonly #lines = new Map<string, Line>()

  /** A batch came. */
  hear(life: NodeLife, channel: string, number: number): Numbered {
    const line = this.#line(life, channel)
    if (line.missing.delete(number)) return 'next'
    if (number <= line.last) return 'repeat'
    return this.#reach(line, number, number - 1)
  }

  /** A node said how far it is. */
  headIs(life: NodeLife, channel: string, number: number): Numbered {
    const line = this.#line(life, channel)
    return number <= line.last ? 'next' : this.#reach(line, number, number)
  }

  #line({ node, incarnation }: NodeLife, channel: string): Line {
    const name = `${incarnation} ${channel} ${node}`
    const known = this.#lines.get(name) ?? { last: 0, missing: new Set() }
    this.#lines.delete(name)
    this.#lines.set(name, known)
    if (this.#lines.size > MAX_LINES) this.#lines.delete(this.#lines.keys().next().value as string)
    return known
  }

  #reach(line: Line, number: number, lastMissing: number): Numbered {
    const firstMissing = line.last + 1
    line.last = number
    if (firstMissing > lastMissing) return 'next'
    for (let one = Math.max(firstMissing, lastMissing - MAX_MISSING + 1); one <= lastMissing; one++) {
      line.missing.add(one)
    }
    for (const one of line.missing) {
      if (line.missing.size <= MAX_MISSING) break
      line.missing.delete(one)
    }
    return 'missing'
  }
}
