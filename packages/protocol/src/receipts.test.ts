import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addPositions, addUpTo, EMPTY_POSITIONS, hasPosition, type PositionSet } from './position-set.ts'
import { isUnread, type Marks, recipientStatus, seenPositions, unreadRanges } from './receipts.ts'

const marks = (other: Partial<Marks> = {}): Marks => ({ absent: [], delivered: [], read: [], ...other })

describe('how far a message got', () => {
  it.each<[string, Marks, boolean, ReturnType<typeof recipientStatus>]>([
    ['sent', marks(), false, 'sent'],
    ['delivered', marks({ delivered: [1, 5] }), false, 'delivered'],
    ['read', marks({ delivered: [1, 5], read: [5, 5] }), false, 'read'],
    ['RCT-2 read, even where the delivery was never heard of', marks({ read: [5, 5] }), false, 'read'],
    ['RCT-3 to somebody who was not there: not at all', marks({ absent: [1, 9], read: [1, 9] }), false, undefined],
    ['RCT-4 with its sender: read', marks(), true, 'read'],
    ['RCT-4 with its sender, who was not there either as it seems: read', marks({ absent: [5, 5] }), true, 'read'],
    ['marks of its neighbours say nothing', marks({ delivered: [1, 4, 6, 9], read: [6, 6] }), false, 'sent'],
  ])('%s', (_name, of, isSender, expected) => {
    expect(recipientStatus(of, 5, isSender)).toBe(expected)
  })

  it('RCT-1 only rises as marks grow', () => {
    const rank = { sent: 1, delivered: 2, read: 3 }
    const mark = fc.record({
      which: fc.constantFrom('delivered', 'read'),
      from: fc.integer({ min: 1, max: 9 }),
      length: fc.nat(4),
    })
    fc.assert(
      fc.property(fc.array(mark), fc.integer({ min: 1, max: 12 }), (steps, position) => {
        let current = marks()
        let before = 0
        for (const { which, from, length } of steps) {
          current = { ...current, [which]: addPositions(current[which as 'read'], from, from + length) }
          const now = rank[recipientStatus(current, position, false)!]
          expect(now).toBeGreaterThanOrEqual(before)
          before = now
        }
      }),
    )
  })
})

describe('unread', () => {
  it.each<[string, PositionSet, PositionSet, boolean, boolean]>([
    ['RCT-5 a message by another', [], [], false, true],
    ['RCT-5 not once read', [1, 5], [], false, false],
    ['RCT-5 not while hidden', [], [5, 5], false, false],
    ['RCT-4 not one of my own', [], [], true, false],
    ['RCT-5 not when others around it were read', [1, 4, 6, 6], [], false, true],
  ])('%s', (_name, read, hidden, isOwn, expected) => {
    expect(isUnread({ read, hidden }, { position: 5, isOwn })).toBe(expected)
  })

  it('what was seen is what was read or hidden, without a copy where nothing is hidden', () => {
    const read = [1, 3]
    expect(seenPositions({ read, hidden: EMPTY_POSITIONS })).toBe(read)
    expect(seenPositions({ read, hidden: [4, 4, 9, 9] })).toEqual([1, 4, 9, 9])
  })

  it('P4 counted by ranges or message by message, it is the same number', () => {
    const set = fc
      .array(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat(5)), { maxLength: 6 })
      .map((ranges) => ranges.reduce<PositionSet>((all, [from, length]) => addPositions(all, from, from + length), []))
    const message = fc.record({ isOwn: fc.boolean(), isDeleted: fc.boolean() })
    fc.assert(
      fc.property(set, set, fc.array(message, { maxLength: 40, size: 'max' }), (read, hidden, messages) => {
        const log = messages.map((each, i) => ({ ...each, position: i + 1 }))
        const ranges = unreadRanges({ read, hidden }, log.length)
        const byRange = log.filter((each) => hasPosition(ranges, each.position) && !each.isOwn && !each.isDeleted)
        const oneByOne = log.filter((each) => !each.isDeleted && isUnread({ read, hidden }, each))
        expect(byRange).toEqual(oneByOne)
      }),
    )
  })

  it('RCT-3 one who joins has nothing unread from before', () => {
    const read = addUpTo(EMPTY_POSITIONS, 7)
    expect(unreadRanges({ read, hidden: [] }, 7)).toEqual([])
    expect(unreadRanges({ read, hidden: [] }, 9)).toEqual([8, 9])
  })
})
