import { expect, test } from 'vitest'
import { createNonceMemory } from './nonce-memory.ts'

test('a nonce is taken once, and again only after ten minutes', () => {
  let nowMs = 0
  const claim = createNonceMemory({ now: () => nowMs })
  expect([claim('a'), claim('a'), claim('b')]).toEqual([true, false, true])
  nowMs = 599_999
  expect(claim('a')).toBe(false)
  nowMs = 600_000
  expect(claim('a')).toBe(true)
})

test('what is remembered is bounded: the oldest go first', () => {
  const claim = createNonceMemory({ capacity: 2, now: () => 0 })
  expect(['a', 'b', 'c'].map(claim)).toEqual([true, true, true])
  expect([claim('c'), claim('a')]).toEqual([false, true])
})
