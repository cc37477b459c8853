import type { Uuid } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { LaneWorld, newId, type Somebody } from '../../test/lane-world.ts'

describe('mark-messages', () => {
  let world: LaneWorld
  let alice: Somebody
  let ben: Somebody
  let cleo: Somebody
  let id: Uuid
  beforeEach(async () => {
    world = new LaneWorld()
    ;({ alice, ben, cleo } = await world.people('alice', 'ben', 'cleo'))
    id = await alice.starts(['ben'])
    for (let i = 0; i < 6; i++) await alice.sends(id)
  })
  type Mark = readonly ['delivery' | 'read', number, boolean?]
  const marks = async (...asked: Mark[]) => {
    for (const [receipt, position, only = false] of asked) {
      await ben.does('mark-messages', { conversation: id, receipt, position, only })
    }
    const { delivered, read } = (await ben.membership(id))!
    return { delivered, read }
  }

  it.each<[string, Mark[], { delivered: number[]; read: number[] }]>([
    ['RCT-1 up to a position', [['delivery', 3]], { delivered: [1, 3], read: [] }],
    ['RCT-2 read implies delivered', [['read', 2]], { delivered: [1, 2], read: [1, 2] }],
    ['RCT-1 just one', [['read', 4, true]], { delivered: [4, 4], read: [4, 4] }],
    [
      'RCT-1 islands melt into the watermark',
      [
        ['read', 4, true],
        ['read', 2, true],
        ['read', 3, true],
        ['read', 1, true],
      ],
      { delivered: [1, 4], read: [1, 4] },
    ],
    [
      'RCT-1 never back',
      [
        ['read', 5],
        ['read', 2],
        ['delivery', 1],
      ],
      { delivered: [1, 5], read: [1, 5] },
    ],
    ['beyond the newest means up to it', [['read', 99]], { delivered: [1, 6], read: [1, 6] }],
    ['just one beyond the newest means none', [['read', 7, true]], { delivered: [], read: [] }],
    [
      'RCT-2 delivered further than read',
      [
        ['read', 1],
        ['delivery', 6],
      ],
      { delivered: [1, 6], read: [1, 1] },
    ],
  ])('%s', async (_, asked, expected) => {
    expect(await marks(...asked)).toEqual(expected)
  })

  it('RCT-5 RCPT-5 unread falls with what is read', async () => {
    expect(await ben.sees(id)).toMatchObject({ unreadCount: 6 })
    await ben.reads(id, 2)
    await ben.reads(id, 5, true)
    expect(await ben.sees(id)).toMatchObject({ unreadCount: 3 })
    await ben.reads(id, 6)
    expect(await ben.sees(id)).toMatchObject({ unreadCount: 0 })
    expect(await alice.sees(id)).toMatchObject({ unreadCount: 0 })
  })

  it('RCPT-4 marking what is marked changes nothing, and is acknowledged all the same', async () => {
    await ben.reads(id, 6)
    const before = await world.store.log.lastCursor()
    expect(await ben.reads(id, 6)).toMatchObject({ hasChanged: false, stream: id, sequence: 10 })
    expect(await ben.reads(id, 3, true)).toMatchObject({ hasChanged: false })
    expect(await world.store.log.lastCursor()).toBe(before)
  })

  it('STR-3 everybody sees the mark, and no inbox moves', async () => {
    const inbox = (await ben.membership(id))!.inboxSequence
    await ben.reads(id, 6)
    const [row] = await world.rows(id, 'alice', 9)
    expect(row).toMatchObject({ type: 'participant', record: { userId: 'ben', read: [1, 6], sequence: 10 } })
    expect((await ben.membership(id))!.inboxSequence).toBe(inbox)
  })

  it('in an empty conversation there is nothing to mark', async () => {
    const empty = await alice.starts(['ben'])
    expect(await ben.reads(empty, 5)).toMatchObject({ hasChanged: false })
  })

  it('CNV-7 a stranger, an absent and a left conversation', async () => {
    const mark = (conversation: Uuid) => ({ conversation, receipt: 'read', position: 1 }) as const
    const absent = await cleo.refused('mark-messages', mark(newId()))
    expect(absent).toMatchObject({ id: 'not_found' })
    expect(await cleo.refused('mark-messages', mark(id))).toEqual(absent)
    await ben.deletes(id, 'and leaves')
    expect(await ben.refused('mark-messages', mark(id))).toMatchObject({ id: 'access_denied' })
  })
})
