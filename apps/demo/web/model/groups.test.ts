import { describe, expect, it } from 'vitest'
import type { MessageItem } from './chat.ts'
import { groupMessages } from './groups.ts'

const message = (id: string, userId: string, at: string): MessageItem => ({
  id,
  sender: { id: userId, userId, name: userId },
  isOwn: false,
  isUnread: false,
  text: id,
  at: new Date(at).toISOString(),
  delivery: 'sent',
  operationId: null,
  readBy: [],
})
const ids = (messages: MessageItem[], firstNew?: string) =>
  groupMessages(messages, firstNew).map((group) => group.messages.map((each) => each.id).join())

describe('groupMessages', () => {
  it('puts what one person says in a row into one group', () => {
    const messages = [
      message('a', 'ben', '2026-11-22T10:00:00'),
      message('b', 'ben', '2026-11-22T10:01:00'),
      message('c', 'cleo', '2026-11-22T10:02:00'),
    ]
    expect(ids(messages)).toEqual(['a,b', 'c'])
  })

  it('begins anew after a pause, on another day, and where the new messages begin', () => {
    const messages = [
      message('a', 'ben', '2026-11-21T23:58:00'),
      message('b', 'ben', '2026-11-22T00:01:00'),
      message('c', 'ben', '2026-11-22T00:09:00'),
      message('d', 'ben', '2026-11-22T00:10:00'),
    ]
    expect(ids(messages, 'd')).toEqual(['a', 'b', 'c', 'd'])
    expect(groupMessages(messages, 'd').map((group) => group.startsDay)).toEqual([true, true, false, false])
    expect(groupMessages(messages, 'd').map((group) => group.startsNew)).toEqual([false, false, false, true])
  })
})
