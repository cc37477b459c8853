import { expect, it } from 'vitest'
import { AFTER_SLOW_MS, MAX_AVERAGE_MS, SLOW_MS } from './beside-the-sockets.ts'
import { LoneCommits, MAX_IN_A_ROW, MAX_LONE_ROWS, SURE_AFTER } from './lone-commits.ts'
import type { PackedWrites } from './packed-writes.ts'

function world() {
  let now = 0
  const lone = new LoneCommits(() => now)
  return {
    lone,
    pass: (ms: number) => {
      now += ms
    },
    /** Commits so many batches; answers how many of them here. */
    commit(count: number, { ms = 0.2, rows = 2 } = {}) {
      let here = 0
      for (let i = 0; i < count; i++) {
        const writes = { ...NOTHING, newMessages: Array.from({ length: rows }, () => []) }
        const isHere = lone.isFor(writes)
        if (isHere) here++
        lone.committed(writes, { ms, isHere })
      }
      return here
    },
  }
}

const NOTHING: PackedWrites = {
  cursor: 1,
  ...{ purged: [], conversations: [], participants: [], newMessages: [], changedMessages: [] },
  ...{ people: [], sessions: [], nonces: [], operations: [] },
}

it('small batches are committed here once there were enough of them', () => {
  const { commit } = world()
  expect(commit(SURE_AFTER)).toBe(0)
  expect(commit(100)).toBe(100)
})

it('a large batch goes to the store’s thread, and so do the next ones after it', () => {
  const { commit } = world()
  commit(SURE_AFTER + 1)
  expect(commit(1, { rows: MAX_LONE_ROWS + 1 })).toBe(0)
  expect(commit(SURE_AFTER)).toBe(0)
  expect(commit(1)).toBe(1)
})

it('while commits are not fast on the average none is made here, wherever they are made', () => {
  const { commit } = world()
  expect(commit(200, { ms: 2 * MAX_AVERAGE_MS })).toBe(0)
  commit(3 * SURE_AFTER)
  expect(commit(100)).toBe(100)
  expect(commit(10, { ms: 2 * MAX_AVERAGE_MS })).toBeLessThan(10)
  expect(commit(1)).toBe(0)
})

it('after a slow one none is made here for a minute', () => {
  const { commit, pass } = world()
  commit(SURE_AFTER)
  expect(commit(1, { ms: SLOW_MS })).toBe(1)
  expect(commit(200)).toBe(0)
  pass(AFTER_SLOW_MS - 1)
  expect(commit(1)).toBe(0)
  pass(1)
  expect(commit(1)).toBe(1)
})

it('after one that failed none is made here for a minute', () => {
  const { lone, commit, pass } = world()
  commit(SURE_AFTER)
  lone.failedHere()
  expect(commit(200)).toBe(0)
  pass(AFTER_SLOW_MS)
  expect(commit(1)).toBe(1)
})

it('now and then one goes to the store’s thread all the same', () => {
  const { commit } = world()
  commit(SURE_AFTER)
  expect(commit(4 * MAX_IN_A_ROW)).toBe(4 * MAX_IN_A_ROW - 4)
})
