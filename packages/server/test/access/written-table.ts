/** Reads the table of `docs/spec/access.md`. */
import { readFileSync } from 'node:fs'

export const CALLERS = ['participant', 'removed', 'left', 'stranger', 'other app', 'no session'] as const
export const STATES = ['absent', 'existing', 'deleted'] as const
export type Caller = (typeof CALLERS)[number]
export type State = (typeof STATES)[number]
export type Row = ReadonlyMap<Caller, Readonly<Record<State, string>>>

const file = new URL('../../../../docs/spec/access.md', import.meta.url)

/** What the signs of the table stand for. */
const SIGNS: Readonly<Record<string, string>> = {
  '✓': 'done',
  '–': 'not_found',
  '∅': 'nothing',
  '✗': 'access_denied',
  '=': 'id_in_use',
  '🔒': 'authentication_required',
}

/** Way → caller → what becomes of it, on what exists, never did and is no more. */
export function readAccessTable(): ReadonlyMap<string, Row> {
  const lines = readFileSync(file, 'utf8').split('\n')
  const header = lines.findIndex((line) => line.startsWith('| way '))
  const cellsOf = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
  const [, ...callers] = cellsOf(lines[header] ?? '')
  const rows = lines.slice(header + 2).filter((line) => line.startsWith('| '))
  return new Map(
    rows.map((line) => {
      const [way = '', ...cells] = cellsOf(line)
      const outcomes = cells.map((cell, nth): [Caller, Record<State, string>] => {
        const [existing, absent, deleted] = cell.split(' ').map((sign) => SIGNS[sign] ?? sign)
        return [callers[nth] as Caller, { existing: existing ?? '', absent: absent ?? '', deleted: deleted ?? '' }]
      })
      return [way.replaceAll('`', ''), new Map(outcomes)]
    }),
  )
}
