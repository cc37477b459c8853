/** Lanes of several processes over one store, whatever they do at once: what comes of it is what some order would give. */
import { hasPosition, type OperationInputs, type OperationName, type UserId, type Uuid } from '@parley/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { APP, type Done, LaneWorld, newId, Somebody, says } from '../../test/lane-world.ts'
import type { CommitHint } from '../bus/messages.ts'
import { changedBy } from '../join-nodes.ts'
import { isActive, type MessageRecord, type ParticipantRecord } from '../model/state.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { CommitUnknown, type Store } from '../store/store.ts'
import type { Committed } from './committed.ts'
import type { StreamMove } from './moves.ts'

const NAMES = ['alice', 'ben', 'cleo'] as const
const LANES = 3
const TALKS = 2

const place = { lane: fc.nat(LANES - 1), talk: fc.nat(TALKS - 1), who: fc.constantFrom(...NAMES) }
const does = <Does extends string>(name: Does, weight: number) => ({
  weight,
  arbitrary: fc.record({ does: fc.constant(name), ...place, whom: fc.constantFrom(...NAMES), n: fc.nat(30) }),
})
const step = fc.oneof(
  does('send', 16),
  does('repeat', 2),
  does('mark', 5),
  does('add', 2),
  does('remove', 2),
  does('hide', 1),
  does('hide message', 1),
  does('delete message', 1),
  does('name', 1),
  does('erase', 1),
  // What others hear of each other they hear late, or never.
  does('hear', 3),
  does('lose an answer', 1),
  does('find out', 1),
  does('wait', 4),
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never
/** Between what is loaded and the commit: so many turns of the event loop. */
const pauses = fc.array(fc.nat(4), { minLength: 1, maxLength: 12 })

interface Sent {
  readonly id: Uuid
  readonly talk: Uuid
  readonly by: Somebody
  readonly done: Done | undefined
}

/** Lanes with a clock each, over one store that takes its time. */
class Lanes {
  readonly store: Store
  readonly worlds: LaneWorld[]
  readonly sent: Sent[] = []
  readonly marks: { readonly talk: Uuid; readonly who: string; readonly position: number }[] = []
  readonly hides: { readonly talk: Uuid; readonly who: string; readonly position: number }[] = []
  readonly disturbed = new Set<string>()
  readonly erased = new Set<Uuid>()
  readonly #heard = new Map<LaneWorld, number>()
  readonly #under: Promise<unknown>[] = []
  #timers: (() => void)[] = []
  #answersToLose = 0

  constructor(pauses: readonly number[]) {
    const inner = openMemoryStore({ writers: 'many' })
    let turn = 0
    const pause = async () => {
      for (let left = pauses[turn++ % pauses.length]!; left > 0; left--) await new Promise(setImmediate)
    }
    const commit: Store['log']['commit'] = async (writes) => {
      await pause()
      const place = await inner.log.commit(writes)
      await pause()
      if (this.#answersToLose === 0) return place
      this.#answersToLose--
      throw new CommitUnknown('Its answer was lost.', async () => place)
    }
    const load: Store['log']['load'] = async (wanted) => {
      const loaded = await inner.log.load(wanted)
      await pause()
      return loaded
    }
    this.store = { ...inner, log: { ...inner.log, commit, load } }
    const after = (_ms: number, callback: () => void) => {
      this.#timers.push(callback)
      return () => {
        this.#timers = this.#timers.filter((timer) => timer !== callback)
      }
    }
    this.worlds = Array.from({ length: LANES }, () => new LaneWorld({ store: this.store, after }))
    for (const [n, world] of this.worlds.entries()) world.now += 7 * n
  }

  async begin(): Promise<Uuid[]> {
    const { alice } = await this.worlds[0]!.people(...NAMES)
    return Promise.all(Array.from({ length: TALKS }, () => alice.starts(['ben', 'cleo'])))
  }

  async settle(): Promise<void> {
    await Promise.all(this.#under.splice(0))
  }

  /** So much time passes that every lane has asked what became of the commits whose answers were lost. */
  async findOut(): Promise<void> {
    await this.settle()
    this.#findOut()
    while (this.worlds.some(({ lane }) => lane.isCommitting)) await new Promise(setImmediate)
  }

  #findOut(): void {
    for (const timer of this.#timers.splice(0)) timer()
  }

  take({ does, lane, who, whom, n }: Step, talk: Uuid): void | Promise<void> {
    const world = this.worlds[lane]!
    world.now += n % 3
    const by = new Somebody(world, who)
    const known = this.sent[n % (this.sent.length || 1)]
    const asks = <Name extends OperationName>(name: Name, input: OperationInputs[Name]) =>
      this.#ask(by.ask(name, input))
    const patches = (patch: OperationInputs['update-conversation']['patch']) =>
      asks('update-conversation', { conversation: talk, patch })
    switch (does) {
      case 'send':
        return this.#send({ id: newId(), talk, by, done: undefined })
      case 'repeat':
        return known && this.#send({ ...known, by: new Somebody(world, known.by.userId) })
      case 'mark':
        return known?.done && this.#mark(by, known, (known.done.result as { position: number }).position)
      case 'add':
      case 'remove':
        this.disturbed.add(`${talk} ${whom}`)
        return patches([{ operation: does, property: 'participants', id: whom }])
      case 'name':
        return patches([{ operation: 'set', property: 'metadata.n', value: `${n}` }])
      case 'hide':
        return asks('delete-conversation', { conversation: talk, mode: 'my_devices', leave: false } as never)
      case 'erase':
        if (n > 3) return
        this.erased.add(talk)
        return asks('delete-conversation', { conversation: talk, mode: 'all_participants', leave: false } as never)
      case 'hide message':
      case 'delete message': {
        const mode = does === 'hide message' ? 'my_devices' : 'all_participants'
        return known && this.#delete(by, known, mode)
      }
      case 'hear':
        return this.#hear(world)
      case 'lose an answer':
        this.#answersToLose++
        return
      case 'find out':
        return this.#findOut()
      case 'wait':
        return this.settle()
    }
  }

  #ask<T>(asked: Promise<T>, then?: (outcome: T) => void): void {
    this.#under.push(asked.then(then))
  }

  #send(sending: Sent): void {
    const input = { id: sending.id, conversation: sending.talk, parts: says('Hello') }
    this.#ask(sending.by.ask('send-message', input), (outcome) => {
      this.sent.push({ ...sending, done: 'refusal' in outcome ? undefined : (outcome as Done) })
    })
  }

  #mark(by: Somebody, { talk }: Sent, position: number): void {
    const input = { conversation: talk, receipt: 'read' as const, position, only: false }
    this.#ask(by.ask('mark-messages', input), (outcome) => {
      if (!('refusal' in outcome)) this.marks.push({ talk, who: by.userId, position })
    })
  }

  #delete(by: Somebody, { id, talk, done }: Sent, mode: 'my_devices' | 'all_participants'): void {
    this.#ask(by.ask('delete-message', { conversation: talk, message: id, mode }), (outcome) => {
      if ('refusal' in outcome || !done || mode !== 'my_devices') return
      this.hides.push({ talk, who: by.userId, position: (done.result as { position: number }).position })
    })
  }

  /** A lane hears what another one committed since it last heard of it. */
  #hear(world: LaneWorld): void {
    for (const other of this.worlds) {
      if (other === world) continue
      const from = this.#heard.get(other) ?? 0
      this.#heard.set(other, other.committed.length)
      for (const one of other.committed.slice(from)) world.lane.outdated(changedBy(asHint(one)))
    }
  }

  /** What all of them told, in the order of the log. */
  get told(): Committed[] {
    return this.worlds.flatMap(({ committed }) => committed).sort((a, b) => a.cursor - b.cursor)
  }
}

