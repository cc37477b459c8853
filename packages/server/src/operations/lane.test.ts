import type { Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { APP, LaneWorld, newId, Somebody, says } from '../../test/lane-world.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { type LogStore, type Store, StoreOutage, type Writes } from '../store/store.ts'
import type { Operation } from './operation.ts'
import { operations } from './table.ts'

/** A store in memory whose log does what the test says first. */
function storeWith(before: { commit?: (writes: Writes) => Promise<unknown>; load?: () => Promise<void> }) {
  const inner = openMemoryStore()
  let commits = 0
  const log: LogStore = {
    ...inner.log,
    load: async (wanted) => {
      await before.load?.()
      return inner.log.load(wanted)
    },
    commit: async (writes) => {
      commits++
      await before.commit?.(writes)
      return inner.log.commit(writes)
    },
  }
  return { store: { ...inner, log } as Store, inner, commits: () => commits }
}

async function chatWorld(options: ConstructorParameters<typeof LaneWorld>[0] = {}) {
  const world = new LaneWorld(options)
  const { alice, ben } = await world.people('alice', 'ben', 'cleo')
  return { world, alice, ben, id: await alice.starts(['ben']) }
}

/** Streams as they were told of: every one without a gap and without an overlap. */
function expectDense(world: LaneWorld): void {
  const heads = new Map<string, number>()
  let cursor = 0
  for (const { moves, settled, cursor: at, app } of world.committed) {
    expect(settled).toBeGreaterThanOrEqual(cursor === at ? settled : cursor)
    expect(settled).toBeLessThan(at)
    cursor = at
    for (const move of moves) {
      const name = `${app} ${move.stream === 'inbox' ? move.userId : move.conversation.id}`
      expect(move.after).toBe(heads.get(name) ?? 0)
      const sequences = move.rows.map(({ record }) =>
        move.stream === 'inbox' ? (record as { inboxSequence: number }).inboxSequence : record.sequence,
      )
      expect(sequences).toEqual(sequences.map((_, index) => move.after + 1 + index))
      expect(move.sequence).toBe(move.after + sequences.length)
      heads.set(name, move.sequence)
    }
  }
}

describe('the write lane', () => {
  it('OPR-2 nobody is told or acknowledged before the commit, and everybody after it, told first', async () => {
    let release = () => {}
    let isHeld = false
    const { store } = storeWith({
      commit: () => (isHeld ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve()),
    })
    const order: string[] = []
    const { alice, id } = await chatWorld({ store, publish: () => order.push('told') })
    order.length = 0
    isHeld = true
    const sent = Promise.all([1, 2, 3].map(() => alice.sends(id).then(() => order.push('acknowledged'))))
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(order).toEqual([])
    release()
    await sent
    expect(order).toEqual(['told', 'acknowledged', 'acknowledged', 'acknowledged'])
  })

  it('OPR-3 what arrives during a commit forms the next batch, in order of arrival', async () => {
    const batches: number[] = []
    const { store, commits } = storeWith({
      commit: async ({ messages }) => {
        batches.push(messages.length)
        if (batches.length === 3) late.push(...Array.from({ length: 150 }, () => alice.sends(id)))
      },
    })
    const late: ReturnType<Somebody['sends']>[] = []
    const { world, alice, id } = await chatWorld({ store })
    const before = commits()
    const first = await Promise.all(Array.from({ length: 50 }, () => alice.sends(id)))
    const second = await Promise.all(late)
    expect([...first, ...second].map(({ position }) => position)).toEqual(Array.from({ length: 200 }, (_, i) => i + 1))
    expect(commits() - before).toBe(2)
    expect(batches.slice(-2)).toEqual([50, 150])
    expectDense(world)
  })

  it('OPR-3 the next batch is on its way to the store before the turn ends in which the last one was told', async () => {
    const order: string[] = []
    let isWatched = false
    const { store } = storeWith({
      commit: async ({ messages }) => {
        if (!isWatched) return
        order.push(`commit of ${messages.length}`)
        if (order.length === 1) for (let i = 0; i < 3; i++) void alice.sends(id).then(() => undefined)
      },
    })
    const written = () => new Promise<void>((resolve) => setImmediate(() => resolve(void order.push('written'))))
    let turn: Promise<void> = Promise.resolve()
    const { alice, id } = await chatWorld({
      store,
      publish: () => {
        if (!isWatched) return
        order.push('told')
        turn = written()
      },
    })
    isWatched = true
    await Promise.all([alice.sends(id), alice.sends(id)])
    await turn
    expect(order.indexOf('commit of 3')).toBe(2)
    expect(order.indexOf('written')).toBeGreaterThan(2)
  })

  it('an answer that cannot be given leaves what was decided as it is, and the others their answers', async () => {
    const { world, alice, id } = await chatWorld()
    const answered: number[] = []
    const ask = (n: number) =>
      world.lane.enqueue(
        {
          operation: operations['send-message'].operation,
          input: { id: newId(), conversation: id, parts: says(`${n}`) },
          app: APP,
          userId: alice.userId,
        },
        () => {
          answered.push(n)
          if (n === 1) throw new Error('nobody to answer')
        },
      )
    for (const n of [0, 1, 2]) ask(n)
    expect((await alice.sends(id)).position).toBe(4)
    expect(answered).toEqual([0, 1, 2])
    expect(world.logged).toHaveLength(1)
    expectDense(world)
  })

  const throwing: Operation<null, never> = {
    name: 'announce-profile',
    remembered: false,
    reads: () => ({}),
    decide: () => {
      throw new Error('a bug')
    },
  }
  const halfDone = (id: Uuid): Operation<null, null> => ({
    ...throwing,
    reads: () => ({ conversations: [id] }),
    decide: (_input, _asking, facts) => {
      const conversation = facts.conversation(id)!
      const participant = conversation.participants.get('ben' as never)!
      return {
        facts: [
          { type: 'participant', conversation: id, participant: { ...participant, state: 'left' }, side: 'public' },
          {
            type: 'participant',
            conversation: id,
            participant: { ...participant, userId: 'ghost' as never },
            side: 'both',
          },
        ],
        result: null,
      }
    },
  })

  it.each(['throws when decided', 'cannot be recorded whole', 'breaks a constraint'] as const)(
    'OPR-6 one poisoned operation in a batch of 200 that %s: 199 acknowledged, 1 refused for good',
    async (how) => {
      const { store, commits } = storeWith({
        commit: async ({ messages }) => {
          if (messages.some(({ parts }) => parts[0]?.body === 'poison')) throw new Error('CHECK constraint failed')
        },
      })
      const { world, alice, id } = await chatWorld({ store })
      const before = commits()
      const asked = Array.from({ length: 200 }, (_, index) => {
        if (index !== 77)
          return alice.ask('send-message', { id: newId(), conversation: id, parts: says(String(index)) })
        if (how === 'breaks a constraint') {
          return alice.ask('send-message', { id: newId(), conversation: id, parts: says('poison') })
        }
        const operation = how === 'throws when decided' ? throwing : halfDone(id)
        return world.lane.submit({ operation, input: null, app: APP, userId: alice.userId })
      })
      const outcomes = await Promise.all(asked)
      expect(outcomes.filter((outcome) => 'result' in outcome)).toHaveLength(199)
      expect(outcomes[77]).toEqual({ refusal: { id: 'internal_server_error' } })
      expect((await world.messages(id)).map(({ position }) => position)).toEqual(
        Array.from({ length: 199 }, (_, index) => index + 1),
      )
      expect(await world.store.streams.audience(APP, id)).toEqual(['alice', 'ben'])
      expect(commits() - before).toBeLessThanOrEqual(how === 'throws when decided' ? 1 : 201)
      expectDense(world)
      const logged = world.logged.filter((line) => line.startsWith('a bug'))
      expect(logged).toHaveLength(1)
    },
  )

  it.each(['commit', 'load'] as const)(
    'OPR-5 while the store is away at %s, all are put off, and nothing happened',
    async (where) => {
      let isAway = false
      let tries = 0
      const away = async () => {
        if (!isAway) return
        tries++
        throw new StoreOutage('Disk full.')
      }
      const { store, inner } = storeWith(where === 'commit' ? { commit: away } : { load: away })
      const { world, alice, ben, id } = await chatWorld({ store, memory: { conversations: 0, people: 0, messages: 0 } })
      await alice.sends(id)
      const before = JSON.stringify([await world.rows(id), await inner.log.lastCursor()])
      isAway = true
      const ids = Array.from({ length: 200 }, newId)
      const send = (message: Uuid) => alice.ask('send-message', { id: message, conversation: id, parts: says('x') })
      for (const outcome of await Promise.all(ids.map(send))) {
        expect(outcome).toEqual({ refusal: { id: 'service_unavailable', retryAfterMs: 1_000 } })
      }
      expect(tries).toBe(1)
      expect(JSON.stringify([await world.rows(id), await inner.log.lastCursor()])).toBe(before)
      isAway = false
      const again = await Promise.all(ids.map(send))
      expect(again.map((outcome) => ('result' in outcome ? outcome.result : outcome))).toMatchObject(
        ids.map((_, index) => ({ position: index + 2 })),
      )
      await ben.reads(id, 201)
      expectDense(world)
    },
  )

  it('OPR-1 after a commit that happened though it was reported to have failed, a repeat doubles nothing', async () => {
    const inner = openMemoryStore()
    let isLying = false
    const commit: LogStore['commit'] = async (writes) => {
      const place = await inner.log.commit(writes)
      if (isLying) throw new StoreOutage('The answer was lost.')
      return place
    }
    const { world, alice, id } = await chatWorld({ store: { ...inner, log: { ...inner.log, commit } } })
    isLying = true
    const message = newId()
    const input = { id: message, conversation: id, parts: says('once') }
    const operation = newId()
    const patch = { conversation: id, patch: [{ operation: 'add' as const, property: 'participants', id: 'cleo' }] }
    const lost = await Promise.all([
      alice.ask('send-message', input),
      alice.ask('update-conversation', patch, { id: operation }),
    ])
    for (const outcome of lost) expect(outcome).toMatchObject({ refusal: { id: 'service_unavailable' } })
    isLying = false
    expect(await alice.does('send-message', input)).toMatchObject({ result: { position: 1 }, hasChanged: false })
    expect(await alice.does('update-conversation', patch, { id: operation })).toMatchObject({ hasChanged: false })
    expect((await alice.sends(id)).position).toBe(2)
    expect((await world.rows(id)).map((row) => row.record.sequence)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('STR-1 two lanes that write to one store put each other off, and never number anything twice', async () => {
    const { world, alice, id } = await chatWorld()
    const other = new LaneWorld({ store: world.store })
    const rival = new Somebody(other, 'ben')
    const sent: number[] = []
    for (let round = 0; round < 40; round++) {
      const who = round % 3 === 0 ? rival : alice
      const input = { id: newId(), conversation: id, parts: says(String(round)) }
      let outcome = await who.ask('send-message', input)
      for (let tries = 0; 'refusal' in outcome && tries < 3; tries++) {
        expect(outcome.refusal.id).toBe('service_unavailable')
        outcome = await who.ask('send-message', input)
      }
      sent.push(((outcome as { result: unknown }).result as { position: number }).position)
    }
    expect(sent).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    expect((await world.rows(id)).map((row) => row.record.sequence)).toEqual(
      Array.from({ length: 43 }, (_, i) => i + 1),
    )
  })

  it('a listener that throws does not undo what was committed', async () => {
    const { store } = storeWith({})
    let isBroken = false
    const { world, alice, id } = await chatWorld({
      store,
      publish: () => {
        if (isBroken) throw new Error('a listener')
      },
    })
    isBroken = true
    expect((await alice.sends(id)).position).toBe(1)
    expect((await alice.sends(id)).position).toBe(2)
    expect(world.logged.join()).toContain('a listener')
  })

  it('an operation that cannot even say what it needs is a bug of its own', async () => {
    const { world, alice, id } = await chatWorld()
    const operation: Operation<null, never> = {
      ...throwing,
      reads: () => {
        throw new Error('a bug')
      },
    }
    const outcomes = await Promise.all([
      world.lane.submit({ operation, input: null, app: APP, userId: alice.userId }),
      alice.sends(id),
    ])
    expect(outcomes).toMatchObject([{ refusal: { id: 'internal_server_error' } }, { position: 1 }])
  })

  it('OPR-5 an operation that is held back is put off when its turn comes, and what follows is not', async () => {
    const { alice, id } = await chatWorld()
    let isHeldBack = false
    const outcomes = Promise.all([
      alice.ask('send-message', { id: newId(), conversation: id, parts: says('1') }, { isHeldBack: () => isHeldBack }),
      alice.ask('send-message', { id: newId(), conversation: id, parts: says('2') }),
    ])
    isHeldBack = true
    expect(await outcomes).toMatchObject([{ refusal: { id: 'service_unavailable' } }, { result: { position: 1 } }])
  })

  it('OPR-1 a message repeated in the batch that deletes its conversation is not sent again', async () => {
    const { world, alice, id } = await chatWorld({ memory: { conversations: 9, people: 9, messages: 0 } })
    const { id: sent } = await alice.sends(id, 'once')
    const told = world.committed.length
    const [repeated] = await Promise.all([alice.sends(id, 'once', sent), alice.deletes(id, 'for all')])
    expect(repeated).toMatchObject({ position: 1 })
    const rows = world.committed.slice(told).flatMap(({ moves }) => moves.flatMap((move) => move.rows as object[]))
    expect(rows.filter((row) => 'type' in row && row.type === 'message')).toEqual([])
    expect(await world.messages(id)).toEqual([])
  })

  it('OPR-1 a batch that is decided twice because of a repeat ends as if decided once', async () => {
    const story = async (withRepeat: boolean) => {
      const { world, alice, ben, id } = await chatWorld({ memory: { conversations: 9, people: 9, messages: 0 } })
      const { id: repeated } = await alice.sends(id, 'repeated')
      const fresh = `00000000-0000-4000-8000-00000000000${1}` as Uuid
      const outcomes = await Promise.all([
        alice.starts(['ben'], { distinct: true, id: fresh }),
        ben.starts(['alice', 'dana'], { distinct: true, id: fresh.replace(/1$/, '2') as Uuid }),
        alice.sends(fresh, 'a', fresh),
        ben.deletes(id, 'from my devices'),
        ben.adds(id, 'cleo'),
        ben.reads(id, 1),
        ...(withRepeat ? [alice.sends(id, 'repeated', repeated)] : []),
        alice.sends(id, 'b', fresh.replace(/1$/, '3') as Uuid),
        alice.deletes(fresh, 'for all'),
        alice.removes(id, 'ben'),
      ])
      expect(outcomes).toHaveLength(withRepeat ? 10 : 9)
      expectDense(world)
      const own = await ben.membership(id)
      const rows = [...(await world.rows(id)), ...(await world.rows(fresh))].map((row) => ({
        type: row.type,
        sequence: row.record.sequence,
      }))
      return {
        rows,
        state: own?.state,
        hidden: own?.hidden,
        heads: await world.store.streams.moved(APP, alice.userId, 0),
      }
    }
    const [once, twice] = [await story(false), await story(true)]
    const { conversations: a, ...heads } = once.heads
    const { conversations: b, ...headsAgain } = twice.heads
    expect({ ...twice, heads: headsAgain }).toEqual({ ...once, heads })
    expect(b.map(({ sequence }) => sequence)).toEqual(a.map(({ sequence }) => sequence))
  })

  it.each([
    { conversations: 0, people: 0, messages: 0 },
    { conversations: 1, people: 1, messages: 1 },
    { conversations: 3, people: 2, messages: 2 },
  ])('what is forgotten between batches is read again: %j', async (memory) => {
    const { world, alice, ben } = await chatWorld({ memory })
    const ids: Uuid[] = []
    for (let n = 0; n < 6; n++) ids.push(await alice.starts(['ben', `friend ${n}`], { distinct: true }))
    for (let round = 0; round < 5; round++) {
      for (const [n, id] of ids.entries()) {
        expect((await (round % 2 ? alice : ben).sends(id)).position).toBe(round + 1)
        expect(await ben.starts(['alice', `friend ${n}`], { distinct: true })).toBe(id)
        await ben.reads(id, round + 1)
      }
    }
    expectDense(world)
    expect(world.logged).toEqual([])
  })

  it('CNV-1 a distinct conversation is found also when only its key was forgotten', async () => {
    const { world, alice } = await chatWorld({ memory: { conversations: 2, people: 99, messages: 99 } })
    const id = await alice.starts(['ben'], { distinct: true })
    // Keys of others push the key out, while messages keep the conversation in.
    for (let n = 0; n < 4; n++) {
      await alice.sends(id)
      await alice.starts([`friend ${n}`], { distinct: true })
      await alice.sends(id)
    }
    expect(await alice.starts(['ben'], { distinct: true })).toBe(id)
    expect(world.logged).toEqual([])
  })

  it('takes on no more than it can hold, and closes when all it took on is settled', async () => {
    let start = () => {}
    const { store } = storeWith({})
    let isCranked = false
    const { world, alice, id } = await chatWorld({
      store,
      soon: (callback) => {
        if (isCranked) start = callback
        else setImmediate(callback)
      },
    })
    isCranked = true
    const asked = Array.from({ length: 20_010 }, () =>
      alice.ask('mark-messages', { conversation: id, receipt: 'read', position: 1 }),
    )
    expect(world.lane.waiting).toBe(20_000)
    const later = { id: 'service_unavailable', retryAfterMs: expect.any(Number) }
    expect(await asked[20_009]).toEqual({ refusal: later })
    const closing = Promise.all([world.lane.close(), world.lane.close()])
    expect(await alice.ask('mark-messages', { conversation: id, receipt: 'read', position: 1 })).toMatchObject({
      refusal: { id: 'service_unavailable' },
    })
    start()
    await closing
    expect((await Promise.all(asked)).filter((outcome) => 'result' in outcome)).toHaveLength(20_000)
    await world.lane.close()
  })
})
