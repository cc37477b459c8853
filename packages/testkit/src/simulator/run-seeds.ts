import { planOf } from './plan.ts'
import { type FigureName, type Outcome, type RunOptions, runWorld } from './world.ts'

export interface Campaign {
  readonly seeds: number
  readonly failed: readonly Outcome[]
  readonly figures: Readonly<Record<FigureName, number>>
  readonly seconds: number
}

/** Runs so many seeds from one on, one after the other. */
export async function runSeeds(
  of: { readonly from: number; readonly count: number; readonly maxFailures?: number; readonly signal?: AbortSignal },
  options: RunOptions = {},
): Promise<Campaign> {
  const { from, count, maxFailures = 10, signal } = of
  const startedAt = performance.now()
  const figures = {} as Record<FigureName, number>
  const failed: Outcome[] = []
  let seeds = 0
  for (let seed = from; seed < from + count && failed.length < maxFailures && !signal?.aborted; seed++) {
    const outcome = await runWorld(planOf(seed), options)
    seeds++
    for (const [name, value] of Object.entries(outcome.figures) as [FigureName, number][]) {
      figures[name] = name === 'restMs' ? Math.max(figures[name] ?? 0, value) : (figures[name] ?? 0) + value
    }
    if (outcome.findings.length > 0) failed.push(outcome)
  }
  return { seeds, failed, figures, seconds: (performance.now() - startedAt) / 1_000 }
}