function asHint({ app, actor, operation, cursor, at, moves }: Committed): CommitHint {
  const hints = moves.map((move) => {
    if (move.stream === 'inbox') return move
    const { after, sequence, audience, rows, conversation } = move
    return { stream: 'conversation' as const, id: conversation.id, after, sequence, audience, rows }
  })
  return { type: 'committed', app, actor, operation, cursor, at, moves: hints }
}

/** Streams without a hole, each row once; nobody's message after they were gone. Answers the rows as they were told last. */
function replayed(told: readonly Committed[]) {
  const heads = new Map<Uuid, number>()
  const messages = new Map<Uuid, MessageRecord>()
  const people = new Map<string, ParticipantRecord>()
  const there = new Set<string>()
  const learn = (conversation: Uuid, record: ParticipantRecord) => {
    const name = `${conversation} ${record.userId}`
    const known = people.get(name)
    const isNewer = !known || record.sequence + record.inboxSequence > known.sequence + known.inboxSequence
    if (isNewer) people.set(name, record)
  }
  for (const move of inOrder(told)) {
    if (move.stream === 'inbox') {
      for (const { conversation, record } of move.rows) learn(conversation, record)
      continue
    }
    const { id } = move.conversation
    expect(move.after).toBe(heads.get(id) ?? 0)
    expect(move.rows.map(({ record }) => record.sequence)).toEqual(move.rows.map((_, index) => move.after + index + 1))
    expect(move.sequence).toBe(move.after + move.rows.length)
    heads.set(id, move.sequence)
    for (const row of move.rows) {
      if (row.type === 'participant') {
        learn(id, row.record)
        // Who comes or goes is seen by all.
        const isThere = isActive(row.record)
        if (isThere) there.add(`${id} ${row.record.userId}`)
        else there.delete(`${id} ${row.record.userId}`)
      }
      if (row.type !== 'message') continue
      const isNew = !messages.has(row.record.id)
      if (isNew) expect(there).toContain(`${id} ${row.record.sender}`)
      messages.set(row.record.id, row.record)
    }
  }
  return { heads, messages, people }
}

