import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { machineText, type Results } from './json.ts'
import { machineTable, resultTable } from './report.ts'
import { asMarkdown } from './table.ts'

const document = fileURLToPath(new URL('../../../docs/performance.md', import.meta.url))
const [BEGIN, END] = ['<!-- last run -->', '<!-- end of last run -->']

/** Puts the tables of this run in the place of the last one's. */
export function writeDocument({ runs, machine, rounds, settings }: Results): void {
  const text = readFileSync(document, 'utf8')
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for the table: ${BEGIN} … ${END}`)
  const tables = [
    asMarkdown(resultTable(runs).table),
    ...(machine.length > 0 ? [asMarkdown(machineTable(machine).table)] : []),
  ]
  const what = `${new Date().toISOString().slice(0, 10)}, ${machineText()}. Medians of ${rounds} rounds of ${settings.seconds} s, least and greatest in brackets.`
  const after = [BEGIN, what, ...tables, END].join('\n\n')
  writeFileSync(document, `${text.slice(0, from)}${after}${text.slice(to + END.length)}`)
}
