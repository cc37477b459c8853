import { expect, it } from 'vitest'
import { AFTER_SLOW_MS, MAX_AVERAGE_MS, SLOW_MS } from './beside-the-sockets.ts'
import { LoneLooks, MAX_LONE_LOOKS } from './lone-looks.ts'

function world() {
  let now = 0
  const lone = new LoneLooks(() => now)
  return {
    lone,
    pass: (ms: number) => {
      now += ms
    },
    look(count: number, ms: number) {
      for (let i = 0; i < count; i++) lone.took(ms)
    },
  }
}

it('a few rows are looked up beside the sockets, many are not', () => {
  const { lone } = world()
  expect([lone.isFor(1), lone.isFor(MAX_LONE_LOOKS), lone.isFor(MAX_LONE_LOOKS + 1)]).toEqual([true, true, false])
})

it('after a slow look none is tried for a minute', () => {
  const { lone, look, pass } = world()
  look(1, SLOW_MS - 1)
  expect(lone.isFor(1)).toBe(false)
  pass(AFTER_SLOW_MS - 1)
  expect(lone.isFor(1)).toBe(false)
  pass(1)
  expect(lone.isFor(1)).toBe(true)
  look(1, SLOW_MS)
  expect(lone.isFor(1)).toBe(false)
})

it('nor after several that were not quick, while one among many does no harm', () => {
  const { lone, look } = world()
  look(1_000, MAX_AVERAGE_MS / 10)
  look(1, SLOW_MS / 2)
  expect(lone.isFor(1)).toBe(true)
  look(100, MAX_AVERAGE_MS * 1.5)
  expect(lone.isFor(1)).toBe(false)
})
