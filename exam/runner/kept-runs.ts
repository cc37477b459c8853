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

/** The runs of the night that was broken off, as they are before the next one keeps its own. */
export function keptRuns(): readonly RowRun[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as RowRun[]) : []
}

/** How this row went in one of those runs, if it passed. */
export function keptRun(row: Row, kept: readonly RowRun[]): RowRun | undefined {
  const run = kept.find((one) => one.row.title === row.title && one.verdict === 'pass')
  return run && { ...run, row }
}
