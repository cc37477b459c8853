/**
 * The quick rows of the exam, one test each, so that `npm test` counts them. Other tests run beside them, and begin and end
 * as they please: limits of time are those of a machine half as fast, at least. `npm run exam` knows no such mercy.
 */
import { expect, test } from 'vitest'
import { loadRows } from './runner/load-rows.ts'
import { END_MS, limitOf, lineOf, runRow } from './runner/run-row.ts'
import { MAX_SLOWNESS } from './runner/slowness.ts'

const LEAST_SLOWNESS = 2
const seed = Number(process.env.EXAM_SEED ?? Math.floor(Math.random() * 1e6))

for (const row of (await loadRows()).filter((one) => one.tier === 'q' && !one.livesInTests)) {
  test(`${row.id} ${row.title}`, { timeout: limitOf(row, false) * MAX_SLOWNESS + 2 * END_MS }, async () => {
    const run = await runRow(row, { seed, isNight: false, leastSlowness: LEAST_SLOWNESS })
    console.log(lineOf(run))
    expect(run.problems).toEqual([])
    expect(run.verdict).toBe('pass')
  })
}
