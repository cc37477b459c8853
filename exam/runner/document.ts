import { readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Row } from '../row.ts'
import type { RowRun } from './run-row.ts'
import { tableOf } from './table.ts'

const file = fileURLToPath(new URL('../../docs/exam.md', import.meta.url))
const about = fileURLToPath(new URL('about.md', import.meta.url))

/** Writes `docs/exam.md`: this run's table between what never changes. */
export function writeDocument(
  runs: readonly RowRun[],
  { isNight, missing }: { readonly isNight: boolean; readonly missing: readonly Row[] },
): void {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'processor'}, ${Math.round(totalmem() / 2 ** 30)} GB`
  const facts = [
    `- Date: ${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    `- Machine: ${machine}, ${type()} ${release()} ${arch()}, Node ${process.versions.node}`,
    `- Command: \`npm run ${isNight ? 'exam:nightly' : 'exam -- --write'}\``,
    `- ${runs.filter(({ verdict }) => verdict === 'pass').length} of ${runs.length} rows passed`,
    ...missing.map(({ id, title }) => `- Not run, since the night was broken off: ${id}, ${title}`),
  ]
  const text = readFileSync(about, 'utf8').replace('<!-- last run -->', `${facts.join('\n')}\n\n${tableOf(runs)}`)
  writeFileSync(file, text)
}
