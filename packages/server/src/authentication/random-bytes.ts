import { randomFillSync } from 'node:crypto'

/** Bytes that are fetched at a time; a sign-in takes 58. */
const PORTION = 4_096

/**
 * The system's random bytes, fetched in portions: to ask for a few costs as much as to ask for many. No byte is given out
 * twice, and none that was given out is kept.
 */
export function randomBytesInPortions(fill: (bytes: Buffer) => unknown = randomFillSync): (count: number) => Buffer {
  const portion = Buffer.alloc(PORTION)
  let at = PORTION
  return (count) => {
    if (count > PORTION) throw new RangeError(`At most ${PORTION} random bytes at a time, not ${count}.`)
    if (at + count > PORTION) {
      fill(portion)
      at = 0
    }
    const bytes = Buffer.from(portion.subarray(at, at + count))
    portion.fill(0, at, at + count)
    at += count
    return bytes
  }
}
