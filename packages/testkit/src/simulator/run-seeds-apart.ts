import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Campaign } from './run-seeds.ts'
import type { FigureName } from './world.ts'

/** Seeds that a process runs before it asks for more; what fails among them is told at once. */
export const CHUNK = 250

/** The built one, wherever this is read from: what is translated while it loads runs a sixth slower. */
const program = fileURLToPath(new URL('../../dist/simulator/seeds-process.js', import.meta.url))

/** A world is forgotten as soon as it is over: with room for a dozen of them, little is left to be moved about. */
const execArgv = ['--min-semi-space-size=64', '--max-semi-space-size=64']

/** Runs so many seeds from one on, in several processes at once. */
export async function runSeedsApart(of: {
  readonly from: number
  readonly count: number
  readonly processes: number
  readonly maxFailures?: number
  readonly signal?: AbortSignal
  /** Called with each seed that failed, and its story. */
  readonly onFailure?: (seed: number, story: readonly string[]) => void
}): Promise<Campaign> {
  const { from, count, processes, maxFailures = 10, signal, onFailure } = of
  const startedAt = performance.now()
  const sum = { seeds: 0, figures: {} as Record<FigureName, number>, failed: [] as Campaign['failed'][number][] }
  let next = from
  const isOver = () => next >= from + count || sum.failed.length >= maxFailures || signal?.aborted
  const work = (child: ChildProcess) =>
    new Promise<void>((resolve, reject) => {
      const ask = () => {
        if (isOver()) return child.disconnect()
        child.send({ from: next, count: Math.min(CHUNK, from + count - next) })
        next += CHUNK
      }
      child.on('message', (message) => {
        const { campaign, stories } = message as { campaign: Campaign; stories: [number, string[]][] }
        sum.seeds += campaign.seeds
        sum.failed.push(...campaign.failed)
        add(sum.figures, campaign.figures)
        for (const [seed, story] of stories) onFailure?.(seed, story)
        ask()
      })
      child.once('exit', (code, by) => (code === 0 ? resolve() : reject(new Error(`Seeds ended with ${by ?? code}.`))))
      ask()
    })
  const children = Array.from({ length: processes }, () => fork(program, { execArgv }))
  const stop = () => children.forEach((child) => void child.kill())
  signal?.addEventListener('abort', stop)
  try {
    await Promise.all(children.map(work))
  } finally {
    stop()
    signal?.removeEventListener('abort', stop)
  }
  return { ...sum, seconds: (performance.now() - startedAt) / 1_000 }
}

/** The longest rest is the longest of all; everything else is counted. */
function add(sum: Record<FigureName, number>, figures: Readonly<Record<FigureName, number>>): void {
  for (const [name, value] of Object.entries(figures) as [FigureName, number][]) {
    sum[name] = name === 'restMs' ? Math.max(sum[name] ?? 0, value) : (sum[name] ?? 0) + value
  }
}
