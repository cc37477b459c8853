import { type Row, type RowResult, rowContext } from '../row.ts'
import { slowness } from './slowness.ts'

export interface RowRun extends RowResult {
  readonly row: Row
  readonly seed: number
  readonly tookMs: number
  readonly slowness: number
}

export const LIMIT_MS = { q: 10_000, n: 180_000 } as const
/** What a row may take to tidy up, beyond its limit. */
export const END_MS = 10_000

/** What a row may take on a machine with nothing else to do. */
export const limitOf = (row: Row, isNight: boolean): number => row.limitMs ?? LIMIT_MS[isNight ? 'n' : row.tier]

/** Runs one row within its time. A row that throws or is late has failed, and still everything it opened is closed. */
export async function runRow(
  row: Row,
  { seed, isNight, leastSlowness = 1 }: { seed: number; isNight: boolean; leastSlowness?: number },
): Promise<RowRun> {
  const slow = Math.max(leastSlowness, slowness())
  const { context, end } = rowContext(seed, isNight, slow)
  const startedAt = performance.now()
  const limitMs = limitOf(row, isNight) * slow
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<RowResult>((resolve) => {
    timer = setTimeout(() => resolve(failed(`it did not end within ${Math.round(limitMs)} ms`)), limitMs)
  })
  const result = await Promise.race([
    row.run(context).catch((error: unknown) => failed(error instanceof Error ? error.message : String(error))),
    late,
  ])
  clearTimeout(timer)
  const tookMs = Math.round(performance.now() - startedAt)
  await Promise.race([end(), new Promise((resolve) => setTimeout(resolve, END_MS).unref())])
  return { row, seed, tookMs, slowness: slow, ...result }
}

export const failed = (problem: string): RowResult => ({ verdict: 'fail', figures: {}, problems: [problem] })

/** `id verdict figures`, on one line. */
export const lineOf = ({ row, verdict, figures, seed, tookMs, slowness: slow }: RowRun): string =>
  [
    String(row.id).padStart(3),
    verdict,
    figuresText(figures),
    `seed=${seed}`,
    ...(slow > 1.2 ? [`slow=${slow.toFixed(1)}`] : []),
    `${(tookMs / 1000).toFixed(1)}s`,
  ].join(' ')

export const figuresText = (figures: RowResult['figures']): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
