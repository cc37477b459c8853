import { countPositions, limits, MAX_POSITION_RANGES, type Uuid } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { APP, LaneWorld, newId, type Somebody } from '../../test/lane-world.ts'
import type { Facts } from '../model/decision.ts'
import { deleteMessage } from './delete-message.ts'

let world: LaneWorld
let alice: Somebody
let ben: Somebody
let cleo: Somebody
let id: Uuid
let messages: Uuid[]
beforeEach(async () => {
  world = new LaneWorld()
  ;({ alice, ben, cleo } = await world.people('alice', 'ben', 'cleo'))
  id = await alice.starts(['ben'], { metadata: { title: 'Gone' } })
  messages = []
  for (let i = 0; i < 3; i++) messages.push((await alice.sends(id)).id)
})

describe('delete-conversation', () => {
  it('CNV-3 DEL-5 for all: a tombstone says when, metadata and messages are gone, everybody hears of it', async () => {
    world.now += 5_000
    expect(await ben.deletes(id, 'for all')).toMatchObject({ stream: id, sequence: 7 })
    for (const viewer of ['alice', 'ben']) {
      const rows = await world.rows(id, viewer, 3)
      expect(rows).toMatchObject([
        { type: 'conversation', record: { deletedAt: world.now, metadata: {}, distinctKey: null, sequence: 7 } },
      ])
    }
    expect(await alice.sees(id)).toBeUndefined()
    expect(await world.store.lists.message(APP, messages[0]!)).toBeUndefined()
    expect(world.committed.at(-1)?.moves).toMatchObject([{ audience: ['alice', 'ben'] }])
  })

  it('CNV-3 what was sent in the same breath goes with it', async () => {
    await Promise.all([alice.sends(id), ben.deletes(id, 'for all')])
    expect((await world.rows(id)).filter((row) => row.type === 'message')).toEqual([])
    const cold = new LaneWorld({ store: world.store })
    expect((await cold.rows(id)).map((row) => row.record.sequence)).toEqual([2, 3, 8])
  })

  it('CNV-3 the second who deletes it finds nothing', async () => {
    await ben.deletes(id, 'for all')
    const gone = await alice.refused('delete-conversation', { conversation: id, mode: 'all_participants' })
    expect(gone).toEqual(await cleo.refused('delete-conversation', { conversation: newId(), mode: 'all_participants' }))
  })

  it('CNV-4 DEL-1 from my devices: hidden with its history for me, unchanged for others', async () => {
    expect(await ben.deletes(id, 'from my devices')).toMatchObject({ stream: 'inbox', sequence: 2 })
    expect(await ben.membership(id)).toMatchObject({ state: 'hidden', hidden: [1, 3] })
    expect(await alice.sees(id)).toMatchObject({ totalCount: 3, headSequence: 6 })
    expect(await world.rows(id, 'alice', 6)).toEqual([])
    expect(await world.store.streams.audience(APP, id)).toEqual(['alice', 'ben'])
  })

  it('CNV-5 PART-4 left: gone from my devices, others see me leave, distinctness ends', async () => {
    const distinct = await alice.starts(['ben'], { distinct: true })
    await alice.sends(distinct)
    expect(await ben.deletes(distinct, 'and leaves')).toMatchObject({ stream: 'inbox', sequence: 3 })
    expect(await ben.membership(distinct)).toMatchObject({ state: 'left', hidden: [1, 1], lastPosition: 1 })
    expect(await ben.sees(distinct)).toBeUndefined()
    expect(await alice.sees(distinct)).toMatchObject({ record: { distinctKey: null } })
    expect(await world.store.streams.audience(APP, distinct)).toEqual(['alice'])
    expect(
      world.committed
        .at(-1)
        ?.moves.map((move) => move.stream)
        .sort(),
    ).toEqual(['conversation', 'inbox'])
  })

  it('CNV-5 the last one may leave too; nobody is told', async () => {
    await ben.deletes(id, 'and leaves')
    await alice.deletes(id, 'and leaves')
    expect(await world.store.streams.audience(APP, id)).toEqual([])
  })

  it('DEL-6 somebody removed can still take it off their devices', async () => {
    await alice.removes(id, 'ben')
    expect(await ben.deletes(id, 'from my devices')).toMatchObject({ stream: 'inbox', sequence: 3 })
    expect(await ben.membership(id)).toMatchObject({ state: 'left', hidden: [1, 3] })
    expect(await ben.sees(id)).toBeUndefined()
    expect(await ben.refused('delete-conversation', { conversation: id, mode: 'all_participants' })).toMatchObject({
      id: 'access_denied',
    })
  })

  it('OPR-1 a repeat after the conversation came back does not delete it again', async () => {
    const operation = newId()
    const input = { conversation: id, mode: 'my_devices' } as const
    await ben.does('delete-conversation', input, { id: operation })
    await alice.sends(id)
    expect(await ben.does('delete-conversation', input, { id: operation })).toMatchObject({ hasChanged: false })
    expect(await ben.membership(id)).toMatchObject({ state: 'joined' })
  })

  it.each(['all_participants', 'my_devices'] as const)(
    'CNV-7 %s: to a stranger absent and foreign are one',
    async (mode) => {
      const absent = await cleo.refused('delete-conversation', { conversation: newId(), mode })
      expect(await cleo.refused('delete-conversation', { conversation: id, mode })).toEqual(absent)
    },
  )
})

