import { afterEach, beforeEach, expect, it, test, vi } from 'vitest'
import { systemClock, timerLength } from './clock.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it.each([0, 1, 59_999, 60_000, 60_001, 86_400_123, 2 ** 31 - 1])(
  'a timer of %d ms is never early, and late by less than a second',
  (ms) => {
    expect(timerLength(ms)).toBeGreaterThanOrEqual(ms)
    expect(timerLength(ms)).toBeLessThan(ms + 1_000)
    expect(timerLength(ms)).toBeLessThanOrEqual(2 ** 31 - 1)
  },
)

test('what is over already is called at once', () => {
  expect(timerLength(-5)).toBe(0)
})

test('a year is waited for, though no timer of Node is that long', () => {
  const year = 31_536_000_000
  let calls = 0
  systemClock.after(year, () => calls++)
  vi.advanceTimersByTime(year - 1)
  expect(calls).toBe(0)
  vi.advanceTimersByTime(15_000)
  expect(calls).toBe(1)
})

test('whoever cancels is not called, however long the wait', () => {
  let calls = 0
  const cancels = [50, 5_000_000, 31_536_000_000].map((ms) => systemClock.after(ms, () => calls++))
  vi.advanceTimersByTime(10)
  for (const cancel of cancels) cancel()
  vi.advanceTimersByTime(40_000_000_000)
  expect(calls).toBe(0)
})
