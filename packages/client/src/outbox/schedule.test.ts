import type { ConversationId } from '@parley/protocol'
import { expect, it } from 'vitest'
import { type Circumstances, nextToSend } from './schedule.ts'
import type { Summary } from './summary.ts'

const red = 'red' as ConversationId
const blue = 'blue' as ConversationId

const entry = (order: number, conversation: ConversationId, more: Partial<Summary> = {}): Summary => ({
  order,
  id: `${conversation}-${order}`,
  name: 'send-message',
  conversation,
  state: 'waiting',
  settlesAt: null,
  mark: null,
  isQuiet: false,
  ...more,
})

const open: Circumstances = { isUnderWay: () => false, leaving: undefined, isQuietTime: false, room: 32 }
const plan = (waiting: readonly Summary[], circumstances: Partial<Circumstances> = {}) =>
  nextToSend(waiting, { ...open, ...circumstances }).map(({ entry, after }) => [entry.id, after])

it('QUEUE-5 entries of a conversation go in the order of the calls, each naming the one before it', () => {
  expect(plan([entry(1, red), entry(2, blue), entry(3, red), entry(4, red)])).toEqual([
    ['red-1', undefined],
    ['blue-2', undefined],
    ['red-3', 'red-1'],
    ['red-4', 'red-3'],
  ])
})

it('OPR-5 an entry names the one before it that is still under way', () => {
  const waiting = [entry(1, red), entry(2, red)]
  expect(plan(waiting, { isUnderWay: (id) => id === 'red-1' })).toEqual([['red-2', 'red-1']])
})

it('DIST-3 what follows a create waits for its answer, which may name another conversation', () => {
  const waiting = [entry(1, red, { name: 'create-conversation' }), entry(2, red), entry(3, blue)]
  expect(plan(waiting)).toEqual([
    ['red-1', undefined],
    ['blue-3', undefined],
  ])
  expect(plan(waiting, { isUnderWay: (id) => id === 'red-1' })).toEqual([['blue-3', undefined]])
})

it('OPR-6 what is being given up does not go, nor does anything behind it in its conversation', () => {
  expect(plan([entry(1, red), entry(2, red), entry(3, red), entry(4, blue)], { leaving: 'red-2' })).toEqual([
    ['red-1', undefined],
    ['blue-4', undefined],
  ])
})

it('QUEUE-5 no more go than there is room for', () => {
  expect(plan([entry(1, red), entry(2, red), entry(3, red)], { room: 2 })).toHaveLength(2)
  expect(plan([entry(1, red)], { room: 0 })).toEqual([])
})

it('DEV-3 delivery receipts go in gusts, one under way for each conversation, and hold nobody up', () => {
  const quiet = { name: 'mark-messages', isQuiet: true } as const
  const waiting = [entry(1, red, quiet), entry(2, red)]
  expect(plan(waiting, { isQuietTime: true })).toEqual([['red-2', undefined]])
  expect(plan(waiting)).toEqual([
    ['red-1', undefined],
    ['red-2', 'red-1'],
  ])
  const another = [entry(1, red, quiet), entry(2, red, quiet)]
  expect(plan(another, { isUnderWay: (id) => id === 'red-1' })).toEqual([])
})
