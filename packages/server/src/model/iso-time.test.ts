import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isoTime } from './iso-time.ts'

test('an instant is written as everybody writes it', () => {
  const instants = [0, 1, 9, 10, 99, 100, 999, 1_000, 1_800_000_000_000, 1_800_000_000_001, 253_402_300_799_999]
  for (const ms of [...instants, ...instants.reverse()]) expect(isoTime(ms)).toBe(new Date(ms).toISOString())
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), fc.nat(1_500), (ms, more) => {
      expect([isoTime(ms), isoTime(ms + more)]).toEqual([ms, ms + more].map((each) => new Date(each).toISOString()))
    }),
  )
})
