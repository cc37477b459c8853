/** Columns of many rows, as PostgreSQL reads arrays: numbers and ids in binary, names as text. */

const OID = { integer: 23, bigint: 20, uuid: 2950 } as const
const HEADER_BYTES = 20

/** Without a value for any: nothing. */
type Column = Buffer | string | null

export function integers(values: readonly number[]): Column {
  if (values.length === 0) return null
  const { array, view } = arrayOf(OID.integer, values.length, values.length * 8)
  let at = HEADER_BYTES
  for (const value of values) {
    view.setInt32(at, 4)
    view.setInt32(at + 4, value)
    at += 8
  }
  return array
}

/** Whole numbers as far as JavaScript has them, and null. */
export function bigints(values: readonly (number | null)[]): Column {
  if (values.length === 0) return null
  const { array, view } = arrayOf(OID.bigint, values.length, values.length * 12)
  let at = HEADER_BYTES
  for (const value of values) {
    if (value === null) {
      view.setInt32(at, -1)
      view.setInt32(4, 1)
      at += 4
      continue
    }
    view.setInt32(at, 8)
    view.setInt32(at + 4, Math.floor(value / 2 ** 32))
    view.setUint32(at + 8, value >>> 0)
    at += 12
  }
  return array.subarray(0, at)
}

/** Put together as hexadecimal text, which is read in native code: PostgreSQL takes five times as long to read ids as text. */
export function uuids(values: readonly string[]): Column {
  if (values.length === 0) return null
  const { array } = arrayOf(OID.uuid, values.length, values.length * 20)
  const text = (UUID_LENGTH + values.join(UUID_LENGTH)).replaceAll('-', '')
  // It stops at what is none, and what is behind it would be anything.
  const written = array.write(text, HEADER_BYTES, 'hex')
  if (written * 2 !== text.length || written !== values.length * 20) throw new Error('An id that is no UUID.')
  return array
}

/** The 16 bytes that each of them has, in front of each. */
const UUID_LENGTH = '00000010'

export const texts = (values: readonly string[]): Column =>
  values.length === 0 ? null : `{${values.map(quoted).join()}}`

const quoted = (text: string): string => `"${/["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text}"`

/** Of one dimension, counted from 1. Its second number says whether any is null. */
function arrayOf(type: number, length: number, bytes: number): { readonly array: Buffer; readonly view: DataView } {
  const array = Buffer.allocUnsafe(HEADER_BYTES + bytes)
  const view = new DataView(array.buffer, array.byteOffset, array.length)
  for (const [index, value] of [1, 0, type, length, 1].entries()) view.setInt32(index * 4, value)
  return { array, view }
}
