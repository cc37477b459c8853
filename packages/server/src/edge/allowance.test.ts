import { expect, it } from 'vitest'
import { Allowance } from './allowance.ts'

it('130 gives so many at once, then as many as time gives back, never more than at first', () => {
  let now = 0
  const allowance = new Allowance({ burst: 3, perSecond: 2, now: () => now })
  const take = (count: number) => Array.from({ length: count }, () => allowance.take()).filter(Boolean).length
  expect(take(10)).toBe(3)
  now = 500
  expect(take(10)).toBe(1)
  now = 60_000
  expect(take(10)).toBe(3)
  now = 0
  expect(take(10)).toBe(0)
  now = 1_000
  expect(take(10)).toBe(2)
})
