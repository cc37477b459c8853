import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Row } from '../row.ts'
import type { RowRun } from './run-row.ts'

const file = fileURLToPath(new URL('../../artifacts/exam/runs.json', import.meta.url))

/** Written after each row, so that a night that was broken off goes on where it was (`--resume`). */
export function keepRuns(runs: readonly RowRun[]): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, JSON.stringify(runs, undefined, 1))
}

/** How this row went in the night that was broken off, if it passed. */
export function keptRun(row: Row): RowRun | undefined {
  if (!existsSync(file)) return undefined
  const runs = JSON.parse(readFileSync(file, 'utf8')) as RowRun[]
  const run = runs.find((one) => one.row.title === row.title && one.verdict === 'pass')
  return run && { ...run, row }
}
