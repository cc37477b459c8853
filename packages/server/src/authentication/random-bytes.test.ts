import { expect, it } from 'vitest'
import { randomBytesInPortions } from './random-bytes.ts'

/** Counts up, so that each byte tells where it comes from. */
function counting() {
  let next = 0
  let fills = 0
  const fill = (bytes: Buffer) => {
    fills++
    for (let i = 0; i < bytes.length; i += 2) bytes.writeUInt16BE(++next, i)
  }
  return { fill, fills: () => fills }
}

it('AUTH-29 gives out no random byte twice, and asks the system but now and then', () => {
  const { fill, fills } = counting()
  const take = randomBytesInPortions(fill)
  const taken = Array.from({ length: 1_000 }, () => take(16))
  const words = taken.flatMap((bytes) => Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2)))
  expect(new Set(words).size).toBe(8_000)
  expect(Math.min(...words)).toBeGreaterThan(0)
  expect(fills()).toBe(4)
})

it('AUTH-29 what was given out does not change when more is taken', () => {
  const take = randomBytesInPortions(counting().fill)
  const first = take(32)
  const before = first.toString('hex')
  for (let i = 0; i < 500; i++) take(32)
  expect(first.toString('hex')).toBe(before)
})

it('AUTH-29 the bytes are the system’s by default, and differ', () => {
  const take = randomBytesInPortions()
  expect(take(32).equals(take(32))).toBe(false)
  expect(() => take(5_000)).toThrow(RangeError)
})
