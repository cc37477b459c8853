import type { Uuid } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { LaneWorld, newId, type Somebody, says } from '../../test/lane-world.ts'

describe('send-message', () => {
  let world: LaneWorld
  let alice: Somebody
  let ben: Somebody
  let cleo: Somebody
  let id: Uuid
  beforeEach(async () => {
    world = new LaneWorld()
    ;({ alice, ben, cleo } = await world.people('alice', 'ben', 'cleo'))
    id = await alice.starts(['ben'])
  })

  it('STR-4 positions are 1, 2, 3 … whoever sends, and sequences rise with them', async () => {
    const sent = await Promise.all([alice, ben, alice, ben, alice].map((who) => who.sends(id)))
    expect(sent.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5])
    expect((await world.messages(id)).map(({ sequence, firstSequence }) => [sequence, firstSequence])).toEqual(
      [4, 5, 6, 7, 8].map((sequence) => [sequence, sequence]),
    )
  })

  it('OPR-4 it is acknowledged with the sequence that holds it', async () => {
    const { done, id: message } = await alice.sends(id)
    expect(done).toMatchObject({ stream: id, sequence: 4, result: { sent_at: new Date(world.now).toISOString() } })
    expect(await world.rows(id, 'ben', 3)).toMatchObject([{ type: 'message', record: { id: message, sequence: 4 } }])
  })

  it('RCT-4 RCT-5 a sender has read their own; everybody else has one more unread', async () => {
    await alice.sends(id)
    await alice.sends(id)
    await ben.sends(id)
    expect(await alice.sees(id)).toMatchObject({ unreadCount: 1, totalCount: 3 })
    expect(await ben.sees(id)).toMatchObject({ unreadCount: 2, totalCount: 3 })
  })

  it('a message is never dated before the one it follows, whatever the clock does', async () => {
    await alice.sends(id)
    world.now -= 3_600_000
    await ben.sends(id)
    world.now += 7_200_000
    await ben.sends(id)
    const times = (await world.messages(id)).map(({ sentAt }) => sentAt)
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  it('CNV-4 brings the conversation back to whoever had deleted it, with this message as its first', async () => {
    await alice.sends(id, 'before')
    await ben.deletes(id, 'from my devices')
    expect(await world.store.streams.moved(1 as never, 'ben' as never, 0)).toMatchObject({ inbox: 2 })
    await alice.sends(id, 'after')
    expect(await ben.membership(id)).toMatchObject({ state: 'joined', hidden: [1, 1], inboxSequence: 3 })
    expect(await ben.sees(id)).toMatchObject({ totalCount: 1, unreadCount: 1, lastMessage: { position: 2 } })
    await alice.sends(id, 'and on')
    expect(await ben.membership(id)).toMatchObject({ inboxSequence: 3 })
  })

  it('CNV-4 brings it back also when deleted and sent in one breath', async () => {
    await Promise.all([
      ben.deletes(id, 'from my devices'),
      alice.sends(id),
      ben.deletes(id, 'from my devices'),
      alice.sends(id),
    ])
    expect(await ben.membership(id)).toMatchObject({ state: 'joined', hidden: [1, 1] })
  })

  it('CNV-4 whoever sends into what they had deleted has it back as well', async () => {
    await alice.deletes(id, 'from my devices')
    await alice.sends(id)
    expect(await alice.membership(id)).toMatchObject({ state: 'joined', hidden: [] })
  })

  const fates: Record<string, () => Promise<unknown>> = {
    'nothing happened': async () => undefined,
    'more was said': () => ben.sends(id),
    'it was deleted': () => Promise.resolve(),
    'the sender was removed': () => ben.removes(id, 'alice'),
    'the sender left': () => alice.deletes(id, 'and leaves'),
  }
  it.each(Object.entries(fates))(
    'OPR-1 a repeat gives the first outcome and is there once, though %s',
    async (fate, happens) => {
      const { id: message, done } = await alice.sends(id, 'once')
      await (fate === 'it was deleted'
        ? ben.does('delete-message', { conversation: id, message, mode: 'all_participants' })
        : happens())
      for (const memory of ['warm', 'cold']) {
        const other = memory === 'warm' ? world : new LaneWorld({ store: world.store })
        const again = await other.lane.submit({
          ...(await import('./table.ts')).operations['send-message'],
          input: { id: message, conversation: id, parts: says('once') } as never,
          app: 1 as never,
          userId: alice.userId,
        })
        expect(again).toMatchObject({ result: done.result, hasChanged: false })
      }
      expect((await world.messages(id, 'ben')).filter((one) => one.id === message)).toHaveLength(1)
    },
  )

  it('OPR-1 the same message many times in one batch has one position', async () => {
    const message = newId()
    const sent = await Promise.all(Array.from({ length: 20 }, () => alice.sends(id, 'once', message)))
    expect(new Set(sent.map(({ position }) => position))).toEqual(new Set([1]))
    expect(await world.messages(id)).toHaveLength(1)
  })

  it('OPR-1 an id that somebody else or another conversation used is taken', async () => {
    const { id: message } = await alice.sends(id)
    const other = await alice.starts(['ben'])
    const parts = says('other')
    expect(await ben.refused('send-message', { id: message, conversation: id, parts })).toMatchObject({
      id: 'id_in_use',
    })
    expect(await alice.refused('send-message', { id: message, conversation: other, parts })).toMatchObject({
      id: 'id_in_use',
    })
    expect(await world.messages(other)).toEqual([])
  })

  it('CNV-7 a stranger cannot tell a conversation or a message that exists from one that does not', async () => {
    const { id: message } = await alice.sends(id)
    const refusals = await Promise.all(
      [id, newId()].flatMap((conversation) =>
        [message, newId()].map((one) => cleo.refused('send-message', { id: one, conversation, parts: says('x') })),
      ),
    )
    expect(refusals[0]).toMatchObject({ id: 'not_found' })
    for (const refusal of refusals) expect(refusal).toEqual(refusals[0])
  })

  it.each([
    ['was removed', 'access_denied'],
    ['left', 'access_denied'],
    ['took part until it was deleted for all', 'not_found'],
  ] as const)('CNV-7 MSG-10 whoever %s is refused: %s', async (fate, refusal) => {
    if (fate === 'was removed') await alice.removes(id, 'ben')
    else if (fate === 'left') await ben.deletes(id, 'and leaves')
    else await alice.deletes(id, 'for all')
    expect(await ben.refused('send-message', { id: newId(), conversation: id, parts: says('x') })).toMatchObject({
      id: refusal,
    })
  })
})
