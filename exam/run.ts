/**
 * `npm run exam`: the quick rows. `npm run exam:nightly`: all of them, the long ones in full, and `docs/exam.md` anew.
 *
 *     npm run exam -- --only 1,40 --seed 7     some rows, with the chance of a certain run
 *     npm run exam:nightly -- --resume         a night that was broken off: what passed is not run again
 *     npm run exam -- --write                  and write docs/exam.md
 */
import { parseArgs } from 'node:util'
import type { Row } from './row.ts'
import { writeDocument } from './runner/document.ts'
import { keepRuns, keptRun, keptRuns } from './runner/kept-runs.ts'
import { loadRows } from './runner/load-rows.ts'
import { runApart } from './runner/run-apart.ts'
import { lineOf, type RowRun } from './runner/run-row.ts'
import { tableOf } from './runner/table.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seed: { type: 'string' },
    nightly: { type: 'boolean', default: false },
    resume: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const isNight = values.nightly
const only = values.only?.split(',').map(Number)
const wanted = (await loadRows()).filter(({ id, tier, livesInTests }) =>
  only ? only.includes(id) : isNight || (tier === 'q' && !livesInTests),
)
const startedAt = performance.now()
/** A night that is broken off (Ctrl-C) still says what it has seen. */
const dawn = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => dawn.abort())
const runs: RowRun[] = []
const kept = values.resume ? keptRuns() : []
// What takes longest comes last: by then everything else has its line.
for (const row of isNight ? longestLast(wanted) : wanted) {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : Number(values.seed)
  const run = keptRun(row, kept) ?? (await runApart(row, { seed, isNight, signal: dawn.signal }))
  if (dawn.signal.aborted) break
  runs.push(run)
  if (isNight && !only) keepRuns(runs)
  console.log(lineOf(run))
  for (const problem of run.problems) console.log(`      ${problem.slice(0, 400)}`)
}
runs.sort((a, b) => a.row.id - b.row.id)
const missing = wanted.filter((row) => !runs.some((run) => run.row.title === row.title))
console.log(`\n${tableOf(runs)}\n`)
if (values.write || (isNight && !only)) writeDocument(runs, { isNight, missing })
const failed = runs.filter(({ verdict }) => verdict === 'fail').length
console.log(`That took ${((performance.now() - startedAt) / 60_000).toFixed(1)} minutes.`)
for (const { id, title } of missing) console.log(`not run: ${id} ${title}`)
console.log(`${runs.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 && missing.length === 0 ? 0 : 1)

function longestLast(rows: readonly Row[]): readonly Row[] {
  const isLong = ({ limitMs = 0 }: Row) => limitMs > 600_000
  return [...rows.filter((row) => !isLong(row)), ...rows.filter(isLong)]
}
