import type { Row } from '../row.ts'
import { forkSource } from './fork-source.ts'
import { END_MS, failed, limitOf, type RowRun } from './run-row.ts'
import { MAX_SLOWNESS } from './slowness.ts'

const program = new URL('one-row.ts', import.meta.url)

/**
 * Runs a row in a process of its own: what it leaves behind in memory troubles no other row, and one that brings its
 * process down, or keeps it busy for ever, has failed and nothing else has.
 */
export function runApart(
  row: Row,
  { seed, isNight, signal }: { seed: number; isNight: boolean; signal: AbortSignal },
): Promise<RowRun> {
  const startedAt = performance.now()
  const child = forkSource(program, [row.title, String(seed), isNight ? 'night' : 'day'])
  const timer = setTimeout(() => child.kill('SIGKILL'), limitOf(row, isNight) * MAX_SLOWNESS + 3 * END_MS)
  const kill = () => void child.kill('SIGKILL')
  signal.addEventListener('abort', kill)
  return new Promise((resolve) => {
    let told: Omit<RowRun, 'row'> | undefined
    child.on('message', (message) => {
      told = message as Omit<RowRun, 'row'>
    })
    child.once('exit', (code, killedBy) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', kill)
      const tookMs = Math.round(performance.now() - startedAt)
      const died = failed(`its process ended before it did (${killedBy ?? code})`)
      resolve({ row, ...(told ?? { seed, tookMs, slowness: 1, ...died }) })
    })
  })
}
