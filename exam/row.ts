/**
 * One row of the exam: a fault, what must hold all the same, and figures that say how well it did.
 *
 * A row lives in a file of its own in `rows/`, named by its number and its subject, and exports it as `row` (or several
 * as `rows`). A row that passes without its fault having bitten proves nothing, so that is a failure too.
 */
import { SeededChance } from '@parley/testkit'
import type { Finding } from './checker/history.ts'

export interface Row {
  readonly id: number
  /** `q` runs with `npm test`, at most ten seconds; `n` runs by night, at most three minutes. */
  readonly tier: 'q' | 'n'
  readonly title: string
  /** Other than the tier's own limit, where a row is known to need it. */
  readonly limitMs?: number
  /** It is made of tests that `npm test` runs by themselves. */
  readonly livesInTests?: boolean
  run(context: RowContext): Promise<RowResult>
}

export type Figures = Readonly<Record<string, number | string>>

export interface RowResult {
  readonly verdict: 'pass' | 'fail'
  readonly figures: Figures
  /** Why it failed, in sentences. */
  readonly problems: readonly string[]
}

/** What a row is given. Whatever it opens, it hands to `onEnd`: that is closed even when the row fails or is late. */
export interface RowContext {
  readonly seed: number
  readonly chance: SeededChance
  /** The long version of rows that come in both sizes. */
  readonly isNight: boolean
  /** How many times longer everything takes at present; limits of time are stretched by it. */
  readonly slowness: number
  /** Fires when the row's time is over. */
  readonly signal: AbortSignal
  onEnd(close: () => unknown): void
}

/** Does a part of a row: what it opens is closed when that is over, and by the row's end in any case. */
export async function untilItsEnd<T>(context: RowContext, part: (context: RowContext) => Promise<T>): Promise<T> {
  const opened: (() => unknown)[] = []
  context.onEnd(async () => {
    for (const close of opened.splice(0).reverse()) await close()
  })
  const result = await part({ ...context, onEnd: (close) => void opened.push(close) })
  for (const close of opened.splice(0).reverse()) await close()
  return result
}

/** A verdict from what was found. */
export function judge(of: {
  /** How often the fault was seen to happen. */
  readonly bites: number
  readonly figures: Figures
  readonly findings?: readonly Finding[]
  /** Sentence → whether it holds. */
  readonly holds?: Readonly<Record<string, boolean>>
}): RowResult {
  const { bites, figures, findings = [], holds = {} } = of
  const problems = [
    ...(bites > 0 ? [] : ['the fault did not bite']),
    ...findings.map(({ check, sentence }) => `${check}: ${sentence}`),
    ...Object.entries(holds).flatMap(([sentence, isTrue]) => (isTrue ? [] : [`not so: ${sentence}`])),
  ]
  return { verdict: problems.length === 0 ? 'pass' : 'fail', figures: { bites, ...figures }, problems }
}

/** A context for one run of a row. */
export function rowContext(
  seed: number,
  isNight: boolean,
  slowness: number,
): { context: RowContext; end(): Promise<void> } {
  const abort = new AbortController()
  const closes: (() => unknown)[] = []
  return {
    context: {
      seed,
      chance: new SeededChance(seed),
      isNight,
      slowness,
      signal: abort.signal,
      onEnd: (close) => void closes.push(close),
    },
    async end() {
      abort.abort()
      // Last opened, first closed: devices before the proxy they talk through, that before the server.
      for (const close of closes.splice(0).reverse()) await (async () => close())().catch(() => undefined)
    },
  }
}
