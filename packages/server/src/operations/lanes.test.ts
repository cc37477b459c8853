/** Lanes of several processes over one store: none knows what the others did until it is told that it is late. */
import type { UserId, Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { APP, conversationUri, LaneWorld, newId, Somebody, says } from '../../test/lane-world.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { NOTHING, type Store, StoreOutage } from '../store/store.ts'
import { suspendUser } from './suspend-user.ts'

async function twoLanes(store: Store = openMemoryStore({ writers: 'many' })) {
  const here = new LaneWorld({ store })
  const there = new LaneWorld({ store })
  const { alice, ben } = await here.people('alice', 'ben', 'cleo')
  const id = await alice.starts(['ben'])
  return { here, there, alice, ben, benThere: new Somebody(there, 'ben'), aliceThere: new Somebody(there, 'alice'), id }
}

describe('lanes over one store', () => {
  it('LOG-2 people who talk through different lanes: every position once, in each one’s order, streams dense', async () => {
    const { here, there, alice, benThere, id } = await twoLanes()
    const mine = Array.from({ length: 40 }, (_, n) => alice.sends(id, `alice ${n}`))
    const theirs = Array.from({ length: 40 }, (_, n) => benThere.sends(id, `ben ${n}`))
    for (let n = 0; n < 20; n++) {
      await alice.sends(id, `alice ${40 + n}`)
      await benThere.sends(id, `ben ${40 + n}`)
      await alice.reads(id, 2 * n + 1)
    }
    await Promise.all([...mine, ...theirs])
    const messages = await here.messages(id)
    expect(messages.map(({ position }) => position)).toEqual(Array.from({ length: 120 }, (_, index) => index + 1))
    for (const name of ['alice', 'ben']) {
      const said = messages.flatMap(({ sender, parts }) => (sender === name ? [parts[0]!.body] : []))
      expect(said).toEqual(Array.from({ length: 60 }, (_, n) => `${name} ${n}`))
    }
    const told = [...here.committed, ...there.committed]
      .sort((a, b) => a.cursor - b.cursor)
      .flatMap(({ moves }) => moves.filter((move) => move.stream === 'conversation'))
    let head = 0
    for (const { after, sequence } of told) {
      expect(after).toBe(head)
      head = sequence
    }
    expect(here.logged.concat(there.logged)).toEqual([])
  })

  it('LOG-2 CNV-4 a conversation hidden at one lane comes back with a message through another', async () => {
    const { alice, benThere, id, here } = await twoLanes()
    await alice.sends(id)
    await benThere.does('delete-conversation', { conversation: id, mode: 'my_devices' } as never)
    const stateOfBen = async () => (await here.store.streams.inbox(APP, 'ben' as UserId, 0, 9)).rows[0]?.record.state
    expect(await stateOfBen()).toBe('hidden')
    await alice.sends(id)
    expect(await stateOfBen()).toBe('joined')
  })

  it('LOG-2 a suspension is not undone by whoever remembers the person from before', async () => {
    const { here, there, alice, id } = await twoLanes()
    await alice.sends(id)
    const suspended = { operation: suspendUser, app: APP, userId: null }
    await there.lane.submit({ ...suspended, input: { userId: 'ben' as UserId, suspendedAt: 5 } })
    // Moves Ben's inbox, and so writes his row.
    await alice.starts(['ben'])
    expect((await here.store.lists.profile(APP, 'ben' as UserId))?.suspendedAt).toBe(5)
  })

  it('DIST-3 both begin the same distinct conversation: it becomes one', async () => {
    const { alice, benThere } = await twoLanes()
    const [one, two] = await Promise.all([
      alice.starts(['ben'], { distinct: true }),
      benThere.starts(['alice'], { distinct: true }),
    ])
    expect(one).toBe(two)
  })

  it('OPR-1 an operation repeated through another lane has no further effect', async () => {
    const { alice, aliceThere, here, id } = await twoLanes()
    const message = newId()
    const sent = await Promise.all([alice.sends(id, 'once', message), aliceThere.sends(id, 'once', message)])
    expect(sent.map(({ position }) => position)).toEqual([1, 1])
    expect(await here.messages(id)).toHaveLength(1)
  })

  it('OPR-1 CNV-1 what was found through one lane is found again through another, though it is deleted by then', async () => {
    const { alice, aliceThere, benThere } = await twoLanes()
    const id = await benThere.starts(['alice'], { distinct: true })
    const input = { id: newId(), participants: ['ben'], distinct: true }
    const found = await Promise.all([
      alice.does('create-conversation', input),
      aliceThere.does('create-conversation', input),
    ])
    await benThere.deletes(id, 'for all')
    const again = [await alice.does('create-conversation', input), await aliceThere.does('create-conversation', input)]
    for (const { result } of [...found, ...again]) {
      expect(result).toEqual({ conversation: conversationUri(id), outcome: 'found' })
    }
  })

  it('OPR-1 the id of somebody else’s message is refused, however long ago that was sent', async () => {
    const { here, there, alice, benThere, id } = await twoLanes()
    const { id: taken } = await alice.sends(id, 'first')
    const refusal = await benThere.refused('send-message', { id: taken, conversation: id, parts: says('second') })
    expect(refusal.id).toBe('id_in_use')
    expect(await here.messages(id)).toHaveLength(1)
    expect(there.logged).toEqual([])
  })

  it('OPR-5 a store that takes its time to fail: what came meanwhile is put off with the rest', async () => {
    const inner = openMemoryStore()
    let fail = () => {}
    let tries = 0
    const isAway = { now: false }
    const log = {
      ...inner.log,
      commit: (writes: Parameters<typeof inner.log.commit>[0]) => {
        if (!isAway.now) return inner.log.commit(writes)
        tries++
        return new Promise<never>((_, reject) => {
          fail = () => reject(new StoreOutage('Nothing was heard.'))
        })
      },
    }
    const world = new LaneWorld({ store: { ...inner, log } })
    const { alice } = await world.people('alice', 'ben')
    const id = await alice.starts(['ben'])
    isAway.now = true
    const first = alice.ask('send-message', { id: newId(), conversation: id, parts: [{ mime_type: 'a/b', body: '' }] })
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    const later = alice.ask('send-message', { id: newId(), conversation: id, parts: [{ mime_type: 'a/b', body: '' }] })
    fail()
    for (const outcome of await Promise.all([first, later])) {
      expect(outcome).toMatchObject({ refusal: { id: 'service_unavailable' } })
    }
    expect(tries).toBe(1)
  })

  it('LOG-2 what is only sent, to the same people, is neither loaded anew nor decided anew when others were faster', async () => {
    const inner = openMemoryStore({ writers: 'many' })
    const { there, benThere, id } = await twoLanes(inner)
    const count = { loads: 0, commits: 0 }
    const log: typeof inner.log = {
      ...inner.log,
      load: (wanted) => {
        count.loads++
        return inner.log.load(wanted)
      },
      commit: async (writes) => {
        count.commits++
        await benThere.sends(id, 'faster')
        await benThere.reads(id, 1)
        return inner.log.commit(writes)
      },
    }
    const late = new LaneWorld({ store: { ...inner, log } })
    const aliceLate = new Somebody(late, 'alice')
    const sent: number[] = []
    for (let n = 0; n < 5; n++) sent.push((await aliceLate.sends(id, 'late')).position)
    expect(sent).toEqual([2, 4, 6, 8, 10])
    // One look, for the conversation and for who sends.
    expect(count).toEqual({ loads: 1, commits: 5 })
    expect((await there.messages(id)).map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('LOG-2 what somebody sends who was removed meanwhile is refused, whoever else may still send', async () => {
    const { here, alice, ben, aliceThere, id } = await twoLanes()
    await Promise.all([alice.sends(id), ben.sends(id)])
    await aliceThere.removes(id, 'ben')
    const [refused, sent] = await Promise.all([
      ben.refused('send-message', { id: newId(), conversation: id, parts: says('no') }),
      alice.sends(id),
    ])
    expect(refused.id).toBe('access_denied')
    expect(sent.position).toBe(3)
    expect(await here.messages(id)).toHaveLength(3)
  })

  it('LOG-2 RCT-1 who reads on two devices at two lanes has read what they read on either, whatever is sent meanwhile', async () => {
    const { alice, ben, benThere, here, id } = await twoLanes()
    for (let n = 1; n <= 6; n++) {
      await alice.sends(id)
      await (n % 2 === 0 ? ben : benThere).reads(id, n, true)
      await ben.sends(id)
    }
    const own = (await here.rows(id)).find((row) => row.type === 'participant' && row.record.userId === 'ben')
    expect(own).toMatchObject({ record: { read: [1, 6] } })
  })

  it('LOG-2 where others are faster every time, its conversations are held until it has committed', async () => {
    const inner = openMemoryStore({ writers: 'many' })
    const { there, benThere, id } = await twoLanes(inner)
    const asked: string[] = []
    let isHeld = false
    const commit: typeof inner.log.commit = async (writes) => {
      asked.push(isHeld ? 'held' : 'not held')
      if (!isHeld) await benThere.sends(id, 'faster')
      return inner.log.commit(writes)
    }
    const holding: NonNullable<typeof inner.log.holding> = async (conversations, work) => {
      const { conversations: loaded } = await inner.log.load({ ...NOTHING, conversations })
      isHeld = true
      const revisions = loaded.map(({ app, record, revision }) => ({ app, key: record.id, revision: revision! }))
      return work({ revisions, commit }).finally(() => {
        isHeld = false
      })
    }
    const late = new LaneWorld({ store: { ...inner, log: { ...inner.log, commit, holding } } })
    const aliceLate = new Somebody(late, 'alice')
    const names = (n: number) => [{ operation: 'set' as const, property: 'metadata.name', value: `${n}` }]
    for (let n = 0; n < 9; n++) await aliceLate.does('update-conversation', { conversation: id, patch: names(n) })
    // After eight batches it is tried without again.
    expect(asked).toEqual(['not held', ...Array(8).fill('held'), 'not held', 'held'])
    const positions = (await there.messages(id)).map(({ position }) => position)
    expect(positions).toEqual(positions.map((_, index) => index + 1))
  })
})

/** A store of several writers that counts how often it is asked. */
function countingStore(writers: 'one' | 'many' = 'many') {
  const inner = openMemoryStore({ writers })
  const count = { loads: 0 }
  const load: Store['log']['load'] = (wanted) => {
    count.loads++
    return inner.log.load(wanted)
  }
  return { store: { ...inner, log: { ...inner.log, load } }, count }
}

describe('OPR-1 what a lane remembers and another one changed, of which it was told nothing', () => {
  const sets = (id: Uuid, value: string) => ({
    conversation: id,
    patch: [{ operation: 'set' as const, property: 'metadata.colour', value }],
  })
  const adds = (id: Uuid, userId: string) => ({
    conversation: id,
    patch: [{ operation: 'add' as const, property: 'participants', id: userId }],
  })

  it('does not have anybody refused who is in a conversation again', async () => {
    const { alice, ben, aliceThere, id } = await twoLanes()
    await alice.removes(id, 'ben')
    expect(await ben.refused('send-message', { id: newId(), conversation: id, parts: says('no') })).toBeDefined()
    await aliceThere.adds(id, 'ben')
    expect((await ben.sends(id, 'yes')).done.hasChanged).toBe(true)
  })

  it('does not have anybody refused who may speak again', async () => {
    const { here, there, ben, id } = await twoLanes()
    const suspends = (world: LaneWorld, suspendedAt: number | null) =>
      world.lane.submit({
        ...{ operation: suspendUser, app: APP, userId: null },
        input: { userId: 'ben' as UserId, suspendedAt },
      })
    await suspends(here, 5)
    const input = { id: newId(), conversation: id, parts: says('no') }
    expect(await ben.refused('send-message', input)).toMatchObject({ id: 'user_suspended' })
    await suspends(there, null)
    expect((await ben.sends(id, 'yes')).done.hasChanged).toBe(true)
  })

  it('has nothing passed over that is no longer so: somebody added again, something set again', async () => {
    const { here, alice, aliceThere, id } = await twoLanes()
    await alice.adds(id, 'cleo')
    await alice.does('update-conversation', sets(id, 'red'))
    await aliceThere.removes(id, 'cleo')
    await aliceThere.does('update-conversation', sets(id, 'blue'))
    expect((await alice.adds(id, 'cleo')).hasChanged).toBe(true)
    expect((await alice.does('update-conversation', sets(id, 'red'))).hasChanged).toBe(true)
    const seen = await alice.sees(id)
    expect(seen?.record.metadata).toEqual({ colour: 'red' })
    expect((await here.store.streams.audience(APP, id)).includes('cleo' as UserId)).toBe(true)
  })

  it('does not have a distinct conversation found that is no more', async () => {
    const { alice, aliceThere } = await twoLanes()
    const first = await alice.starts(['ben'], { distinct: true })
    await aliceThere.deletes(first, 'for all')
    expect(await alice.starts(['ben'], { distinct: true })).not.toBe(first)
  })

  it('does not have an operation taken for a repeat of itself, nor a repeat for something new', async () => {
    const { here, alice, aliceThere, id } = await twoLanes()
    await alice.adds(id, 'cleo')
    await aliceThere.removes(id, 'cleo')
    const operation = newId()
    const asks = () => alice.does('update-conversation', adds(id, 'cleo'), { id: operation })
    const [first, second] = await Promise.all([asks(), asks()])
    expect([first.hasChanged, second.hasChanged]).toEqual([true, false])
    await aliceThere.removes(id, 'cleo')
    expect((await asks()).hasChanged).toBe(false)
    expect(await here.store.streams.audience(APP, id)).not.toContain('cleo')
  })

  it('does not have a repeat in the same batch told what the first is not told after all', async () => {
    const { alice, aliceThere } = await twoLanes()
    const first = await alice.starts(['ben'], { distinct: true })
    await aliceThere.deletes(first, 'for all')
    const input = { id: newId(), participants: ['ben'], distinct: true }
    const asks = () => alice.does('create-conversation', input)
    const outcomes = await Promise.all([asks(), asks()])
    expect(outcomes.map(({ result, hasChanged }) => [result, hasChanged])).toEqual([
      [{ conversation: conversationUri(input.id), outcome: 'created' }, true],
      [{ conversation: conversationUri(input.id), outcome: 'created' }, false],
    ])
  })

  it('does not have a repeat in the same batch said to be done when the first is refused after all', async () => {
    const { alice, ben, aliceThere, id } = await twoLanes()
    await alice.adds(id, 'cleo')
    await aliceThere.removes(id, 'ben')
    const operation = newId()
    const asks = () => ben.ask('update-conversation', adds(id, 'cleo'), { id: operation })
    for (const outcome of await Promise.all([asks(), asks()])) expect(outcome).toHaveProperty('refusal')
  })

  it('does not have an id forgotten because it is used once more, for something else', async () => {
    const { alice, aliceThere, id } = await twoLanes()
    const operation = newId()
    const deletion = { conversation: id, mode: 'my_devices' as const }
    const [, other] = await Promise.all([
      alice.does('update-conversation', sets(id, 'red'), { id: operation }),
      alice.ask('delete-conversation', deletion, { id: operation }),
    ])
    expect(other).toMatchObject({ refusal: { id: 'id_in_use' } })
    await aliceThere.does('update-conversation', sets(id, 'blue'))
    const again = await alice.does('update-conversation', sets(id, 'red'), { id: operation })
    expect(again.hasChanged).toBe(false)
  })

  it('is looked up once, and not if it was just loaded or is written in the same batch', async () => {
    const { store, count } = countingStore()
    const { alice, ben, aliceThere, id } = await twoLanes(store)
    const looks = async (work: () => Promise<unknown>) => {
      const before = count.loads
      await work()
      return count.loads - before
    }
    await alice.adds(id, 'cleo')
    // Remembered, and it is so already: one look.
    expect(await looks(() => alice.adds(id, 'cleo'))).toBe(2)
    // It is told that another one changed something, so it is loaded anyway.
    await aliceThere.sends(id)
    await alice.sends(id)
    expect(await looks(() => alice.sends(id))).toBe(0)
    expect(await looks(() => Promise.all([alice.sends(id), ben.sends(id)]))).toBe(0)
  })

  it('is no matter where one lane alone writes: nothing is looked up', async () => {
    const { store, count } = countingStore('one')
    const world = new LaneWorld({ store })
    const { alice } = await world.people('alice', 'ben', 'cleo')
    const id = await alice.starts(['ben', 'cleo'])
    const before = count.loads
    // Whether this very operation was done before is all that is asked.
    expect((await alice.adds(id, 'cleo')).hasChanged).toBe(false)
    expect(count.loads - before).toBe(1)
  })
})
