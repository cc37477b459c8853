import { randomFillSync } from 'node:crypto'

/** Chance is fetched for so many ids at a time. */
const IDS = 512
const CHANCE_BYTES = 9
const chance = Buffer.alloc(IDS * CHANCE_BYTES)
let used = chance.length

const text = Buffer.from('00000000-0000-7000-8000-000000000000', 'latin1')
/** Where the digits of chance are: all but those of the time, the version and the variant. */
const CHANCE_DIGITS = [15, 16, 17, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35]
const DIGITS = Buffer.from('0123456789abcdef', 'latin1')
let latest = 0

/**
 * A message id as the SDK mints them, version 7: the time, then chance. It matters to whoever keeps an index by id: ids of
 * chance alone touch a page of it each. Put together as bytes, since a text of many pieces is dear to look up later.
 */
export function messageId(): string {
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
    const byte = chance[used + i / 2]!
    text[CHANCE_DIGITS[i]!] = DIGITS[byte >> 4]!
    text[CHANCE_DIGITS[i + 1]!] = DIGITS[byte & 0xf]!
  }
  used += CHANCE_BYTES
  return text.toString('latin1')
}
