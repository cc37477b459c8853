import { randomFillSync } from 'node:crypto'

export const ID_LENGTH = 36
/** The last digits of an id are its number in this process. */
const NUMBER_AT = 24
/** Chance is fetched for so many ids at a time. */
const IDS = 1_024
const CHANCE_BYTES = 3
const chance = Buffer.alloc(IDS * CHANCE_BYTES)
let used = chance.length

const text = Buffer.from('00000000-0000-7000-8000-000000000000', 'latin1')
/** Where the digits of chance are: all that neither the time, the version, the variant nor the number takes. */
const CHANCE_DIGITS = [15, 16, 17, 20, 21, 22]
const DIGITS = Buffer.from('0123456789abcdef', 'latin1')
const VALUES = Uint8Array.from({ length: 128 }, (_, code) => Math.max(0, DIGITS.indexOf(code)))
let latest = 0
let numbers = 0

/**
 * A message id as the SDK mints them, version 7: the time, then chance. It matters to whoever keeps an index by id: ids of
 * chance alone touch a page of it each. Half of the chance is a running number here, by which an id is known again without
 * its text. Put together as bytes, since a text of many pieces is dear to look up later.
 */
export function messageId(number = numbers++): string {
  const now = Date.now()
  if (now !== latest) {
    latest = now
    text.write(now.toString(16).padStart(12, '0').replace(/^.{8}/, '$&-'), 'latin1')
  }
  if (used === chance.length) {
    randomFillSync(chance)
    used = 0
  }
  for (let i = 0; i < CHANCE_DIGITS.length; i += 2) {
    const byte = chance[used++]!
    text[CHANCE_DIGITS[i]!] = DIGITS[byte >> 4]!
    text[CHANCE_DIGITS[i + 1]!] = DIGITS[byte & 0xf]!
  }
  let rest = number
  for (let at = ID_LENGTH - 1; at >= NUMBER_AT; at--) {
    text[at] = DIGITS[rest & 0xf]!
    rest >>= 4
  }
  return text.toString('latin1')
}

/** The number of the id that lies in `data` from `at` on; another one, if it is not of this process. */
export function numberIn(data: Buffer, at: number): number {
  let number = 0
  for (let i = at + NUMBER_AT; i < at + ID_LENGTH; i++) number = number * 16 + VALUES[data[i]! & 0x7f]!
  return number
}

/** The id that lies in `data` from `at` on. */
export const idIn = (data: Buffer, at: number): string => data.toString('latin1', at, at + ID_LENGTH)
