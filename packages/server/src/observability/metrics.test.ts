import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { VERSION } from '../server.ts'
import { figuresOf } from './figures.ts'
import { figuresOfNodes } from './figures-of-nodes.ts'
import { Histogram } from './histogram.ts'
import { Metrics } from './metrics.ts'
import { Tally } from './tally.ts'

test('a histogram counts what is not larger than each bound, and everything in the end', async () => {
  const of = new Histogram([1, 5])
  for (const value of [0.5, 1, 1.5, 5, 6]) of.note(value)
  const figure = { type: 'histogram', name: 'of_test', help: 'Says nothing.', read: () => [{ of }] } as const
  const text = await new Metrics([figure]).text()
  expect(text).toContain(
    [
      '# HELP of_test Says nothing.',
      '# TYPE of_test histogram',
      'of_test_bucket{le="1"} 2',
      'of_test_bucket{le="5"} 4',
      'of_test_bucket{le="+Inf"} 5',
      'of_test_sum 14',
      'of_test_count 5',
    ].join('\n'),
  )
})

test('figures are what the tally says at the moment they are asked for', async () => {
  const tally = new Tally()
  const lane = { waiting: 3, oldestWaitMs: 2_500, isPressed: true }
  const readiness = { reasons: [] as string[] }
  const metrics = new Metrics(figuresOf({ tally, lane, greetings: { waiting: 0 }, readiness, version: '1.2.3' }))
  tally.settled('send-message', 'done', 0.002)
  tally.settled('send-message', 'done', 0.002)
  tally.settled('send-message', 'not_found', 0.002)
  expect(await metrics.text()).toContain('parley_operations_total{operation="send-message",outcome="done"} 2')
  tally.settled('send-message', 'done', 0.002)
  readiness.reasons.push('The store has ended.')
  const text = await metrics.text()
  for (const line of [
    'parley_operations_total{operation="send-message",outcome="done"} 3',
    'parley_operations_total{operation="send-message",outcome="not_found"} 1',
    'parley_operation_seconds_count 4',
    'parley_lane_waiting 3',
    'parley_lane_oldest_wait_seconds 2.5',
    'parley_lane_pressed 1',
    'parley_ready 0',
    'parley_build_info{version="1.2.3"} 1',
  ]) {
    expect(text.split('\n')).toContain(line)
  }
})

const nodes = {
  bus: 'connected' as 'connected' | 'degraded',
  isDegraded: false,
  others: 2,
  counts: {
    bus: { published: 5, publishedBytes: 500, received: 7, receivedBytes: 700, dropped: 1, losses: 1 },
    exchange: {
      ...{ oversized: 0, malformed: 3, 'other-version': 0, forged: 4, unknown: 0, repeated: 0, missing: 1 },
      ...{ own: 0, past: 0 },
    },
    follower: {
      ...{ told: 6, old: 1, notOurs: 2, refuted: 1, overloaded: 0 },
      ...{ reads: 4, failedReads: 1, polls: 3, failedPolls: 0 },
    },
  },
}

test('a server among others shows whom it hears, and whether it can rely on it', async () => {
  const metrics = new Metrics(figuresOfNodes(nodes))
  for (const line of [
    'parley_bus_connected 1',
    'parley_degraded 0',
    'parley_other_servers 2',
    'parley_bus_messages_total{what="dropped"} 1',
    'parley_bus_bytes_total{what="received"} 700',
    'parley_bus_losses_total 1',
    'parley_bus_passed_over_total{reason="forged"} 4',
    'parley_hints_total{fate="refuted"} 1',
    'parley_store_looks_total{kind="read",outcome="failed"} 1',
    'parley_store_looks_total{kind="poll",outcome="begun"} 3',
  ]) {
    expect((await metrics.text()).split('\n')).toContain(line)
  }
  Object.assign(nodes, { bus: 'degraded', isDegraded: true, others: 0 })
  const text = await metrics.text()
  for (const line of ['parley_bus_connected 0', 'parley_degraded 1', 'parley_other_servers 0']) {
    expect(text.split('\n')).toContain(line)
  }
})

test('the only server on its store shows nothing of others', async () => {
  const text = await new Metrics(figuresOfNodes(undefined)).text()
  expect(text).toContain('# TYPE parley_degraded gauge')
  expect(text).not.toMatch(/^parley_/m)
})

test('the version that is told is that of the package', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(VERSION).toBe(version)
})
