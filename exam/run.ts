/**
 * `npm run exam`: the quick rows. `npm run exam:nightly`: all of them, the long ones in full, and `docs/exam.md` anew.
 *
 *     npm run exam -- --only 1,40 --seed 7     some rows, with the chance of a certain run
 *     npm run exam -- --write                  and write docs/exam.md
 */
import { parseArgs } from 'node:util'
import { writeDocument } from './runner/document.ts'
import { loadRows } from './runner/load-rows.ts'
import { lineOf, type RowRun, runRow } from './runner/run-row.ts'
import { tableOf } from './runner/table.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seed: { type: 'string' },
    nightly: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const isNight = values.nightly
const only = values.only?.split(',').map(Number)
const wanted = (await loadRows()).filter(({ id, tier }) => (only ? only.includes(id) : isNight || tier === 'q'))
const runs: RowRun[] = []
for (const row of wanted) {
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e6) : Number(values.seed)
  const run = await runRow(row, { seed, isNight })
  runs.push(run)
  console.log(lineOf(run))
  for (const problem of run.problems) console.log(`      ${problem.slice(0, 400)}`)
}
console.log(`\n${tableOf(runs)}\n`)
if (values.write || (isNight && !only)) writeDocument(runs, { isNight })
const failed = runs.filter(({ verdict }) => verdict === 'fail').length
console.log(`${runs.length - failed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
