import { limits, type PatchOperation, type Uuid } from '@parley/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { APP, LaneWorld, newId, Somebody } from '../../test/lane-world.ts'

describe('update-conversation', () => {
  let world: LaneWorld
  let alice: Somebody
  let ben: Somebody
  let cleo: Somebody
  let id: Uuid
  beforeEach(async () => {
    world = new LaneWorld()
    ;({ alice, ben, cleo } = await world.people('alice', 'ben', 'cleo'))
    id = await alice.starts(['ben'], { metadata: { title: 'Old', keep: 'it' } })
  })
  const patch = (who: Somebody, ...operations: PatchOperation[]) =>
    who.does('update-conversation', { conversation: id, patch: operations })
  const refused = (who: Somebody, ...operations: PatchOperation[]) =>
    who.refused('update-conversation', { conversation: id, patch: operations })
  const add = (name: string): PatchOperation => ({ operation: 'add', property: 'participants', id: name })
  const remove = (name: string): PatchOperation => ({ operation: 'remove', property: 'participants', id: name })
  const set = (property: string, value: unknown): PatchOperation => ({ operation: 'set', property, value })
  const audience = () => world.store.streams.audience(APP, id)

  it.each<[string, PatchOperation[], string[]]>([
    ['PART-1 adds', [add('cleo')], ['alice', 'ben', 'cleo']],
    ['PART-1 removes somebody else', [remove('alice')], ['ben']],
    ['PART-5 adding one who is there is harmless', [add('ben'), add('layer:///identities/ben')], ['alice', 'ben']],
    ['PART-5 removing one who is not there is harmless', [remove('cleo')], ['alice', 'ben']],
    ['PART-6 replaces', [set('participants', ['ben', 'cleo', 'ben'])], ['ben', 'cleo']],
    ['adds and removes in one', [add('cleo'), remove('alice')], ['ben', 'cleo']],
    ['PART-6 may be empty on the way', [remove('ben'), remove('alice'), add('cleo'), add('ben')], ['ben', 'cleo']],
    ['somebody who was only ever named', [add('dana')], ['alice', 'ben', 'dana']],
  ])('%s', async (_, operations, expected) => {
    await patch(ben, ...operations)
    expect(await audience()).toEqual(expected)
  })

  it('CNV-8 a patch keeps at least one participant and has no more than fit', async () => {
    const many = Array.from({ length: limits.maxParticipants - 1 }, (_, index) => add(`person ${index}`))
    for (const operations of [
      [remove('alice'), remove('ben')],
      [set('participants', [])],
      many,
      [
        set(
          'participants',
          Array.from({ length: 5_000 }, (_, index) => `p${index}`),
        ),
      ],
    ]) {
      expect(await refused(alice, ...operations)).toMatchObject({
        id: 'invalid_property',
        data: { property: 'participants' },
      })
    }
    expect(await audience()).toEqual(['alice', 'ben'])
    await patch(alice, ...many.slice(1))
    expect(await audience()).toHaveLength(limits.maxParticipants)
  })

  it('CNV-2 only a change of participants ends distinctness', async () => {
    const distinct = await alice.starts(['ben'], { distinct: true })
    const isDistinct = async () => (await alice.sees(distinct))!.record.distinctKey !== null
    const update = (operations: PatchOperation[]) =>
      alice.does('update-conversation', { conversation: distinct, patch: operations })
    await update([set('metadata.a', 'b')])
    await update([add('ben'), remove('cleo'), set('participants', ['ben', 'alice'])])
    expect(await isDistinct()).toBe(true)
    await update([add('cleo')])
    expect(await isDistinct()).toBe(false)
  })

  it('RCT-3 PART-2 a newcomer sees what was said, was no recipient of it, and has nothing unread', async () => {
    await alice.sends(id)
    await alice.sends(id)
    await patch(alice, add('cleo'))
    expect(await cleo.membership(id)).toMatchObject({ absent: [1, 2], delivered: [1, 2], read: [1, 2], hidden: [] })
    expect(await cleo.sees(id)).toMatchObject({ totalCount: 2, unreadCount: 0 })
    await alice.sends(id)
    expect(await cleo.sees(id)).toMatchObject({ totalCount: 3, unreadCount: 1 })
  })

  it('RCT-3 whoever returns was absent in between only', async () => {
    await alice.sends(id)
    await patch(alice, remove('ben'))
    await alice.sends(id)
    await patch(alice, add('ben'))
    await alice.sends(id)
    expect(await ben.membership(id)).toMatchObject({
      state: 'joined',
      absent: [2, 2],
      read: [1, 2],
      lastPosition: null,
    })
    expect(await ben.sees(id)).toMatchObject({ totalCount: 3, unreadCount: 1 })
    expect(await audience()).toEqual(['alice', 'ben'])
  })

  it('CNV-6 PART-3 somebody removed keeps what was there, and gets nothing new', async () => {
    await alice.sends(id)
    await patch(alice, remove('ben'))
    await alice.sends(id)
    expect(await ben.membership(id)).toMatchObject({ state: 'removed', lastPosition: 1 })
    expect(await ben.sees(id)).toMatchObject({ totalCount: 1, lastMessage: { position: 1 } })
    expect(await refused(ben, add('ben'))).toMatchObject({ id: 'access_denied' })
  })

  it('CNV-5 whoever removes oneself has left', async () => {
    await alice.sends(id)
    const done = await patch(ben, remove('ben'))
    expect(await ben.membership(id)).toMatchObject({ state: 'left', hidden: [1, 1] })
    // OPR-4: the conversation's stream is closed to them now, so their inbox holds the effect.
    expect(done).toMatchObject({ stream: 'inbox', sequence: 2 })
  })

  it.each<[string, PatchOperation[], unknown]>([
    ['META-4 sets a value', [set('metadata.title', 'New')], { title: 'New', keep: 'it' }],
    [
      'META-4 sets on the way to a value',
      [set('metadata.a.b.c', 'd')],
      { title: 'Old', keep: 'it', a: { b: { c: 'd' } } },
    ],
    ['META-4 deletes', [{ operation: 'delete', property: 'metadata.title' }], { keep: 'it' }],
    [
      'META-4 deletes what is not there',
      [{ operation: 'delete', property: 'metadata.x.y' }],
      { title: 'Old', keep: 'it' },
    ],
    ['META-4 replaces all', [set('metadata', { only: 'this' })], { only: 'this' }],
    ['META-2 the last one wins', [set('metadata.title', '1'), set('metadata.title', '2')], { title: '2', keep: 'it' }],
    ['a key like any other', [set('metadata.constructor', 'x')], { title: 'Old', keep: 'it', constructor: 'x' }],
  ])('%s', async (_, operations, expected) => {
    await patch(ben, ...operations)
    expect((await alice.sees(id))!.record.metadata).toEqual(expected)
    expect(await audience()).toEqual(['alice', 'ben'])
  })

  it.each<[string, PatchOperation[]]>([
    ['a number', [set('metadata.a', 1)]],
    ['a list', [set('metadata.a', [])]],
    ['nothing', [{ operation: 'set', property: 'metadata.a' }]],
    ['a bad key', [set('metadata.a b', 'x')]],
    ['the prototype', [set('metadata.__proto__', 'x')]],
    ['the prototype, further down', [set('metadata.__proto__.isAdmin', 'x')]],
    ['a value on the way', [set('metadata.title.x', 'y')]],
    ['too long a value', [set('metadata.a', 'x'.repeat(limits.maxMetadataValueBytes + 1))]],
    ['too deep a path', [set('metadata.a.b.c.d.e.f.g.h.i', 'x')]],
    ['U+0000', [set('metadata.a', '\u0000')]],
    ['a lone surrogate', [set('metadata.a', '\ud800')]],
    ['something else of the conversation', [set('distinct', true)]],
    ['the sender of nothing', [set('createdBy', 'ben')]],
    ['a participant that is no name', [{ operation: 'add', property: 'participants', value: 7 }]],
    ['participants as text', [set('participants', 'ben')]],
    ['deletion of all participants', [{ operation: 'delete', property: 'participants' }]],
    ['a good change before a bad one', [set('metadata.title', 'New'), add('cleo'), set('metadata.a', 1)]],
  ])('STR-6 %s is refused, and nothing of the patch happens', async (_, operations) => {
    const before = [await world.store.log.lastCursor(), await alice.sees(id)]
    expect(await refused(ben, ...operations)).toMatchObject({ id: expect.stringMatching(/^(in|missing_)/) })
    expect([await world.store.log.lastCursor(), await alice.sees(id)]).toEqual(before)
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
  })

  it('an empty patch and one that changes nothing move nothing', async () => {
    const before = (await alice.sees(id))!.headSequence
    for (const operations of [[], [add('ben')], [{ operation: 'delete', property: 'metadata.x' } as const]]) {
      expect(await patch(ben, ...operations)).toMatchObject({ hasChanged: false, sequence: before })
    }
    expect((await alice.sees(id))!.headSequence).toBe(before)
  })

  it('OPR-1 a repeat changes nothing, even if the opposite happened in between', async () => {
    const operation = newId()
    const input = { conversation: id, patch: [add('cleo')] }
    await alice.does('update-conversation', input, { id: operation })
    await ben.removes(id, 'cleo')
    expect(await alice.does('update-conversation', input, { id: operation })).toMatchObject({ hasChanged: false })
    expect(await audience()).toEqual(['alice', 'ben'])
    const cold = new LaneWorld({ store: world.store })
    const again = await new Somebody(cold, 'alice').does('update-conversation', input, {
      id: operation,
    })
    expect(again).toMatchObject({ hasChanged: false, stream: id })
  })

  it('OPR-1 an operation id belongs to whoever used it, and to one operation', async () => {
    const operation = newId()
    await alice.does('update-conversation', { conversation: id, patch: [set('metadata.a', '1')] }, { id: operation })
    const other = { conversation: id, patch: [set('metadata.a', '2')] }
    expect(await ben.does('update-conversation', other, { id: operation })).toMatchObject({ hasChanged: true })
    const deletion = { conversation: id, mode: 'my_devices' } as const
    expect(await alice.ask('delete-conversation', deletion, { id: operation })).toMatchObject({
      refusal: { id: 'id_in_use' },
    })
  })

  it('CNV-7 to a stranger it looks as absent as one that is', async () => {
    const input = (conversation: Uuid) => ({ conversation, patch: [add('cleo')] })
    const absent = await cleo.refused('update-conversation', input(newId()))
    expect(await cleo.refused('update-conversation', input(id))).toEqual(absent)
    expect(absent).toMatchObject({ id: 'not_found' })
  })
})
