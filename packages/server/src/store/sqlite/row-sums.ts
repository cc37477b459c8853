/**
 * SQLite keeps no checksum of what it stores: a bit that turns over in a text would be served as if somebody had said so.
 * So each row of what people see carries a CRC-32 of its other columns, made when it is written and looked at whenever it
 * is read. Damage to the trees between the rows is found by `damage.ts`.
 */
import { crc32 } from 'node:zlib'
import { StoreOutage } from '../store.ts'

/** What to do about a store that is damaged; the end of every sentence that says so. */
export const RESTORE =
  'Its disk may be failing. Stop the server and put back a backup of the data folder; keep the damaged file, ' +
  'from which `sqlite3 <file> .recover` may still save what came after the backup.'

export const sumOf = (values: readonly unknown[]): number => crc32(values.join('\n'))

/** @param sum null if the row was written before there were sums */
export function mustBeAsWritten(table: string, sum: number | null, values: readonly unknown[]): void {
  mustBeAsWrittenText(table, sum, values.join('\n'))
}

/** @param text the values, joined already */
export function mustBeAsWrittenText(table: string, sum: number | null, text: string): void {
  if (sum === null || sum === crc32(text)) return
  throw new StoreOutage(`The store is damaged: a row of ${table} is not what was written. ${RESTORE}`)
}
