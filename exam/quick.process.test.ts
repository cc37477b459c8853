/** The quick rows of the exam, one test each, so that `npm test` counts them. */
import { expect, test } from 'vitest'
import { loadRows } from './runner/load-rows.ts'
import { LIMIT_MS, lineOf, runRow } from './runner/run-row.ts'

const seed = Number(process.env.EXAM_SEED ?? Math.floor(Math.random() * 1e6))

for (const row of (await loadRows()).filter((one) => one.tier === 'q' && !one.livesInTests)) {
  test(`${row.id} ${row.title}`, { timeout: (row.limitMs ?? LIMIT_MS.q) + 15_000 }, async () => {
    const run = await runRow(row, { seed, isNight: false })
    console.log(lineOf(run))
    expect(run.problems).toEqual([])
    expect(run.verdict).toBe('pass')
  })
}
