import { digestExpression, sumsExpression } from './digests.ts'
import type { Column, Table } from './tables.ts'

/** The statements a table is filled and compared by. Rows and keys travel as JSON, which both ends build and read natively. */

/** Inserts the rows of `$1`; what is there already, or in the way, stays: a change that comes later says how it is. */
export function insertRows(table: Table): string {
  const names = table.columns.map(({ name }) => name).join(', ')
  const values = table.columns.map(({ name, type }) => (type === 'json' ? `x.${name}::json` : `x.${name}`)).join(', ')
  const [also, its] = table.hasRevision ? [', revision', ', 1'] : ['', '']
  const overriding = table.name === 'apps' ? 'OVERRIDING SYSTEM VALUE' : ''
  const insert = `INSERT INTO parley.${table.name} (${names}${also}) ${overriding}
    SELECT ${values}${its} FROM ${recordset(table.columns)} ON CONFLICT DO NOTHING`
  if (table.name !== 'messages') return insert
  return `WITH sent AS (${insert} RETURNING app, id, conversation, position)
    INSERT INTO parley.message_ids (app, id, conversation, position) SELECT app, id, conversation, position FROM sent
    ON CONFLICT DO NOTHING`
}

/** Deletes the rows with the keys of `$1`. */
export function deleteRows(table: Table): string {
  const remove = `DELETE FROM parley.${table.name} t USING ${recordset(table.key)} WHERE ${sameKey(table)}`
  if (table.name !== 'messages') return remove
  return `WITH gone AS (${remove} RETURNING t.app, t.id, t.conversation, t.position)
    DELETE FROM parley.message_ids i USING gone
    WHERE i.app = gone.app AND i.id = gone.id AND i.conversation = gone.conversation AND i.position = gone.position`
}

/** Each row with the keys of `$1`: its key, and its digest. */
export const digestsOf = (table: Table): string =>
  `SELECT ${keyOf(table)}, ${foundDigest(table)} AS digest FROM ${recordset(table.key)}
   JOIN parley.${table.name} t ON ${sameKey(table)}`

/** A stretch of a table, from after one key up to another; open at an end that is not named. */
export interface Stretch {
  readonly isFromStart: boolean
  readonly isToEnd: boolean
}

export const sumsOfStretch = (table: Table, stretch: Stretch): string =>
  `SELECT ${sumsExpression('d.digest')} FROM (${digestsOfStretch(table, stretch)}) d`

export function digestsOfStretch(table: Table, { isFromStart, isToEnd }: Stretch): string {
  const names = `(${table.key.map(({ name }) => `t.${name}`).join(', ')})`
  const places = (from: number) =>
    `(${table.key.map(({ type }, index) => `$${from + index}::${type}${collation(type)}`).join(', ')})`
  const bounds = [
    ...(isFromStart ? [] : [`${names} > ${places(1)}`]),
    ...(isToEnd ? [] : [`${names} <= ${places(isFromStart ? 1 : 1 + table.key.length)}`]),
  ]
  const where = bounds.length > 0 ? `WHERE ${bounds.join(' AND ')}` : ''
  return `SELECT ${keyOf(table)}, ${foundDigest(table)} AS digest FROM parley.${table.name} t ${where}`
}

/**
 * A row's digest; of a message that is not found by its id, none that a row has. Asked row by row, and not in a condition:
 * the planner would join by what it believes to be rare, and read all ids of an app for each message.
 */
const foundDigest = (table: Table): string =>
  table.name === 'messages'
    ? `CASE WHEN ${HAS_ID} THEN ${digestExpression(table)} ELSE 'ffffffffffffffffffffffffffffffff' END`
    : digestExpression(table)
const HAS_ID = `EXISTS (SELECT FROM parley.message_ids i
  WHERE i.app = t.app AND i.id = t.id AND i.conversation = t.conversation AND i.position = t.position)`

const keyOf = (table: Table): string => table.key.map(({ name }) => `t.${name}`).join(', ')
const sameKey = (table: Table): string => table.key.map(({ name }) => `t.${name} = x.${name}`).join(' AND ')
const collation = (type: Column['type']): string => (type === 'text' ? ' COLLATE "C"' : '')

/** JSON columns come as the text they are in SQLite. */
const recordset = (columns: readonly Column[]): string =>
  `json_to_recordset($1) AS x (${columns.map(({ name, type }) => `${name} ${type === 'json' ? 'text' : type}`).join(', ')})`
