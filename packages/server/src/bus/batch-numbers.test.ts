import { expect, test } from 'vitest'
import { BatchNumbers } from './batch-numbers.ts'

const a = { node: 'a', incarnation: 1 }
const hear = (numbers: BatchNumbers, ...said: number[]) => said.map((number) => numbers.hear(a, 'changes.0', number))

test('what comes in order misses nothing', () => {
  const numbers = new BatchNumbers()
  expect(hear(numbers, 1, 2, 3)).toEqual(['next', 'next', 'next'])
})

test('what comes twice is known', () => {
  const numbers = new BatchNumbers()
  expect(hear(numbers, 1, 1, 2, 1, 2)).toEqual(['next', 'repeat', 'next', 'repeat', 'repeat'])
})

test('a gap is noticed once, and what comes late is heard once', () => {
  const numbers = new BatchNumbers()
  expect(hear(numbers, 1, 4, 3)).toEqual(['next', 'missing', 'next'])
  expect(hear(numbers, 2, 2, 4)).toEqual(['next', 'repeat', 'repeat'])
})

test('who is heard for the first time in the middle may have said something before', () => {
  expect(hear(new BatchNumbers(), 7)).toEqual(['missing'])
})

test('that the last of all was lost is known from the next sign of life', () => {
  const numbers = new BatchNumbers()
  hear(numbers, 1, 2)
  expect(numbers.headIs(a, 'changes.0', 2)).toBe('next')
  expect(numbers.headIs(a, 'changes.0', 3)).toBe('missing')
  expect(hear(numbers, 3)).toEqual(['next'])
})

test('each channel, each node and each life of it counts for itself', () => {
  const numbers = new BatchNumbers()
  hear(numbers, 1, 2, 3)
  expect(numbers.hear(a, 'changes.1', 1)).toBe('next')
  expect(numbers.hear({ node: 'b', incarnation: 1 }, 'changes.0', 1)).toBe('next')
  expect(numbers.hear({ node: 'a', incarnation: 2 }, 'changes.0', 1)).toBe('next')
  expect(numbers.hear({ node: 'a', incarnation: 2 }, 'changes.0', 3)).toBe('missing')
})

test('33 a number from nowhere costs neither time nor memory', () => {
  const numbers = new BatchNumbers()
  expect(hear(numbers, 1, Number.MAX_SAFE_INTEGER)).toEqual(['next', 'missing'])
  expect(hear(numbers, Number.MAX_SAFE_INTEGER - 1, 5)).toEqual(['next', 'repeat'])
})
