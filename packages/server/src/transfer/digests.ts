import { createHash } from 'node:crypto'
import type { Key, Table, TableRow } from './tables.ts'

/**
 * What two stores are compared by: each row's MD5, of its values as a JSON array in the spelling of PostgreSQL, so that
 * both can make it by themselves. Of many rows the digests are added up: one row that is missing, or too many, or other
 * than it was, makes another sum.
 */
export function digestOf(table: Table, row: TableRow): string {
  const text = table.columns.map(({ name }) => JSON.stringify(row[name])).join(', ')
  return createHash('md5').update(`[${text}]`).digest('hex')
}

/** The same as an expression over a row of the table called `t`. */
export const digestExpression = (table: Table): string =>
  `md5(json_build_array(${table.columns.map(({ name, type }) => (type === 'json' ? `t.${name}::text` : `t.${name}`)).join(', ')})::text)`

/** Rows and the sums of the first and second half of their digests, 32 bits each: exact for two million rows. */
export interface Sums {
  readonly rows: number
  readonly first: number
  readonly second: number
}

export const sumsExpression = (digest: string): string =>
  `count(*)::integer AS rows, ${half(digest, 1)} AS first, ${half(digest, 9)} AS second`

const half = (digest: string, from: number) =>
  `coalesce(sum(('x' || substr(${digest}, ${from}, 8))::bit(32)::bigint), 0)::bigint`

export function addDigest({ rows, first, second }: Sums, digest: string): Sums {
  return {
    rows: rows + 1,
    first: first + Number.parseInt(digest.slice(0, 8), 16),
    second: second + Number.parseInt(digest.slice(8, 16), 16),
  }
}

export const NO_ROWS: Sums = { rows: 0, first: 0, second: 0 }

export const areEqual = (a: Sums, b: Sums): boolean => a.rows === b.rows && a.first === b.first && a.second === b.second

/** How rows of one side differ from those of the other, as sentences; `limit` of them at most. */
export function differences(
  table: Table,
  here: ReadonlyMap<string, string>,
  there: ReadonlyMap<string, string>,
  limit = 5,
): string[] {
  const found: string[] = []
  for (const [key, digest] of here) {
    const other = there.get(key)
    if (other === undefined) found.push(`${table.name} ${key} is missing in PostgreSQL`)
    else if (other !== digest) found.push(`${table.name} ${key} is another one in PostgreSQL`)
  }
  for (const key of there.keys()) if (!here.has(key)) found.push(`${table.name} ${key} is in PostgreSQL alone`)
  return found.slice(0, limit)
}

export const keyText = (key: Key): string => JSON.stringify(key)
