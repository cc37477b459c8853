/**
 * Chance against a model: people do whatever comes to mind, in batches of any size, and the store ends where a few
 * sets and lists say it should.
 */
import { isPositionSet, type PositionSet, type Uuid } from '@parley/protocol'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LaneWorld, newId, type Somebody, says } from '../../test/lane-world.ts'
import { SlowCommits } from '../../test/slow-commits.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'

const NAMES = ['alice', 'ben', 'cleo', 'dana'] as const
type Name = (typeof NAMES)[number]

interface Member {
  state: 'joined' | 'hidden' | 'left' | 'removed'
  last: number | null
  readonly hidden: Set<number>
  readonly read: Set<number>
  readonly delivered: Set<number>
  readonly absent: Set<number>
}

interface Talk {
  readonly id: Uuid
  readonly members: Map<Name, Member>
  readonly messages: { readonly id: Uuid; readonly sender: Name; isDeleted: boolean }[]
  metadata: Record<string, string>
  distinct: string | null
  isDeleted: boolean
}

type Step =
  | { does: 'create'; who: Name; with: Name[]; distinct: boolean }
  | { does: 'send' | 'hide' | 'leave' | 'erase'; who: Name; talk: number }
  | { does: 'resend'; who: Name; talk: number; message: number }
  | { does: 'mark'; who: Name; talk: number; read: boolean; position: number; only: boolean }
  | { does: 'add' | 'remove'; who: Name; talk: number; whom: Name }
  | { does: 'title'; who: Name; talk: number; title: string }
  | { does: 'delete' | 'hide message'; who: Name; talk: number; message: number }

const who = fc.constantFrom(...NAMES)
const talk = fc.nat(3)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('create' as const),
      who,
      with: fc.subarray([...NAMES]),
      distinct: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ does: fc.constant('send' as const), who, talk }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom('hide' as const, 'leave' as const), who, talk }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('erase' as const), who, talk: fc.constantFrom(2, 3) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('resend' as const), who, talk, message: fc.nat(9) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('mark' as const),
      who,
      talk,
      read: fc.boolean(),
      position: fc.integer({ min: 1, max: 12 }),
      only: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constantFrom('add' as const, 'remove' as const), who, talk, whom: who }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ does: fc.constant('title' as const), who, talk, title: fc.constantFrom('a', 'b', 'c') }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constantFrom('delete' as const, 'hide message' as const),
      who,
      talk,
      message: fc.nat(9),
    }),
  },
)

/** The model: what should become of each step. Answers whether it should be accepted. */
class Expected {
  readonly talks: Talk[] = []

  create(id: Uuid, step: Extract<Step, { does: 'create' }>): boolean {
    const people = [...new Set([step.who, ...step.with])]
    const key = [...people].sort().join()
    const found = step.distinct ? this.talks.find((one) => one.distinct === key) : undefined
    if (found) {
      const member = found.members.get(step.who)!
      if (member.state === 'hidden') member.state = 'joined'
      return true
    }
    const members = new Map(people.map((name) => [name, newMember()]))
    this.talks.push({ id, members, messages: [], metadata: {}, distinct: step.distinct ? key : null, isDeleted: false })
    return true
  }

  carryOut(step: Exclude<Step, { does: 'create' }>, talk: Talk, id: Uuid): boolean {
    const { members, messages } = talk
    const own = members.get(step.who)
    const head = messages.length
    const isIn = own?.state === 'joined' || own?.state === 'hidden'
    if (step.does === 'resend' && messages[step.message]!.sender === step.who) return true
    if (!own || talk.isDeleted) return false
    const isTidyingUp = step.does === 'hide' || step.does === 'leave' || step.does === 'hide message'
    if (!isIn && !(own.state === 'removed' && isTidyingUp)) return false
    switch (step.does) {
      case 'send':
        for (const member of members.values()) if (member.state === 'hidden') member.state = 'joined'
        messages.push({ id, sender: step.who, isDeleted: false })
        return true
      case 'resend':
        return false
      case 'hide':
      case 'leave': {
        if (own.state === 'removed') own.state = 'left'
        else if (step.does === 'leave') {
          Object.assign(own, { state: 'left', last: head })
          talk.distinct = null
        } else own.state = 'hidden'
        for (let position = 1; position <= (own.last ?? head); position++) own.hidden.add(position)
        return true
      }
      case 'erase':
        Object.assign(talk, { isDeleted: true, distinct: null, metadata: {} })
        return true
      case 'mark':
        for (let position = step.only ? step.position : 1; position <= Math.min(step.position, head); position++) {
          own.delivered.add(position)
          if (step.read) own.read.add(position)
        }
        return true
      case 'add':
        return this.#add(talk, step.whom)
      case 'remove':
        return this.#remove(talk, step.who, step.whom)
      case 'title':
        talk.metadata = { ...talk.metadata, title: step.title }
        return true
      case 'delete':
      case 'hide message': {
        const message = messages[step.message]
        if (!message) return false
        if (step.does === 'delete') message.isDeleted = true
        else if (step.message + 1 > (own.last ?? head)) return false
        else own.hidden.add(step.message + 1)
        return true
      }
    }
  }

