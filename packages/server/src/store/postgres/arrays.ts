/** Columns of many rows, as PostgreSQL reads arrays: numbers in binary, ids and names as text. */

const OID = { integer: 23, bigint: 20 } as const
const HEADER_BYTES = 20

/** Without a value for any: nothing. */
type Column = Buffer | string | null

export function integers(values: readonly number[]): Column {
  if (values.length === 0) return null
  const array = arrayOf(OID.integer, values.length, values.length * 8)
  let at = HEADER_BYTES
  for (const value of values) {
    array.writeInt32BE(4, at)
    at = array.writeInt32BE(value, at + 4)
  }
  return array
}

/** Whole numbers as far as JavaScript has them, and null. */
export function bigints(values: readonly (number | null)[]): Column {
  if (values.length === 0) return null
  const array = arrayOf(OID.bigint, values.length, values.length * 12)
  let at = HEADER_BYTES
  for (const value of values) {
    if (value === null) {
      at = array.writeInt32BE(-1, at)
      array.writeInt32BE(1, 4)
      continue
    }
    array.writeInt32BE(8, at)
    array.writeInt32BE(Math.floor(value / 2 ** 32), at + 4)
    at = array.writeUInt32BE(value >>> 0, at + 8)
  }
  return array.subarray(0, at)
}

/** What needs no quotes. */
export const uuids = (values: readonly string[]): Column => (values.length === 0 ? null : `{${values.join()}}`)

export const texts = (values: readonly string[]): Column =>
  values.length === 0 ? null : `{${values.map(quoted).join()}}`

const quoted = (text: string): string => `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`

/** Of one dimension, counted from 1. Its second number says whether any is null. */
function arrayOf(type: number, length: number, bytes: number): Buffer {
  const array = Buffer.allocUnsafe(HEADER_BYTES + bytes)
  array.writeInt32BE(1, 0)
  array.writeInt32BE(0, 4)
  array.writeInt32BE(type, 8)
  array.writeInt32BE(length, 12)
  array.writeInt32BE(1, 16)
  return array
}
