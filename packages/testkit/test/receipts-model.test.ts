import type { Row } from '@parley/protocol'
import { runReceipts } from '@parley/testkit/simulator'
import { expect, it } from 'vitest'

it('P4 unread and receipts equal a model of plain sets, on five devices that lag behind', () => {
  let comparisons = 0
  for (let seed = 1; seed <= 5; seed++) {
    const outcome = runReceipts({ seed, steps: 6_000 })
    expect(outcome.findings).toEqual([])
    comparisons += outcome.comparisons
  }
  expect(comparisons).toBeGreaterThan(5_000)
})

it.each([
  [
    'a read mark that stops one short',
    (row: Row) => (row.type === 'participant' ? { ...row, read: short(row.read) } : row),
  ],
  ['a receipt for whoever was not there', (row: Row) => (row.type === 'participant' ? { ...row, absent: [] } : row)],
  ['a message that is hidden and counted', (row: Row) => (row.type === 'membership' ? { ...row, hidden: [] } : row)],
  ['a deletion nobody hears of', (row: Row) => (row.type === 'message' ? { ...row, deleted_at: null } : row)],
])('P4 %s is noticed', (_, tamper) => {
  expect(runReceipts({ seed: 1, steps: 20_000, tamper }).findings).toHaveLength(1)
})

const short = (set: readonly number[]) =>
  set.length === 0 || set.at(-1) === set.at(-2) ? set.slice(0, -2) : [...set.slice(0, -1), set.at(-1)! - 1]
