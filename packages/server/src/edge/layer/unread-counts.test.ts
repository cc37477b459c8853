import type { UserId, Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { AppKey, Participant } from '../../model/state.ts'
import type { ConversationMove } from './changes/telling.ts'
import { plainCount } from './unread-counts.ts'

const viewer = { app: 1 as AppKey, userId: 'ada' as UserId }

const own = (read: readonly number[], hidden: readonly number[] = []) => ({ read, hidden }) as unknown as Participant

/** A move of the sequences after `after`: messages at positions, or participants' rows. */
function move(after: number, headPosition: number, rows: ('mine' | 'theirs' | 'gone' | 'my mark' | 'their mark')[]) {
  const moved = rows.map((row, index) => {
    const sequence = after + 1 + index
    const userId = (row.startsWith('my') || row === 'mine' ? 'ada' : 'ben') as UserId
    if (row.endsWith('mark')) return { type: 'participant', record: { userId, sequence } }
    const isGone = row === 'gone'
    return {
      type: 'message',
      record: {
        ...{ sender: userId, sequence, firstSequence: isGone ? 1 : sequence },
        ...{ deletedAt: isGone ? 1 : null, position: headPosition },
      },
    }
  })
  // Only what the count looks at.
  return {
    after,
    sequence: after + rows.length,
    rows: moved,
    conversation: { id: 'c' as Uuid, headPosition },
  } as unknown as ConversationMove
}

describe('an unread count carried on from change to change', () => {
  it.each([
    ['one more for a message of somebody else', own([1, 4]), move(9, 7, ['theirs']), { count: 2, sequence: 9 }, 3],
    ['the same for one’s own', own([1, 4]), move(9, 7, ['mine']), { count: 2, sequence: 9 }, 2],
    ['the same for somebody else’s mark', own([1, 4]), move(9, 7, ['their mark']), { count: 2, sequence: 9 }, 2],
    ['none when all is read, whatever was known', own([1, 7]), move(9, 7, ['my mark']), undefined, 0],
    ['one when all before is read', own([1, 6]), move(9, 7, ['theirs']), undefined, 1],
    ['none when all before is read and it is one’s own', own([1, 6]), move(9, 7, ['mine']), undefined, 0],
    ['what was counted later already', own([1, 4]), move(9, 7, ['theirs']), { count: 5, sequence: 12 }, 5],
    ['hidden counts as seen', own([1, 4], [5, 6]), move(9, 7, ['theirs']), undefined, 1],
  ])('LAY-33 is %s', (_what, side, change, before, expected) => {
    expect(plainCount(viewer, change, side, before)?.count).toBe(expected)
  })

  it.each([
    ['a message was deleted', move(9, 7, ['gone']), { count: 2, sequence: 9 }],
    ['some were read', move(9, 7, ['my mark']), { count: 2, sequence: 9 }],
    ['a change was not heard of', move(9, 7, ['theirs']), { count: 2, sequence: 8 }],
    ['nothing was known', move(9, 7, ['theirs']), undefined],
  ])('LAY-33 is asked of the log when %s', (_what, change, before) => {
    expect(plainCount(viewer, change, own([1, 4]), before)).toBeUndefined()
  })
})
