import { expect, test } from 'vitest'
import { Counter, type TransferProgress } from './progress.ts'

test('speed and time left count what this run has done, not what an earlier one did', () => {
  const told: TransferProgress[] = []
  let now = 0
  const counter = new Counter(
    'copying',
    { total: 10_000, before: 4_000 },
    (progress) => told.push(progress),
    () => now,
  )
  now = 2_000
  counter.add(1_000)
  expect(told).toEqual([
    { step: 'copying', done: 4_000, total: 10_000, rowsPerSecond: 0, leftMs: undefined },
    { step: 'copying', done: 5_000, total: 10_000, rowsPerSecond: 500, leftMs: 10_000 },
  ])
  // People write meanwhile: there may be more than were counted, and never less than nothing left.
  counter.add(9_000)
  expect(told.at(-1)!.leftMs).toBe(0)
})
