import { reached } from '../fail-point.ts'
import { Counter, type TransferProgress } from './progress.ts'
import type { Change, Source } from './source.ts'
import { type Key, tableOf, tables } from './tables.ts'
import type { Replacement, Target, TargetState } from './target.ts'

/** Changes that are carried over in one transaction. */
const CHANGES_AT_ONCE = 2_000

/**
 * Copies table after table, in order of key. Rows may change behind the place where it is: each such change was noted, and
 * is carried over afterwards. It goes on from wherever the database says it is.
 */
export async function copyTables(
  source: Source,
  target: Target,
  from: TargetState,
  say: (progress: TransferProgress) => void,
): Promise<TargetState> {
  const total = tables.reduce((sum, table) => sum + source.count(table), 0)
  const before = Object.values(from.tables).reduce((sum, { rows }) => sum + rows, 0)
  const counter = new Counter('copying', { total, before }, say)
  let state = from
  for (const table of tables) {
    for (;;) {
      const place = state.tables[table.name]
      if (place?.after === null) break
      const { rows, last, isLast } = source.portion(table, place?.after)
      const next = { after: isLast ? null : last!, rows: (place?.rows ?? 0) + rows.length }
      state = { ...state, tables: { ...state.tables, [table.name]: next } }
      await target.insert(table, rows, state)
      counter.add(rows.length)
      reached('portion-copied')
    }
  }
  return state
}

export interface CaughtUp {
  readonly state: TargetState
  /** What was carried over, by table. */
  readonly keys: ReadonlyMap<string, ReadonlyMap<string, Key>>
}

/**
 * Carries over what changed since, until nothing is left; each row as it is now.
 * @param onCarried told of so many changes each time
 */
export async function catchUp(
  source: Source,
  target: Target,
  from: TargetState,
  onCarried: (changes: number) => void = () => undefined,
): Promise<CaughtUp> {
  const keys = new Map<string, Map<string, Key>>()
  let state = from
  for (;;) {
    const changes = source.changesAfter(state.changes, CHANGES_AT_ONCE)
    const last = changes.at(-1)
    if (!last) return { state, keys }
    state = { ...state, changes: last.number }
    await target.replace(replacements(source, changes, keys), state)
    onCarried(changes.length)
    reached('changes-carried-over')
  }
}

function replacements(
  source: Source,
  changes: readonly Change[],
  all: Map<string, Map<string, Key>>,
): readonly Replacement[] {
  const changed = new Map<string, Map<string, Key>>()
  for (const { table, key } of changes) {
    for (const kept of [changed, all]) {
      const keys = kept.get(table) ?? new Map<string, Key>()
      kept.set(table, keys.set(JSON.stringify(key), key))
    }
  }
  // In the order of the tables, whatever changed first.
  return tables.flatMap(({ name }) => {
    const keys = [...(changed.get(name)?.values() ?? [])]
    const table = tableOf(name)
    return keys.length === 0 ? [] : [{ table, keys, rows: source.rowsOf(table, keys) }]
  })
}
