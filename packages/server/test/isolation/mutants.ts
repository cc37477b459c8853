/** SQL with one of its bonds to an app cut: what it would be if somebody forgot it. */
import { loadSqlite } from '@parley/sqlite'

export interface Mutant {
  readonly sql: string
  /** Which of its bonds is cut, and what it reads. */
  readonly nth: number
  readonly bond: string
  readonly mutated: string
}

/** A bond: `app = ?`, or two tables joined by their app. What comes in its place is always true. */
const BOND = /\b(?:\w+\.)?app = (\?|(?!excluded\b)\w+\.app\b)/g

export const bondsOf = (sql: string): readonly string[] => [...sql.matchAll(BOND)].map(([bond]) => bond)

export function mutantsOf(sql: string): readonly Mutant[] {
  return bondsOf(sql).map((bond, nth) => {
    let index = 0
    // The parameter stays where it was, or all others would move.
    const mutated = sql.replace(BOND, (found, other) =>
      index++ !== nth ? found : other === '?' ? '(? IS NOT NULL)' : '1',
    )
    return { sql, nth, bond, mutated }
  })
}

/** Runs `work` while statements are rewritten on their way to SQLite. */
export async function rewriting<T>(rewrite: (sql: string) => string, work: () => Promise<T>): Promise<T> {
  const Sqlite = loadSqlite() as { prototype: { prepare(sql: string): unknown } }
  const { prepare } = Sqlite.prototype
  Sqlite.prototype.prepare = function (sql: string) {
    return prepare.call(this, rewrite(sql))
  }
  try {
    return await work()
  } finally {
    Sqlite.prototype.prepare = prepare
  }
}
