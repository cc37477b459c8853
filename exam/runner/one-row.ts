/** The process of one row: `run-apart.ts` starts it and hears how it went. */
import { loadRows } from './load-rows.ts'
import { runRow } from './run-row.ts'

const [, , title, seed, when] = process.argv
// Whoever started it is gone: nobody waits for this any more, and what it opened goes with it.
process.once('disconnect', () => process.exit())
const row = (await loadRows()).find((one) => one.title === title)
if (!row) throw new Error(`No row is called '${title}'.`)
const { row: _, ...told } = await runRow(row, { seed: Number(seed), isNight: when === 'night' })
process.send?.(told, () => process.exit())
