import { expect, test } from 'vitest'
import type { Run } from '../scenarios/run.ts'
import type { Limit, Sample, Scenario } from '../scenarios/scenario.ts'
import { isWithin, resultTable } from './report.ts'

const scenario = (limit: Limit): Scenario => ({
  id: 'A',
  title: 'chat',
  servers: ['reference', 'parley'],
  figures: [{ name: 'rate', title: 'acks/s', limit }],
  measure: async () => ({}),
})

const runs = (of: Scenario, reference: readonly Sample[], parley: readonly Sample[]): Run[] => [
  ...reference.map((sample, round) => ({ scenario: of, server: 'reference' as const, round, sample })),
  ...parley.map((sample, round) => ({ scenario: of, server: 'parley' as const, round, sample })),
]

const rates = (...values: number[]) => values.map((rate) => ({ rate, clientCores: 0.2, lost: 0 }))

test('a ratio is the median of those of each turn, and is held against its limit', () => {
  const atLeastHalf = scenario({ of: 'ratio', atLeast: 0.5 })
  const good = resultTable(runs(atLeastHalf, rates(100, 90, 300), rates(60, 10, 165)))
  expect(good.text).toContain('×0.55')
  expect(good.text).toContain('60 (10–165)')
  expect([good.held, good.broken]).toEqual([1, 0])
  expect(resultTable(runs(atLeastHalf, rates(100), rates(49)))).toMatchObject({ held: 0, broken: 1 })
})

test('a limit of its own looks at Parley alone; without a figure it says nothing', () => {
  const atMostTen = scenario({ of: 'figure', atMost: 10 })
  expect(resultTable(runs(atMostTen, rates(99), rates(10)))).toMatchObject({ held: 1, broken: 0 })
  expect(resultTable(runs(atMostTen, rates(1), []))).toMatchObject({ held: 0, broken: 0 })
  expect(isWithin({ of: 'figure', atMost: 10 }, Number.NaN)).toBeUndefined()
})

test('a row says when the load was what bounded it, and when something was lost', () => {
  const one = scenario({ of: 'figure', atLeast: 1 })
  const sample = { rate: 5, clientCores: 0.97, lost: 2 }
  const { text } = resultTable(runs(one, rates(5), [sample]))
  expect(text).toContain('the load was the bound: parley; LOST 2')
})
