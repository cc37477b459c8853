import type { UserId, Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { TestNodes } from '../../test/bus-nodes.ts'
import type { AppKey } from '../model/state.ts'
import { People } from './people.ts'

const ONE = 1 as AppKey
const ada = { app: ONE, userId: 'ada' as UserId }
const ben = { app: ONE, userId: 'ben' as UserId }
const chat = '00000000-0000-4000-8000-000000000001' as Uuid
const here = { isHere: true, status: null, at: 1 }
const gone = { isHere: false, status: null, at: 2 }
const typing = { ...{ app: ONE, conversation: chat, sender: ada.userId, audience: null }, action: 'started' as const }

class World extends TestNodes {
  node(name: string) {
    const node = this.start(name)
    const changed: string[] = []
    const typed: string[] = []
    const people: People = new People({
      ...{ exchange: node.exchange, clock: node.clock, elapsed: this.clock.now, chance: this.chance.number },
      changed: (names) => {
        for (const one of names) changed.push(`${one.userId} ${people.of(one).isHere ? 'here' : 'gone'}`)
      },
      typing: ({ sender, action }) => typed.push(`${sender} ${action}`),
    })
    return { ...node, people, changed, typed }
  }
}

describe('whoever comes and goes', () => {
  it('is told at all nodes, their own included', async () => {
    const world = new World()
    const [a, b] = [world.node('a'), world.node('b')]
    await world.clock.advance(10)
    a.people.own({ ...ada, ...here })
    await world.clock.advance(10)
    a.people.own({ ...ada, ...gone })
    await world.clock.advance(10)
    expect([a.changed, b.changed]).toEqual([
      ['ada here', 'ada gone'],
      ['ada here', 'ada gone'],
    ])
  })

  it('is told to nodes that come later', async () => {
    const world = new World()
    const a = world.node('a')
    a.people.own({ ...ada, ...here })
    await world.clock.advance(60_000)
    const b = world.node('b')
    await world.clock.advance(7_000)
    expect(b.changed).toEqual(['ada here'])
  })

  it('is right in the end, though a third of all is lost, doubled, reordered and late', async () => {
    const world = new World(5)
    const nodes = ['a', 'b', 'c'].map((name) => world.node(name))
    const people = Array.from({ length: 20 }, (_, i) => ({ app: ONE, userId: `user ${i}` as UserId }))
    world.network.suffer({ dropped: 0.3, doubled: 0.3, reordered: 0.3, delayMs: 3_000 })
    const isHere = new Map<string, boolean>()
    for (let i = 0; i < 300; i++) {
      const [node, person] = [world.chance.below(3), world.chance.below(20)]
      const now = world.chance.number() < 0.6
      isHere.set(`${node} ${person}`, now)
      nodes[node]!.people.own({ ...people[person]!, ...(now ? here : gone) })
      await world.clock.advance(world.chance.below(200))
    }
    world.network.suffer({})
    await world.clock.advance(15_000)
    for (const { people: known } of nodes) {
      for (const [i, person] of people.entries()) {
        const isAnywhere = [0, 1, 2].some((node) => isHere.get(`${node} ${i}`))
        expect([person.userId, known.of(person).isHere]).toEqual([person.userId, isAnywhere])
      }
    }
  })
})

describe('38 when their node dies', () => {
  it('they are gone and have finished typing within 45 s, and nothing that is late brings them back', async () => {
    const world = new World()
    const [a, b] = [world.node('a'), world.node('b')]
    await world.clock.advance(10)
    a.people.own({ ...ada, ...here })
    b.people.own({ ...ben, ...here })
    a.people.type(typing)
    await world.clock.advance(10)
    expect(b.typed).toEqual(['ada started'])
    // Said right before the end, and long on the way.
    world.network.suffer({ delayMs: 100_000 })
    a.people.own({ ...ada, isHere: true, status: 'busy', at: 3 })
    a.people.type(typing)
    await world.clock.advance(1)
    world.network.suffer({})
    await a.stop()
    await world.clock.advance(45_000)
    expect(b.changed).toEqual(['ben here', 'ada here', 'ada gone'])
    expect(b.typed).toEqual(['ada started', 'ada finished'])
    await world.clock.advance(120_000)
    expect(b.people.of(ada).isHere).toBe(false)
    expect(b.typed).toEqual(['ada started', 'ada finished'])
  })

  it('and it was only asleep, they are back once it says so itself', async () => {
    const world = new World()
    const [a, b] = [world.node('a'), world.node('b')]
    await world.clock.advance(10)
    a.people.own({ ...ada, ...here })
    b.people.own({ ...ben, ...here })
    await world.clock.advance(3_000)
    a.clock.isPaused = true
    await world.clock.advance(60_000)
    expect(b.changed).toEqual(['ben here', 'ada here', 'ada gone'])
    a.clock.isPaused = false
    await world.clock.advance(5_000)
    expect(b.changed.slice(3)).toEqual(['ada here'])
    expect(a.changed).toEqual(['ada here', 'ben here'])
  })
})

it('whose node says good-bye have finished typing at once, and are gone', async () => {
  const world = new World()
  const [a, b] = [world.node('a'), world.node('b')]
  await world.clock.advance(10)
  a.people.own({ ...ada, ...here })
  a.people.type(typing)
  await world.clock.advance(10)
  await a.exchange.close()
  await world.clock.advance(10)
  expect([b.typed, b.changed]).toEqual([
    ['ada started', 'ada finished'],
    ['ada here', 'ada gone'],
  ])
})

it('who came and went while the bus was away is known soon after', async () => {
  const world = new World()
  const [a, b] = [world.node('a'), world.node('b')]
  await world.clock.advance(10)
  b.people.own({ ...ben, ...here })
  await world.clock.advance(10)
  a.bus.cut()
  a.people.own({ ...ada, ...here })
  b.people.own({ ...ben, ...gone })
  await world.clock.advance(10_000)
  a.bus.heal()
  await world.clock.advance(8_000)
  expect([a.people.of(ben).isHere, b.people.of(ada).isHere]).toEqual([false, true])
})

it('who said nothing more has finished typing', async () => {
  const world = new World()
  const [a, b] = [world.node('a'), world.node('b')]
  await world.clock.advance(10)
  a.people.type(typing)
  await world.clock.advance(31_500)
  expect(b.typed).toEqual(['ada started', 'ada finished'])
})