describe('delete-message', () => {
  const input = (n: number, mode: 'all_participants' | 'my_devices') => ({
    conversation: id,
    message: messages[n]!,
    mode,
  })

  it('DEL-2 any participant deletes for all: a tombstone without parts keeps the position', async () => {
    world.now += 5
    expect(await ben.does('delete-message', input(1, 'all_participants'))).toMatchObject({ stream: id, sequence: 7 })
    expect(await world.rows(id, 'alice', 6)).toMatchObject([
      { type: 'message', record: { position: 2, parts: [], deletedAt: world.now, sender: 'alice', firstSequence: 5 } },
    ])
    expect(await ben.sees(id)).toMatchObject({ totalCount: 2, unreadCount: 2 })
    expect((await alice.sends(id)).position).toBe(4)
  })

  it('DEL-1 from my devices: hidden for me, there for others', async () => {
    expect(await ben.does('delete-message', input(2, 'my_devices'))).toMatchObject({ stream: 'inbox', sequence: 2 })
    expect(await ben.membership(id)).toMatchObject({ hidden: [3, 3] })
    expect(await ben.sees(id)).toMatchObject({ totalCount: 2, unreadCount: 2, lastMessage: { position: 2 } })
    expect(await alice.sees(id)).toMatchObject({ totalCount: 3, headSequence: 6 })
  })

  it('DEL-1 many single messages deleted here take none away that was not', async () => {
    const count = 2 * MAX_POSITION_RANGES + 40
    const sent = await Promise.all(Array.from({ length: count }, () => alice.sends(id)))
    const odd = sent.filter(({ position }) => position % 2 === 1)
    const deletion = (message: Uuid) => ({ conversation: id, message, mode: 'my_devices' as const })
    await Promise.all(odd.map((message) => ben.does('delete-message', deletion(message.id))))
    const { hidden } = (await ben.membership(id))!
    expect(countPositions(hidden)).toBe(odd.length)
    expect(hidden).toHaveLength(2 * odd.length)
  })

  it('DEL-1 past the limit a further one is refused, and nothing is widened', () => {
    const hidden = Array.from({ length: limits.maxHiddenRanges }, (_, i) => [2 * i + 1, 2 * i + 1]).flat()
    const message = { id: newId(), conversation: id, position: 2 * limits.maxHiddenRanges + 1, deletedAt: null }
    const mine = { userId: ben.userId, state: 'joined', lastPosition: null, hidden }
    const conversation = { record: { deletedAt: null }, participants: new Map([[ben.userId, mine]]) }
    const facts = { conversation: () => conversation, message: () => message } as unknown as Facts
    const ask = (which: Uuid) =>
      deleteMessage.decide(
        { conversation: id, message: which, mode: 'my_devices' },
        { app: APP, userId: ben.userId, now: 1, maxParticipants: 25 },
        facts,
      )
    expect(ask(message.id)).toMatchObject({ refusal: { id: 'invalid_operation' } })
    Object.assign(message, { position: 2 })
    expect(ask(message.id)).toMatchObject({ facts: [{ participant: { hidden: expect.arrayContaining([1, 3]) } }] })
  })

  it.each(['all_participants', 'my_devices'] as const)('deleting what is gone succeeds quietly: %s', async (mode) => {
    await ben.does('delete-message', input(0, mode))
    expect(await ben.does('delete-message', input(0, mode))).toMatchObject({ hasChanged: false })
  })

  it('DEL-6 somebody removed deletes what they kept, and nothing of later', async () => {
    await alice.removes(id, 'ben')
    messages.push((await alice.sends(id)).id)
    await ben.does('delete-message', input(0, 'my_devices'))
    expect(await ben.membership(id)).toMatchObject({ hidden: [1, 1], state: 'removed' })
    expect(await ben.refused('delete-message', input(3, 'my_devices'))).toMatchObject({ id: 'not_found' })
    expect(await ben.refused('delete-message', input(0, 'all_participants'))).toMatchObject({ id: 'access_denied' })
  })

  it.each(['all_participants', 'my_devices'] as const)(
    'CNV-7 %s: a stranger cannot tell a message, a conversation and nothing apart',
    async (mode) => {
      const other = await cleo.starts(['ben'])
      const pairs = [id, newId()].flatMap((conversation) =>
        [...messages.slice(0, 1), newId()].map((one) => [conversation, one]),
      )
      const refusals = await Promise.all(
        pairs.map(([conversation, one]) =>
          cleo.refused('delete-message', { conversation: conversation!, message: one!, mode }),
        ),
      )
      for (const refusal of refusals) expect(refusal).toEqual(refusals[0])
      expect(refusals[0]).toMatchObject({ id: 'not_found' })
      // In a conversation of their own, a message of elsewhere is one that does not exist.
      const elsewhere = await cleo.refused('delete-message', { conversation: other, message: messages[0]!, mode })
      expect(elsewhere).toEqual(await cleo.refused('delete-message', { conversation: other, message: newId(), mode }))
    },
  )
})
