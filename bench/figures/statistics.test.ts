import { expect, test } from 'vitest'
import { latencies, median, slope } from './statistics.ts'

test('the middle of a list has happened', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(3)
  expect(median([])).toBeNaN()
})

test('of a hundred values one exceeds the 99th percentile at most', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect(latencies(values)).toEqual({ p50: 51, p95: 96, p99: 100 })
})

test('a line that rises by two is found, whatever one point says', () => {
  const points = Array.from({ length: 11 }, (_, x) => ({ x, y: x === 5 ? 900 : 2 * x + 7 }))
  expect(slope(points)).toBe(2)
})

test('a single point has no slope', () => {
  expect(slope([{ x: 1, y: 5 }])).toBe(0)
})
