import { limits, type Uuid } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { APP, conversationUri, LaneWorld, newId, type Somebody } from '../../test/lane-world.ts'

describe('create-conversation', () => {
  let world: LaneWorld
  let alice: Somebody
  let ben: Somebody
  let cleo: Somebody
  beforeEach(async () => {
    world = new LaneWorld()
    ;({ alice, ben, cleo } = await world.people('alice', 'ben', 'cleo'))
  })
  const create = (
    who: Somebody,
    participants: string[],
    more: { distinct?: boolean; metadata?: Record<string, string> } = {},
  ) => who.does('create-conversation', { id: newId(), participants, distinct: true, ...more })

  it('STR-1 STR-3 a new conversation’s stream begins with itself and its people, and each inbox hears of it', async () => {
    const id = await alice.starts(['ben', 'cleo'], { metadata: { title: 'Three' } })
    const rows = await world.rows(id)
    expect(rows.map((row) => [row.type, row.record.sequence])).toEqual([
      ['conversation', 1],
      ['participant', 2],
      ['participant', 3],
      ['participant', 4],
    ])
    expect(rows[0]).toMatchObject({
      record: { metadata: { title: 'Three' }, createdBy: 'alice', createdAt: world.now },
    })
    for (const somebody of [alice, ben, cleo]) {
      expect(await somebody.membership(id)).toMatchObject({ state: 'joined', inboxSequence: 1, lastPosition: null })
    }
  })

  it('CONV-2 the creator takes part without being named, and is there once when named', async () => {
    for (const named of [['ben'], ['ben', 'alice', 'ben'], ['layer:///identities/ben', 'alice']]) {
      const id = await alice.starts(named)
      expect(await world.store.streams.audience(APP, id)).toEqual(['alice', 'ben'])
    }
  })

  it('somebody who was only ever named comes into being', async () => {
    const id = await alice.starts(['nobody yet'])
    expect(await world.store.lists.profile(APP, 'nobody yet' as never)).toMatchObject({ displayName: null })
    expect((await alice.sees(id))?.participants).toHaveLength(2)
  })

  it('CNV-1 the first asks and creates; the same people in any order find it', async () => {
    const first = await create(alice, ['ben', 'cleo'])
    expect(first.result).toMatchObject({ outcome: 'created' })
    const { conversation } = first.result as { conversation: string }
    for (const [who, others] of [
      [alice, ['cleo', 'ben']],
      [ben, ['alice', 'cleo']],
      [cleo, ['ben', 'alice', 'cleo']],
    ] as const) {
      expect((await create(who, [...others])).result).toEqual({ conversation, outcome: 'found' })
    }
    expect((await create(alice, ['ben'])).result).toMatchObject({ outcome: 'created' })
    expect((await create(alice, ['ben', 'cleo'], { distinct: false })).result).toMatchObject({ outcome: 'created' })
  })

  it.each([
    ['none', undefined, 'found'],
    ['the same, in another order', { b: '2', a: '1' }, 'found'],
    ['other', { a: '1' }, 'found_without_requested_metadata'],
    ['an empty tree', {}, 'found_without_requested_metadata'],
  ] as const)(
    'CNV-1 DIST-4 whoever asks for %s metadata gets the existing ones: %s → %s',
    async (_, metadata, outcome) => {
      const id = await alice.starts(['ben'], { distinct: true, metadata: { a: '1', b: '2' } })
      const found = await create(ben, ['alice'], { ...(metadata && { metadata: { ...metadata } }) })
      expect(found.result).toEqual({ conversation: conversationUri(id), outcome })
      expect((await ben.sees(id))?.record.metadata).toEqual({ a: '1', b: '2' })
    },
  )

  it('DIST-3 two who ask at the same time get one conversation', async () => {
    const outcomes = await Promise.all([create(alice, ['ben']), create(ben, ['alice']), create(alice, ['ben'])])
    const results = outcomes.map(({ result }) => result as { conversation: string; outcome: string })
    expect(results.map(({ outcome }) => outcome)).toEqual(['created', 'found', 'found'])
    expect(new Set(results.map(({ conversation }) => conversation)).size).toBe(1)
  })

  it('CNV-4 found by somebody who had deleted it from their devices, it is back, with its history still hidden', async () => {
    const id = await alice.starts(['ben'], { distinct: true })
    await alice.sends(id)
    await ben.deletes(id, 'from my devices')
    await create(ben, ['alice'])
    expect(await ben.membership(id)).toMatchObject({ state: 'joined', hidden: [1, 1] })
    expect(await ben.sees(id)).toMatchObject({ totalCount: 0, lastMessage: null })
  })

  it('CNV-2 DIST-5 one whose people changed is found no more, even after they changed back', async () => {
    const id = await alice.starts(['ben'], { distinct: true })
    await alice.adds(id, 'cleo')
    await alice.removes(id, 'cleo')
    const next = (await create(alice, ['ben'])).result as { conversation: string; outcome: string }
    expect(next).toMatchObject({ outcome: 'created' })
    expect(next.conversation).not.toBe(conversationUri(id))
  })

  it('CNV-3 one deleted for all is found no more', async () => {
    const id = await alice.starts(['ben'], { distinct: true })
    await ben.deletes(id, 'for all')
    expect((await create(alice, ['ben'])).result).toMatchObject({ outcome: 'created' })
  })

  const fates: Record<string, (id: Uuid) => Promise<unknown>> = {
    'nothing happened': async () => undefined,
    'somebody joined': (id) => ben.adds(id, 'cleo'),
    'its people changed and others made a distinct one': async (id) => {
      await ben.adds(id, 'cleo')
      await ben.starts(['alice'], { distinct: true })
    },
    'the creator was removed': (id) => ben.removes(id, 'alice'),
    'it was deleted for all': (id) => ben.deletes(id, 'for all'),
  }
  it.each(Object.entries(fates))('OPR-1 a repeat gives the first outcome, though %s', async (_, fate) => {
    const input = { id: newId(), participants: ['ben'], distinct: true }
    const first = await alice.does('create-conversation', input)
    await fate(input.id)
    const before = await world.store.log.lastCursor()
    const again = await alice.does('create-conversation', input)
    expect(again.result).toEqual(first.result)
    expect(again.hasChanged).toBe(false)
    expect(await world.store.log.lastCursor()).toBe(before)
  })

  const fatesOfFound: Record<string, (id: Uuid) => Promise<unknown>> = {
    'nothing happened': async () => undefined,
    'somebody joined': (id) => ben.adds(id, 'cleo'),
    'its people changed and others made a distinct one': fates['its people changed and others made a distinct one']!,
    'whoever found it was removed': (id) => ben.removes(id, 'alice'),
    'whoever found it deleted it from their devices': (id) => alice.deletes(id, 'from my devices'),
    'its metadata became what was asked for': (conversation) =>
      ben.does('update-conversation', {
        conversation,
        patch: [{ operation: 'set', property: 'metadata.title', value: 'Asked for' }],
      }),
    'it was deleted for all': (id) => alice.deletes(id, 'for all'),
    'it was deleted for all and others made another': async (id) => {
      await alice.deletes(id, 'for all')
      await ben.starts(['alice'], { distinct: true })
    },
  }
  it.each(Object.entries(fatesOfFound))(
    'OPR-1 CNV-1 who found one finds the same when that is repeated, though %s',
    async (_, fate) => {
      const there = await ben.starts(['alice'], { distinct: true, metadata: { title: 'There' } })
      const input = { id: newId(), participants: ['ben'], distinct: true, metadata: { title: 'Asked for' } }
      const first = await alice.does('create-conversation', input)
      expect(first.result).toEqual({
        conversation: conversationUri(there),
        outcome: 'found_without_requested_metadata',
      })
      await fate(there)
      const before = await world.store.log.lastCursor()
      world.lane.allOutdated()
      const again = await alice.does('create-conversation', input)
      expect(again.result).toEqual(first.result)
      expect(again.hasChanged).toBe(false)
      expect(await world.store.log.lastCursor()).toBe(before)
    },
  )

  it('OPR-1 the same in one batch, for whoever asked and for nobody else', async () => {
    const there = await ben.starts(['alice'], { distinct: true })
    const input = { id: newId(), participants: ['ben'], distinct: true }
    const outcomes = await Promise.all([
      alice.does('create-conversation', input),
      alice.deletes(there, 'for all'),
      alice.does('create-conversation', input),
      ben.does('create-conversation', { ...input, participants: ['alice'] }),
    ])
    expect(outcomes.map(({ result }) => result)).toEqual([
      { conversation: conversationUri(there), outcome: 'found' },
      {},
      { conversation: conversationUri(there), outcome: 'found' },
      { conversation: conversationUri(input.id), outcome: 'created' },
    ])
  })

  it('OPR-1 what was asked for without an id of its own is not remembered', async () => {
    const there = await ben.starts(['alice'], { distinct: true })
    const before = await world.store.log.lastCursor()
    const input = { id: newId(), participants: ['ben'], distinct: true }
    expect((await alice.does('create-conversation', input, { id: null })).result).toMatchObject({ outcome: 'found' })
    expect(await world.store.log.lastCursor()).toBe(before)
    await ben.deletes(there, 'for all')
    expect((await alice.does('create-conversation', input, { id: null })).result).toMatchObject({ outcome: 'created' })
  })

  it('OPR-4 the acknowledgement of what was found names a stream the caller can read, when it is repeated as well', async () => {
    const there = await ben.starts(['alice'], { distinct: true })
    const input = { id: newId(), participants: ['ben'], distinct: true }
    expect(await alice.does('create-conversation', input)).toMatchObject({ stream: there, sequence: 3 })
    await ben.adds(there, 'cleo')
    world.lane.allOutdated()
    expect(await alice.does('create-conversation', input)).toMatchObject({ stream: there, sequence: 5 })
    await ben.removes(there, 'alice')
    world.lane.allOutdated()
    expect(await alice.does('create-conversation', input)).toMatchObject({ stream: 'inbox', sequence: 2 })
  })

  it('OPR-4 the acknowledgement names a stream the caller can read', async () => {
    const input = { id: newId(), participants: ['ben'], distinct: false }
    expect(await alice.does('create-conversation', input)).toMatchObject({ stream: input.id, sequence: 3 })
    await ben.removes(input.id, 'alice')
    expect(await alice.does('create-conversation', input)).toMatchObject({ stream: 'inbox', sequence: 2 })
  })

  it('OPR-1 an id of somebody else’s conversation is taken', async () => {
    const id = await alice.starts(['ben'])
    for (const who of [ben, cleo]) {
      expect(await who.refused('create-conversation', { id, participants: ['alice'], distinct: false })).toMatchObject({
        id: 'id_in_use',
      })
    }
  })

  it(`CNV-8 there are at most ${limits.maxParticipants} people, the creator included`, async () => {
    const names = Array.from({ length: limits.maxParticipants - 1 }, (_, index) => `person ${index}`)
    const id = await alice.starts(names)
    expect(await world.store.streams.audience(APP, id)).toHaveLength(limits.maxParticipants)
    const before = await world.store.log.lastCursor()
    const refusal = await alice.refused('create-conversation', {
      id: newId(),
      participants: [...names, 'one too many'],
      distinct: false,
    })
    expect(refusal).toMatchObject({ id: 'invalid_property', data: { property: 'participants' } })
    expect(await world.store.log.lastCursor()).toBe(before)
    expect(await world.store.lists.profile(APP, 'one too many' as never)).toBeUndefined()
  })

  it.each([2, 1_000])('CNV-8 or as many as the server is set to, which is said when it is too few: %i', async (max) => {
    const large = new LaneWorld({ maxParticipants: max })
    const [creator] = Object.values(await large.people('alice')) as [Somebody]
    const names = Array.from({ length: max - 1 }, (_, index) => `person ${index}`)
    const id = await creator.starts(names)
    expect(await large.store.streams.audience(APP, id)).toHaveLength(max)
    const tooMany = { id: newId(), participants: [...names, 'one too many'], distinct: false }
    const patch = { conversation: id, patch: [{ operation: 'add' as const, property: 'participants', id: 'more' }] }
    for (const refusal of [
      await creator.refused('create-conversation', tooMany),
      await creator.refused('update-conversation', patch),
    ]) {
      expect(refusal).toEqual({
        id: 'invalid_property',
        message: `A conversation has at most ${max} participants.`,
        data: { property: 'participants' },
      })
    }
  })
})