  #add(talk: Talk, whom: Name): boolean {
    const before = talk.members.get(whom)
    if (before?.state === 'joined' || before?.state === 'hidden') return true
    talk.distinct = null
    const member = before ?? newMember()
    const head = talk.messages.length
    for (let position = 1; position <= head; position++) {
      if (position > (before?.last ?? 0)) member.absent.add(position)
      member.delivered.add(position)
      member.read.add(position)
    }
    talk.members.set(whom, Object.assign(member, { state: 'joined', last: null }))
    return true
  }

  #remove(talk: Talk, who: Name, whom: Name): boolean {
    const member = talk.members.get(whom)
    const active = [...talk.members.values()].filter(({ state }) => state === 'joined' || state === 'hidden')
    if (member?.state !== 'joined' && member?.state !== 'hidden') return true
    if (active.length === 1) return false
    talk.distinct = null
    const head = talk.messages.length
    Object.assign(member, { state: who === whom ? 'left' : 'removed', last: head })
    if (who === whom) for (let position = 1; position <= head; position++) member.hidden.add(position)
    return true
  }
}

const newMember = (): Member => ({
  state: 'joined',
  last: null,
  hidden: new Set(),
  read: new Set(),
  delivered: new Set(),
  absent: new Set(),
})

function ask(somebody: Somebody, step: Step, id: Uuid, talk: Talk | undefined) {
  if (step.does === 'create') {
    return somebody.ask('create-conversation', { id, participants: step.with, distinct: step.distinct })
  }
  const conversation = talk!.id
  const patch = (operation: 'add' | 'remove' | 'set', rest: object) =>
    somebody.ask('update-conversation', { conversation, patch: [{ operation, property: 'participants', ...rest }] })
  switch (step.does) {
    case 'send':
      return somebody.ask('send-message', { id, conversation, parts: says('x') })
    case 'resend':
      return somebody.ask('send-message', {
        id: talk!.messages[step.message]?.id ?? id,
        conversation,
        parts: says('x'),
      })
    case 'hide':
      return somebody.ask('delete-conversation', { conversation, mode: 'my_devices' })
    case 'leave':
      return somebody.ask('delete-conversation', { conversation, mode: 'my_devices', leave: true })
    case 'erase':
      return somebody.ask('delete-conversation', { conversation, mode: 'all_participants' })
    case 'mark':
      return somebody.ask('mark-messages', {
        conversation,
        receipt: step.read ? 'read' : 'delivery',
        position: step.position,
        only: step.only,
      })
    case 'add':
    case 'remove':
      return patch(step.does, { id: step.whom })
    case 'title':
      return patch('set', { property: 'metadata.title', value: step.title })
    case 'delete':
    case 'hide message':
      return somebody.ask('delete-message', {
        conversation,
        message: talk!.messages[step.message]?.id ?? id,
        mode: step.does === 'delete' ? 'all_participants' : 'my_devices',
      })
  }
}

function positionsOf(set: PositionSet): number[] {
  expect(isPositionSet(set)).toBe(true)
  const positions: number[] = []
  for (let i = 0; i < set.length; i += 2) {
    for (let position = set[i]!; position <= set[i + 1]!; position++) positions.push(position)
  }
  return positions
}

const sorted = (set: Set<number>) => [...set].sort((a, b) => a - b)

async function expectSame(world: LaneWorld, people: Record<Name, Somebody>, expected: Expected): Promise<void> {
  for (const talk of expected.talks) {
    for (const [name, member] of talk.members) {
      const own = (await people[name].membership(talk.id))!
      expect({ name, state: own.state, last: own.lastPosition }).toEqual({
        name,
        state: member.state,
        last: member.last,
      })
      for (const mark of ['hidden', 'read', 'delivered', 'absent'] as const) {
        expect([name, mark, positionsOf(own[mark])]).toEqual([name, mark, sorted(member[mark])])
      }
      const view = await people[name].sees(talk.id)
      if (talk.isDeleted || member.state === 'left') {
        expect(view).toBeUndefined()
        continue
      }
      const visible = talk.messages.filter(
        (message, index) => !message.isDeleted && !member.hidden.has(index + 1) && index < (member.last ?? Infinity),
      )
      const unread = visible.filter(
        (message) => message.sender !== name && !member.read.has(talk.messages.indexOf(message) + 1),
      )
      expect(view).toMatchObject({ totalCount: visible.length, unreadCount: unread.length })
      expect(view!.lastMessage?.id).toBe(visible[visible.length - 1]?.id)
      expect(view!.record).toMatchObject({ metadata: talk.metadata })
      expect(view!.record.distinctKey !== null).toBe(talk.distinct !== null)
    }
    const [reader] = [...talk.members].find(([, { state }]) => state === 'joined' || state === 'hidden') ?? []
    if (!reader) continue
    const rows = await world.rows(talk.id, reader)
    const ids = rows.flatMap((row) => (row.type === 'message' ? [[row.record.position, row.record.id]] : [])).sort()
    const all = talk.messages.map(({ id }, index) => [index + 1, id]).sort()
    expect(ids).toEqual(talk.isDeleted ? [] : all)
  }
}

