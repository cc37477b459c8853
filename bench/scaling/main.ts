/**
 * `npm run scaling`: what a crowd needs, and what happens when it comes back all at once, from what one step was measured to
 * cost (`measured.ts`). With `-- --write` the tables of docs/scaling.md are made anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { asText } from '../figures/table.ts'
import { fanOutTable, quoted, stormTable } from './report.ts'

const { values } = parseArgs({ options: { write: { type: 'boolean', default: false } } })
console.log(`${asText(fanOutTable())}\n\n${asText(stormTable())}`)
if (values.write) {
  const document = fileURLToPath(new URL('../../../docs/scaling.md', import.meta.url))
  const text = readFileSync(document, 'utf8')
  const [begin, end] = ['<!-- simulated -->', '<!-- end of simulated -->']
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/scaling.md has no place for the tables: ${begin} … ${end}`)
  writeFileSync(document, `${text.slice(0, from)}${begin}\n\n${quoted()}\n\n${text.slice(to)}`)
}
