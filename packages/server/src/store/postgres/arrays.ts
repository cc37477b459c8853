/** Columns of many rows, as PostgreSQL reads arrays in binary. */

const OID = { integer: 23, bigint: 20, uuid: 2950, text: 25, json: 114 } as const
const HEADER_BYTES = 20

/** Without a value for any: nothing. */
type Column = Buffer | null

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
  // Not with an iterator, which makes an object of every number that is larger than 31 bits.
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
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

/** In 16 bytes each, which PostgreSQL reads in a fifth of the time that it takes to read them as text. */
export function uuids(values: readonly string[]): Column {
  if (values.length === 0) return null
  const { array, view } = arrayOf(OID.uuid, values.length, values.length * 20)
  const text = Buffer.from(values.join(''))
  if (text.length !== values.length * UUID_LENGTH) throw noUuid()
  let at = HEADER_BYTES
  let all = 0
  for (let from = 0; from < text.length; ) {
    view.setInt32(at, 16)
    at += 4
    for (const end = from + UUID_LENGTH; from < end; from += 2) {
      if (text[from] === DASH) from++
      const byte = (DIGITS[text[from]!]! << 4) | DIGITS[text[from + 1]!]!
      array[at++] = byte
      all |= byte
    }
  }
  if (all > 0xff || at !== array.length) throw noUuid()
  return array
}

const noUuid = () => new Error('An id that is no UUID.')

const UUID_LENGTH = 36
const DASH = 0x2d
/** The values of hexadecimal digits by their codes; of anything else, more than there is room for in a byte. */
const DIGITS = new Uint16Array(256).fill(0x100)
for (const digit of '0123456789abcdefABCDEF') DIGITS[digit.charCodeAt(0)] = Number.parseInt(digit, 16)

export const texts = (values: readonly string[]): Column => written(OID.text, values)

/** Of values that are JSON already. */
export const jsons = (values: readonly string[]): Column => written(OID.json, values)

/** In the place of a length, which is written over it: four bytes in UTF-8 as well. */
const LENGTH = '\0\0\0\0'

/** All of them in one go, for that takes a fraction of writing one by one. */
function written(type: number, values: readonly string[]): Column {
  if (values.length === 0) return null
  const text = LENGTH + values.join(LENGTH)
  const bytes = Buffer.byteLength(text)
  const { array, view } = arrayOf(type, values.length, bytes)
  array.write(text, HEADER_BYTES)
  const isAscii = bytes === text.length
  let at = HEADER_BYTES
  for (const value of values) {
    const length = isAscii ? value.length : Buffer.byteLength(value)
    view.setInt32(at, length)
    at += 4 + length
  }
  return array
}

/** Of one dimension, counted from 1. Its second number says whether any is null. */
function arrayOf(type: number, length: number, bytes: number): { readonly array: Buffer; readonly view: DataView } {
  const array = Buffer.allocUnsafe(HEADER_BYTES + bytes)
  const view = new DataView(array.buffer, array.byteOffset, array.length)
  for (const [index, value] of [1, 0, type, length, 1].entries()) view.setInt32(index * 4, value)
  return { array, view }
}
