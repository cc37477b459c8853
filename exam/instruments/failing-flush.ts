import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RowContext } from '../row.ts'

const source = fileURLToPath(new URL('failing-flush.c', import.meta.url))

/** Said by the server's process when a flush was made to fail. */
export const FLUSH_HAS_FAILED = /flush \d+ has failed/

/**
 * Makes the library that lets flushes fail, and answers the environment of a server whose nth flush of the log does.
 * @throws if there is no C compiler
 */
export function failingFlush({ onEnd }: RowContext): (nth: number, stays: boolean) => Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-flush-'))
  onEnd(() => rmSync(folder, { recursive: true, force: true }))
  const library = join(folder, 'failing-flush.so')
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], { stdio: 'pipe' })
  } catch (error) {
    throw new Error(`A C compiler is needed (apt-get install gcc libc6-dev): ${String(error).slice(0, 200)}`)
  }
  return (nth, stays) => ({
    LD_PRELOAD: library,
    EXAM_FLUSH_OF: '-wal',
    EXAM_FLUSH_FAILS: String(nth),
    ...(stays && { EXAM_FLUSH_STAYS: '1' }),
  })
}
