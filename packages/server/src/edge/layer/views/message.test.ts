import type { UserId } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { Participant } from '../../../model/state.ts'
import { isInSight, statusOf } from './message.ts'

const participant = (is: Partial<Participant>): Participant => ({
  ...{ userId: 'ben' as UserId, state: 'joined', order: 1, joinedAt: 0, lastPosition: null },
  ...{ absent: [], delivered: [], read: [], hidden: [] },
  ...is,
})
const message = { position: 5, sender: 'ada' as UserId }

describe('one message and one participant', () => {
  it.each([
    ['sent', participant({})],
    ['delivered', participant({ delivered: [1, 5] })],
    ['read', participant({ delivered: [1, 5], read: [5, 5] })],
    ['read', participant({ userId: 'ada' as UserId })],
    [undefined, participant({ absent: [1, 5], delivered: [1, 5], read: [1, 5] })],
    [undefined, participant({ state: 'removed', lastPosition: 4 })],
    ['sent', participant({ state: 'removed', lastPosition: 5 })],
    ['sent', participant({ state: 'hidden', hidden: [1, 5] })],
  ])('LAY-3 the status is %s', (status, who) => {
    expect(statusOf(message, who)).toBe(status)
  })

  it.each([
    [true, participant({})],
    [false, participant({ hidden: [5, 5] })],
    [true, participant({ state: 'removed', lastPosition: 5 })],
    [false, participant({ state: 'removed', lastPosition: 4 })],
    [false, participant({ state: 'left', lastPosition: 9 })],
  ])('LAY-2 it is in sight: %s', (expected, who) => {
    expect(isInSight(who, message.position)).toBe(expected)
  })
})
