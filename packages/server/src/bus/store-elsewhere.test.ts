import { expect, it } from 'vitest'
import { TestNodes } from '../../test/bus-nodes.ts'
import { StoreElsewhere } from './store-elsewhere.ts'

it('34 a node knows whether the store answers another one, as long as that one says so', async () => {
  const nodes = new TestNodes()
  let hasStore = true
  const here = nodes.start('here', { hasStore: () => false })
  const there = nodes.start('there', { hasStore: () => hasStore })
  const elsewhere = new StoreElsewhere(here.exchange, nodes.clock.now)
  expect(elsewhere.answers).toBe(false)
  await nodes.clock.advance(10_000)
  expect(elsewhere.answers).toBe(true)
  hasStore = false
  await nodes.clock.advance(10_000)
  expect(elsewhere.answers).toBe(false)
  hasStore = true
  await nodes.clock.advance(10_000)
  expect(elsewhere.answers).toBe(true)
  await there.stop()
  await nodes.clock.advance(10_000)
  expect(elsewhere.answers).toBe(false)
})