/** Moves of one commit may be told in another order than that of their stream, which whoever hears of them puts right. */
function inOrder(told: readonly Committed[]): StreamMove[] {
  const moves = told.flatMap(({ cursor, moves }) => moves.map((move) => ({ cursor, move })))
  return moves.sort((a, b) => a.cursor - b.cursor || a.move.after - b.move.after).map(({ move }) => move)
}

const asStored = ({ id, position, sequence, firstSequence, sentAt, deletedAt }: MessageRecord) => ({
  ...{ id, position, sequence, firstSequence, sentAt, deletedAt },
})

async function check(lanes: Lanes, talks: readonly Uuid[]): Promise<void> {
  const told = replayed(lanes.told)
  for (const talk of talks.filter((id) => !lanes.erased.has(id))) {
    const { rows, sequence } = (await lanes.store.streams.conversationForAll(APP, talk, 0, 10_000))!
    expect(sequence).toBe(told.heads.get(talk))
    const messages = rows.flatMap((row) => (row.type === 'message' ? [row.record] : []))
    messages.sort((a, b) => a.position - b.position)
    expect(messages.map(({ position }) => position)).toEqual(messages.map((_, index) => index + 1))
    expect(messages.map(asStored)).toEqual(messages.map(({ id }) => asStored(told.messages.get(id)!)))
    for (const [index, { sentAt, firstSequence }] of messages.entries()) {
      expect(sentAt).toBeGreaterThanOrEqual(messages[index - 1]?.sentAt ?? 0)
      expect(firstSequence).toBeGreaterThan(messages[index - 1]?.firstSequence ?? 0)
    }
    for (const { id, done } of lanes.sent.filter((one) => one.talk === talk && one.done)) {
      const found = messages.find((message) => message.id === id)!
      const sent_at = new Date(found.sentAt).toISOString()
      expect(done!.result).toMatchObject({
        position: found.position,
        sent_at: expect.stringContaining(sent_at.slice(0, 23)),
      })
      if (done!.hasChanged && done!.stream !== 'inbox') expect(done!.sequence).toBe(found.firstSequence)
    }
    const people = new Map(rows.flatMap((row) => (row.type === 'participant' ? [[row.record.userId, row.record]] : [])))
    for (const [userId, record] of people) expect(record).toEqual(told.people.get(`${talk} ${userId}`))
    const stand = (one: { talk: Uuid; who: string }) => one.talk === talk && !lanes.disturbed.has(`${talk} ${one.who}`)
    for (const { who, position } of lanes.marks.filter(stand)) {
      expect(hasPosition(people.get(who as UserId)!.read, position)).toBe(true)
    }
    for (const { who, position } of lanes.hides.filter(stand)) {
      expect(hasPosition(people.get(who as UserId)!.hidden, position)).toBe(true)
    }
  }
  expect(lanes.worlds.flatMap(({ logged }) => logged).filter((line) => !line.includes('answer was lost'))).toEqual([])
}

/** All answers of the first lane are lost, up to the last thing it does. */
const lostLast = Array.from({ length: 2 * TALKS }, (): Step => {
  return { does: 'lose an answer', lane: 0, talk: 0, who: 'alice', whom: 'ben', n: 0 }
})

it('LOG-2 P1 whatever several lanes do at once: no hole, nothing twice, nothing lost, and everybody was told the truth', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), pauses, async (steps, pauses) => {
      const lanes = new Lanes(pauses)
      const talks = await lanes.begin()
      for (const one of steps) await lanes.take(one, talks[one.talk]!)
      await lanes.settle()
      // What each of them knows by now is put to use once more.
      for (const [n, world] of lanes.worlds.entries()) {
        for (const talk of talks) {
          const by = new Somebody(world, NAMES[n]!)
          await lanes.take({ does: 'send', lane: n, talk: 0, who: NAMES[n]!, whom: 'ben', n: 0 }, talk)
          await lanes.settle()
          const seen = await by.sees(talk)
          if (seen?.headPosition)
            await by.ask('mark-messages', {
              conversation: talk,
              receipt: 'read',
              position: seen.headPosition,
              only: false,
            })
        }
      }
      await lanes.findOut()
      await check(lanes, talks)
    }),
    { numRuns: 300, examples: [[lostLast, [0]]] },
  )
}, 120_000)
