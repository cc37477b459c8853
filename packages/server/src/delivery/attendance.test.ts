import type { UserId } from '@parley/protocol'
import { expect, it } from 'vitest'
import { TestNodes } from '../../test/bus-nodes.ts'
import { People } from '../bus/people.ts'
import type { AppKey } from '../model/state.ts'
import { Attendance } from './attendance.ts'
import type { ListeningWatcher } from './delivery.ts'

const APP = 1 as AppKey
const ada = 'ada' as UserId

/** Whoever is connected to one server. */
class Connected {
  readonly #here = new Set<UserId>()
  #watcher: ListeningWatcher = () => undefined

  isListening = (_app: AppKey, userId: UserId) => this.#here.has(userId)

  watch = (watcher: ListeningWatcher) => {
    this.#watcher = watcher
    return () => true
  }

  comes(userId: UserId): void {
    this.#here.add(userId)
    this.#watcher(APP, userId, true)
  }

  goes(userId: UserId): void {
    this.#here.delete(userId)
    this.#watcher(APP, userId, false)
  }
}

function seen(attendance: Attendance) {
  const told: string[] = []
  attendance.watch((app, userId) => {
    const { isHere, status } = attendance.of(app, userId)
    told.push(`${userId} ${isHere ? (status ?? 'here') : 'gone'}`)
  })
  return told
}

class World extends TestNodes {
  server(name: string) {
    const node = this.start(name)
    const connected = new Connected()
    const attendance = new Attendance(connected, node.clock)
    const people = new People({
      ...{ exchange: node.exchange, clock: node.clock, elapsed: this.clock.now, chance: this.chance.number },
      changed: (names) => attendance.heard(names),
      typing: () => undefined,
    })
    attendance.join(people)
    return { ...node, connected, attendance, told: seen(attendance) }
  }

  async pass(ms = 10): Promise<void> {
    await this.clock.advance(ms)
  }
}

it('LAY-41 a server that is alone knows who is here and what they said, also when they come back', () => {
  let now = 1_000
  const connected = new Connected()
  const attendance = new Attendance(connected, { now: () => now })
  const told = seen(attendance)
  connected.comes(ada)
  attendance.say(APP, ada, 'busy')
  attendance.say(APP, ada, 'busy')
  now = 2_000
  connected.goes(ada)
  expect(attendance.of(APP, ada)).toEqual({ isHere: false, status: 'busy', seenAt: 2_000, changedAt: 2_000 })
  connected.comes(ada)
  expect(told).toEqual(['ada here', 'ada busy', 'ada gone', 'ada busy'])
  expect(attendance.of(APP, 'nobody' as UserId)).toEqual({ isHere: false, status: null, seenAt: 0, changedAt: 0 })
})

it('LAY-41 whoever comes, says something and goes at one server is seen at the other', async () => {
  const world = new World()
  const [a, b] = [world.server('a'), world.server('b')]
  await world.pass()
  a.connected.comes(ada)
  await world.pass()
  a.attendance.say(APP, ada, 'away')
  await world.pass()
  a.connected.goes(ada)
  await world.pass()
  const wanted = ['ada here', 'ada away', 'ada gone']
  expect([a.told, b.told]).toEqual([wanted, wanted])
  expect(b.attendance.of(APP, ada).seenAt).toBe(a.attendance.of(APP, ada).seenAt)
})

it('LAY-41 whoever is at two servers and leaves one is not told of, and neither is their coming to the second', async () => {
  const world = new World()
  const [a, b] = [world.server('a'), world.server('b')]
  await world.pass()
  a.connected.comes(ada)
  await world.pass()
  b.connected.comes(ada)
  await world.pass()
  a.connected.goes(ada)
  await world.pass()
  expect([a.told, b.told]).toEqual([['ada here'], ['ada here']])
  expect([a, b].map(({ attendance }) => attendance.of(APP, ada).isHere)).toEqual([true, true])
})

it('LAY-41 what was said at one server holds at the other, also when the first is left', async () => {
  const world = new World()
  const [a, b] = [world.server('a'), world.server('b')]
  await world.pass()
  b.connected.comes(ada)
  a.connected.comes(ada)
  await world.pass()
  b.attendance.say(APP, ada, 'away')
  await world.pass()
  a.attendance.say(APP, ada, 'busy')
  await world.pass()
  a.connected.goes(ada)
  await world.pass()
  expect([a, b].map(({ attendance }) => attendance.of(APP, ada).status)).toEqual(['busy', 'busy'])
  b.connected.goes(ada)
  await world.pass()
  b.connected.comes(ada)
  await world.pass()
  expect([a.told.at(-1), b.told.at(-1)]).toEqual(['ada busy', 'ada busy'])
  // Nobody talks on about it: what is said from here on are signs of life.
  const { said } = b.exchange.counts
  await world.pass(20_000)
  expect(b.exchange.counts.said - said).toBeLessThanOrEqual(11)
})

it('LAY-41 what was said at a server that was left is known to one that comes later', async () => {
  const world = new World()
  const [a, b] = [world.server('a'), world.server('b')]
  await world.pass()
  b.connected.comes(ada)
  b.attendance.say(APP, ada, 'away')
  a.connected.comes(ada)
  await world.pass()
  a.attendance.say(APP, ada, 'busy')
  await world.pass()
  a.connected.goes(ada)
  await a.stop()
  const c = world.server('c')
  await world.pass(7_000)
  expect(c.told).toEqual(['ada busy'])
})

it('LAY-41 who comes back to a server that missed what they said does not unsay it', async () => {
  const world = new World()
  const [a, b] = [world.server('a'), world.server('b')]
  await world.pass()
  a.connected.comes(ada)
  b.connected.comes(ada)
  b.attendance.say(APP, ada, 'away')
  await world.pass()
  b.bus.cut()
  a.attendance.say(APP, ada, 'busy')
  await world.pass()
  b.connected.goes(ada)
  await world.pass()
  b.connected.comes(ada)
  await world.pass(10_000)
  b.bus.heal()
  await world.pass(10_000)
  expect([a, b].map(({ attendance }) => attendance.of(APP, ada).status)).toEqual(['busy', 'busy'])
})

it('LAY-41 what is said later counts, whoever hears of it first', async () => {
  const world = new World(3)
  const [a, b] = [world.server('a'), world.server('b')]
  await world.pass()
  a.connected.comes(ada)
  b.connected.comes(ada)
  await world.pass()
  const statuses = ['away', 'busy', 'invisible', 'available']
  let last = ''
  for (let n = 0; n < 200; n++) {
    world.network.suffer({ delayMs: 50, reordered: 0.5, doubled: 0.3 })
    const server = world.chance.below(2) === 0 ? a : b
    last = statuses[world.chance.below(4)]!
    server.attendance.say(APP, ada, last)
    await world.pass(1 + world.chance.below(60))
  }
  world.network.suffer({})
  await world.pass(10_000)
  expect([a, b].map(({ attendance }) => attendance.of(APP, ada).status)).toEqual([last, last])
})

it('38 a server that dies takes its people with it, but not those who are elsewhere as well', async () => {
  const world = new World()
  const [a, b] = [world.server('a'), world.server('b')]
  await world.pass()
  a.connected.comes(ada)
  a.connected.comes('ben' as UserId)
  b.connected.comes('ben' as UserId)
  await world.pass()
  await a.stop()
  await world.pass(45_000)
  expect(b.told).toEqual(['ben here', 'ada here', 'ada gone'])
  expect(b.attendance.of(APP, 'ben' as UserId).isHere).toBe(true)
})
