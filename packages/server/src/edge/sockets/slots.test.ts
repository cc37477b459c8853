import { SeededChance } from '@parley/testkit'
import { expect, test } from 'vitest'
import { slotsWithin } from './slots.ts'

const chance = () => {
  const seeded = new SeededChance(7)
  return () => seeded.number()
}

test('CON-13 a window is used from end to end, evenly', () => {
  const slots = slotsWithin(10_000, 1_001, chance())
  expect(slots.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1_001 }, (_, i) => i * 10))
})

test('CON-13 slots come in no order: neighbours are not sent away together', () => {
  const slots = slotsWithin(10_000, 1_001, chance())
  const first = slots.slice(0, 500)
  const early = first.filter((slot) => slot < 5_000).length
  expect(early).toBeGreaterThan(200)
  expect(early).toBeLessThan(300)
})

test('CON-13 one goes at once, and nobody needs no slot', () => {
  expect(slotsWithin(10_000, 1, chance())).toEqual([0])
  expect(slotsWithin(10_000, 0, chance())).toEqual([])
})
