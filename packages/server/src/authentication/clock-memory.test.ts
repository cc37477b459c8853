import type { Uuid } from '@parley/protocol'
import { expect, it } from 'vitest'
import { ClockMemory } from './clock-memory.ts'

const HOUR = 3_600_000
const NOON = 12 * HOUR
const session = (name: string, expiresAt: number) => ({ id: name as Uuid, expiresAt })

it('75 what was over stays over when the clock is set back', () => {
  const memory = new ClockMemory()
  memory.latest(NOON)
  expect(memory.isOver(session('old', NOON - 1), NOON - HOUR)).toBe(true)
  expect(memory.isOver(session('live', NOON + 1), NOON - HOUR)).toBe(false)
})

it('75 what begins while the clock is behind is judged by the clock as it is', () => {
  const memory = new ClockMemory()
  memory.latest(NOON)
  const [opened, renewed] = [session('opened', NOON - HOUR / 2), session('renewed', NOON - 1)]
  memory.begun(opened.id, NOON - HOUR)
  memory.begun(renewed.id, NOON - HOUR)
  expect([opened, renewed].map((one) => memory.isOver(one, NOON - HOUR))).toEqual([false, false])
  expect(memory.isOver(opened, NOON - HOUR / 2)).toBe(true)
  // Once the clock is where it was, there is nothing to remember.
  expect(memory.isOver(renewed, NOON)).toBe(true)
  expect(memory.isOver(renewed, NOON - 2)).toBe(true)
})

it('75 the time by which nonces live stands still while the clock is behind', () => {
  const memory = new ClockMemory()
  expect([NOON, NOON - HOUR, NOON - 1, NOON + 1].map((now) => memory.latest(now))).toEqual([NOON, NOON, NOON, NOON + 1])
})