/** STR-1, told by what was committed: each stream moves from where it was, without gaps. */
function expectDense(world: LaneWorld): void {
  const heads = new Map<string, number>()
  for (const { moves } of world.committed) {
    for (const move of moves) {
      const name = move.stream === 'inbox' ? move.userId : move.conversation.id
      expect(move.after).toBe(heads.get(name) ?? 0)
      expect(move.sequence).toBe(move.after + move.rows.length)
      heads.set(name, move.sequence)
    }
  }
}

const NO_MEMORY = { conversations: 1, people: 1, messages: 1 }

describe.each(['memory', 'sqlite'] as const)('people and chance, on %s', (kind) => {
  it('STR-1 STR-4 CNV-1 … CNV-8 RCT-1 … RCT-5 OPR-1 the store ends where the model does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 14 }),
        fc.boolean(),
        async (batches, isForgetful) => {
          const store = kind === 'sqlite' ? openSqliteStore(':memory:') : undefined
          const world = new LaneWorld({ ...(store && { store }), ...(isForgetful && { memory: NO_MEMORY }) })
          const people = await world.people(...NAMES)
          const expected = new Expected()
          for (const batch of batches) {
            const asked = batch.flatMap((step) => {
              const talk = step.does === 'create' ? undefined : expected.talks[step.talk]
              if (step.does !== 'create' && !talk) return []
              // There has to be something to repeat; what was deleted for all is forgotten with its messages.
              if (step.does === 'resend' && (!talk!.messages[step.message] || talk!.isDeleted)) return []
              const id = newId()
              const outcome = ask(people[step.who], step, id, talk)
              const isAccepted = step.does === 'create' ? expected.create(id, step) : expected.carryOut(step, talk!, id)
              return [outcome.then((got) => expect([step, 'result' in got, got]).toEqual([step, isAccepted, got]))]
            })
            await Promise.all(asked)
          }
          await expectSame(world, people, expected)
          expectDense(world)
          // Also after everything was forgotten: what is stored says the same.
          await expectSame(new LaneWorld({ store: world.store }), people, expected)
          expect(world.logged).toEqual([])
          await world.store.close()
        },
      ),
      { numRuns: kind === 'sqlite' ? 60 : 250, seed: 20_270_101 },
    )
  }, 60_000)
})

const written = (expected: Expected): string =>
  JSON.stringify(expected.talks, (_, value) => (value instanceof Set || value instanceof Map ? [...value] : value))

/** What a commit does in a story: takes so many turns, and may find first that another one was faster. */
const fate = fc.record({ turns: fc.nat(6), isLate: fc.integer({ min: 0, max: 9 }).map((n) => n === 0) })

describe.each(['one', 'many'] as const)('people and chance, while commits take their time, of %s', (writers) => {
  it('OPR-1 OPR-3 STR-1 what comes meanwhile, and what is decided anew, ends where the model does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ steps: fc.array(step, { minLength: 1, maxLength: 6 }), turns: fc.nat(5) }), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.array(fate, { minLength: 1, maxLength: 20 }),
        fc.boolean(),
        async (bursts, fates, isForgetful) => {
          const slow = new SlowCommits(openMemoryStore({ writers }))
          const world = new LaneWorld({ store: slow.store, ...(isForgetful && { memory: NO_MEMORY }) })
          const people = await world.people(...NAMES)
          const expected = new Expected()
          slow.take(fates)
          const asked: Promise<unknown>[] = []
          for (const { steps, turns } of bursts) {
            for (const step of steps) {
              const talk = step.does === 'create' ? undefined : expected.talks[step.talk]
              if (step.does !== 'create' && !talk) continue
              if (step.does === 'resend' && (!talk!.messages[step.message] || talk!.isDeleted)) continue
              const id = newId()
              const before = written(expected)
              const isAccepted = step.does === 'create' ? expected.create(id, step) : expected.carryOut(step, talk!, id)
              // Where others write, what changes nothing is looked at once more after the rest of its batch.
              if (writers === 'many' && step.does !== 'resend' && written(expected) === before) continue
              const outcome = ask(people[step.who], step, id, talk)
              asked.push(outcome.then((got) => ('result' in got === isAccepted ? undefined : { step, got })))
            }
            await slow.pass(turns)
          }
          expect((await Promise.all(asked)).filter(Boolean)).toEqual([])
          await expectSame(world, people, expected)
          expectDense(world)
          await expectSame(new LaneWorld({ store: slow.inner }), people, expected)
          expect(world.logged).toEqual([])
        },
      ),
      { numRuns: 250, seed: 20_270_102 },
    )
  }, 60_000)
})
