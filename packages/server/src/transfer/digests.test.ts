import { expect, test } from 'vitest'
import { addDigest, areEqual, differences, digestOf, NO_ROWS } from './digests.ts'
import { tableOf } from './tables.ts'

const nonces = tableOf('used_nonces')
const row = (hash: string, forget_at: number) => ({ hash, forget_at })
const sumsOf = (...rows: ReturnType<typeof row>[]) =>
  rows.reduce((sums, one) => addDigest(sums, digestOf(nonces, one)), NO_ROWS)

test('rows add up to the same in any order, and to another sum if one is missing, doubled or another', () => {
  const [a, b, c] = [row('a', 1), row('b', 2), row('c', 3)]
  const all = sumsOf(a, b, c)
  expect(areEqual(all, sumsOf(c, a, b))).toBe(true)
  for (const other of [sumsOf(a, b), sumsOf(a, b, c, c), sumsOf(a, b, row('c', 4)), sumsOf(a, b, b), sumsOf()]) {
    expect(areEqual(all, other)).toBe(false)
  }
})

test('a value cannot pass for another, nor move into the next column', () => {
  const operations = tableOf('operations')
  const operation = { app: 1, user_id: 'a', id: 'b', name: 'c', at: 1 }
  const digests = [
    operation,
    { ...operation, user_id: 'a", "b', id: '' },
    { ...operation, at: null },
    { ...operation, at: 'null' },
    { ...operation, at: '1' },
  ].map((one) => digestOf(operations, one))
  expect(new Set(digests).size).toBe(digests.length)
})

test('differences name the row, and which side it is on', () => {
  const here = new Map([
    ['["a"]', '1'],
    ['["b"]', '2'],
  ])
  const there = new Map([
    ['["b"]', '3'],
    ['["c"]', '4'],
  ])
  expect(differences(nonces, here, there)).toEqual([
    'used_nonces ["a"] is missing in PostgreSQL',
    'used_nonces ["b"] is another one in PostgreSQL',
    'used_nonces ["c"] is in PostgreSQL alone',
  ])
  expect(differences(nonces, here, there, 1)).toHaveLength(1)
  expect(differences(nonces, here, here)).toEqual([])
})
