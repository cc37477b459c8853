import { expect, test } from 'vitest'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { Tally } from './tally.ts'
import { timedStore } from './timed-store.ts'

test('calls are timed one by one, and those that fail are counted', async () => {
  const tally = new Tally()
  const inner = openMemoryStore()
  const fails = async () => {
    throw new Error('Away.')
  }
  const store = timedStore({ ...inner, log: { ...inner.log, prune: fails } }, tally)
  const asked = store.log.lastCursor()
  expect(tally.storeCallsUnderWay).toBe(1)
  expect(await asked).toBe(await inner.log.lastCursor())
  await expect(store.log.prune({ operationsMs: 0, noncesMs: 0 })).rejects.toThrow('Away.')
  expect(tally.storeCallsUnderWay).toBe(0)
  expect(tally.storeCalls.get('log.lastCursor')?.count).toBe(1)
  expect(tally.storeErrors.all).toEqual([['log.prune', 1]])
})

test('what a store says of itself is asked anew each time: one that is moved may have other writers then', () => {
  let isMoved = false
  const inner = {
    ...openMemoryStore(),
    get hasOneWriter() {
      return !isMoved
    },
  }
  const store = timedStore(inner, new Tally())
  expect(store.hasOneWriter).toBe(true)
  isMoved = true
  expect(store.hasOneWriter).toBe(false)
})
