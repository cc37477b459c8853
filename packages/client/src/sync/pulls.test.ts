import type { ConversationId, RowsFrame } from '@parley/protocol'
import { expect, it } from 'vitest'
import { PULL_PATIENCE_MS, Pulls } from './pulls.ts'

const red = 'red' as ConversationId
const frame = (after: number, sequence: number, last = false, id = 1): RowsFrame => ({
  type: 'rows',
  id,
  stream: red,
  rows: [{ type: 'message', sequence } as never],
  after,
  sequence,
  more: !last,
  last,
})

it('CON-7 frames go on from where the one before left off', () => {
  const pulls = new Pulls()
  pulls.start(1, [{ stream: red, after: 3 }], 0)
  expect(pulls.hear(frame(3, 5), 0)).toEqual({ kind: 'next', after: 3, isLast: false })
  expect(pulls.hear(frame(5, 9, true), 0)).toEqual({ kind: 'next', after: 5, isLast: true })
  expect(pulls.isIdle).toBe(true)
})

it('CON-7 frames that are repeated or come after the end say nothing of how far we are', () => {
  const pulls = new Pulls()
  pulls.start(1, [{ stream: red, after: 3 }], 0)
  pulls.hear(frame(3, 9, true), 0)
  expect(pulls.hear(frame(3, 9, true), 0)).toEqual({ kind: 'late' })
  expect(pulls.hear(frame(3, 5), 0)).toEqual({ kind: 'late' })
  expect(pulls.hear(frame(3, 5, false, 7), 0)).toEqual({ kind: 'foreign' })
})

it('CON-7 a frame that overtook another does not claim what the other brings', () => {
  const pulls = new Pulls()
  pulls.start(1, [{ stream: red, after: 3 }], 0)
  expect(pulls.hear(frame(5, 9), 0)).toEqual({ kind: 'late' })
  expect(pulls.hear(frame(3, 5), 0)).toEqual({ kind: 'next', after: 3, isLast: false })
})

it('CON-7 a pull that fell silent is given up', () => {
  const pulls = new Pulls()
  pulls.start(1, [{ stream: red, after: 3 }], 0)
  pulls.hear(frame(3, 5), 10_000)
  pulls.expire(PULL_PATIENCE_MS)
  expect(pulls.isIdle).toBe(false)
  pulls.expire(10_000 + PULL_PATIENCE_MS)
  expect(pulls.isIdle).toBe(true)
})
