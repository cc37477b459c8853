import type { UserId, Uuid } from '@parley/protocol'
import { SeededChance, VirtualClock } from '@parley/testkit'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { chatId, Ears, SharedStore, shape } from '../../test/bus-store.ts'
import type { AppKey } from '../model/state.ts'
import type { Committed } from '../operations/committed.ts'
import type * as Store from '../store/store.ts'
import { encodeBatch } from './batch-text.ts'
import { type Bus, MAX_PAYLOAD_BYTES } from './bus.ts'
import { Exchange } from './exchange.ts'
import { Follower, type StoredRow, type StreamRead } from './follower.ts'
import { READ_EVERY_MS } from './hint-reader.ts'
import { MemoryBusNetwork } from './memory/memory-bus.ts'
import type { Commit, CommitHint, NodeMessage } from './messages.ts'
import { Seal } from './seal.ts'
import { inWords } from './words.ts'

const ONE = 1 as AppKey
const SECRET = 'the secret of the store'
class World {
  readonly clock = new VirtualClock()
  readonly chance: SeededChance
  readonly network: MemoryBusNetwork
  readonly store = new SharedStore(this.clock)
  #joined = 0

  constructor(seed = 1) {
    this.chance = new SeededChance(seed)
    this.network = new MemoryBusNetwork({ clock: this.clock, chance: this.chance.number })
  }

  join(users: readonly UserId[]) {
    const { clock, store } = this
    const bus = this.network.join()
    const log = () => undefined
    const soon = (callback: () => void) => void clock.after(0, callback)
    const node = `node-${this.#joined++}`
    const exchange = new Exchange({ bus, clock, elapsed: clock.now, secret: SECRET, node, log, soon })
    const ears = new Ears()
    const follower: Follower<Commit> = new Follower<Commit>({
      ...{ exchange, clock, elapsed: clock.now, chance: this.chance.number, log, cursor: store.cursor },
      store: {
        moved: (after, limit) => store.moved(after, limit),
        read: (name, after) => store.read(node, name, after),
      },
      listeningSince: (app, userId) => (app === ONE && users.includes(userId) ? 0 : undefined),
      audienceOf: () => [],
      tell: (telling) => {
        const { id, after, sequence, rows } = shape(telling)
        ears.hear(store, clock.now(), id, after, sequence, rows)
      },
    })
    const send = (...ids: Uuid[]) => follower.committed(ids.map((id) => store.send(id)))
    return { bus, exchange, follower, ears, send }
  }
}

const user = (n: number) => `user ${n}` as UserId

/** Three nodes with a user each, ten chats among them. */
function threeNodes(seed?: number) {
  const world = new World(seed)
  const chats = Array.from({ length: 10 }, (_, i) => chatId(i + 1))
  for (const [i, id] of chats.entries()) world.store.create(id, [user(i % 3), user((i + 1) % 3)])
  const nodes = [0, 1, 2].map((n) => world.join([user(n)]))
  const incomplete = () =>
    chats.flatMap((id, i) =>
      [i % 3, (i + 1) % 3].flatMap((n) =>
        (nodes[n]!.ears.have.get(id) ?? 0) === world.store.head(id) ? [] : [`node ${n} chat ${i}`],
      ),
    )
  return { world, chats, nodes, incomplete }
}

const delaysOf = (nodes: readonly { readonly ears: Ears }[]) =>
  nodes.flatMap(({ ears }) => ears.delays).sort((a, b) => a - b)

it('takes what the lane commits and the store reads, as they are', () => {
  expectTypeOf<Committed>().toExtend<Commit>()
  expectTypeOf<Store.StreamRow>().toExtend<StoredRow>()
  expectTypeOf<Store.InboxPage['rows']>().toExtend<Extract<StreamRead, { stream: 'inbox' }>['rows']>()
  expectTypeOf<CommitHint>().toExtend<NodeMessage>()
})

describe('in fine weather', () => {
  it('what one node commits is told at all, without a look at the store', async () => {
    const { world, chats, nodes, incomplete } = threeNodes()
    await world.clock.advance(2_000)
    for (let i = 0; i < 200; i++) {
      nodes[i % 3]!.send(chats[i % 10]!, chats[(i * 7) % 10]!)
      await world.clock.advance(10)
    }
    expect(incomplete()).toEqual([])
    expect(world.store.readCount).toBe(0)
    expect(Math.max(...delaysOf(nodes))).toBeLessThan(10)
    expect(nodes.every(({ follower }) => !follower.isDegraded)).toBe(true)
    // Chats of others concern nobody here.
    expect(nodes[0]!.follower.counts.notOurs).toBeGreaterThan(0)
    expect(nodes.map(({ ears }) => ears.strange)).toEqual([0, 0, 0])
  })

  it('a batch of commits is one message on the bus', async () => {
    const { world, chats, nodes } = threeNodes()
    await world.clock.advance(2_000)
    const before = nodes[0]!.bus.counts.published
    nodes[0]!.send(...chats, ...chats)
    await world.clock.advance(1)
    expect(nodes[0]!.bus.counts.published).toBe(before + 1)
  })

  it('the cursor that devices may remember follows what was told', async () => {
    const { world, chats, nodes } = threeNodes()
    await world.clock.advance(2_000)
    nodes[0]!.send(chats[0]!)
    await world.clock.advance(40_000)
    expect(nodes.map(({ follower }) => follower.confirmedCursor)).toEqual([1, 1, 1])
  })
})

describe('32 hints dropped, doubled, reordered and late', () => {
  it('every listener is told everything, in order, within seconds', async () => {
    const { world, chats, nodes, incomplete } = threeNodes(32)
    world.network.suffer({ dropped: 0.3, doubled: 0.3, reordered: 0.3, delayMs: 5_000 })
    world.store.latencyMs = () => 1 + world.chance.below(80)
    for (let i = 0; i < 300; i++) {
      world.chance.pick(nodes).send(world.chance.pick(chats))
      await world.clock.advance(world.chance.below(100))
    }
    await world.clock.advance(8_000)
    expect(incomplete()).toEqual([])
    expect(nodes.map(({ ears }) => ears.strange)).toEqual([0, 0, 0])
    const delays = delaysOf(nodes)
    expect(delays[delays.length - 1]).toBeLessThan(5_000)
    const { counts } = nodes[0]!.exchange
    expect(Math.min(counts.missing, counts.repeated)).toBeGreaterThan(10)
  })

  it('the very last hint of all is lost: found out by the next sign of life', async () => {
    const { world, chats, nodes, incomplete } = threeNodes()
    await world.clock.advance(2_000)
    nodes[0]!.send(chats[0]!)
    await world.clock.advance(100)
    world.network.suffer({ dropped: 1 })
    nodes[0]!.send(chats[0]!)
    await world.clock.advance(1)
    world.network.suffer({})
    await world.clock.advance(6_000)
    expect(incomplete()).toEqual([])
  })
})

describe('29 the bus is away', () => {
  it('for all: what others commit is told within 5 s, and all is as before once it is back', async () => {
    const { world, chats, nodes, incomplete } = threeNodes()
    await world.clock.advance(2_000)
    for (const { bus } of nodes) bus.cut()
    expect(nodes.every(({ follower }) => follower.isDegraded)).toBe(true)
    for (let i = 0; i < 60; i++) {
      nodes[i % 3]!.send(chats[i % 10]!)
      await world.clock.advance(1_000)
    }
    const away = delaysOf(nodes)
    expect(away[away.length - 1]).toBeLessThan(5_000)
    for (const { bus } of nodes) bus.heal()
    await world.clock.advance(3_000)
    expect(incomplete()).toEqual([])
    expect(nodes.every(({ follower }) => !follower.isDegraded)).toBe(true)
    const reads = world.store.readCount
    for (let i = 0; i < 30; i++) {
      nodes[i % 3]!.send(chats[i % 10]!)
      await world.clock.advance(100)
    }
    expect(incomplete()).toEqual([])
    expect(world.store.readCount).toBe(reads)
  })

  it('for one, silently: it hears nobody any more, notices, and looks into the store', async () => {
    const { world, chats, nodes, incomplete } = threeNodes()
    await world.clock.advance(10_000)
    // Nothing arrives anywhere, and nobody was told that they are cut off.
    world.network.suffer({ dropped: 1 })
    nodes[0]!.send(chats[0]!)
    await world.clock.advance(22_000)
    expect(incomplete()).toEqual([])
    expect(nodes[1]!.exchange.isReliable).toBe(false)
    nodes[0]!.send(chats[0]!)
    await world.clock.advance(5_000)
    expect(incomplete()).toEqual([])
  })

  it('and so is the store: it is asked until it answers, and no cursor is told too early', async () => {
    const { world, chats, nodes, incomplete } = threeNodes()
    await world.clock.advance(2_000)
    for (const { bus } of nodes) bus.cut()
    nodes[0]!.send(chats[0]!)
    world.store.isAway = true
    await world.clock.advance(20_000)
    expect(nodes[1]!.follower.confirmedCursor).toBe(0)
    expect(nodes[1]!.follower.counts.failedPolls).toBeGreaterThan(5)
    world.store.isAway = false
    await world.clock.advance(8_000)
    expect(incomplete()).toEqual([])
    expect(nodes[1]!.follower.confirmedCursor).toBe(1)
  })

  it('the cursor waits until what was found is read as well', async () => {
    const { world, chats, nodes } = threeNodes()
    await world.clock.advance(2_000)
    for (const { bus } of nodes) bus.cut()
    nodes[0]!.send(chats[0]!)
    const { read } = world.store
    world.store.read = async () => {
      throw new Error('away')
    }
    await world.clock.advance(10_000)
    expect(nodes[1]!.ears.have.get(chats[0]!)).toBe(undefined)
    expect(nodes[1]!.follower.confirmedCursor).toBe(0)
    // Nobody there is concerned.
    expect(nodes[2]!.follower.confirmedCursor).toBe(1)
    world.store.read = read
    await world.clock.advance(8_000)
    expect(nodes[1]!.follower.confirmedCursor).toBe(1)
  })
})

describe('33 hostile hints', () => {
  const encode = (text: string) => new TextEncoder().encode(text)
  const closest = (world: World) => {
    const pauses = [...world.store.reads.values()].flatMap((times) => times.slice(1).map((at, i) => at - times[i]!))
    return Math.min(...pauses)
  }

  it('of who does not know the secret are ignored and counted', async () => {
    const { world, chats, nodes, incomplete } = threeNodes()
    const intruder: Bus = world.network.join()
    await world.clock.advance(2_000)
    const { follower, exchange } = nodes[1]!
    const before = { ...follower.counts }
    const life = { node: 'node-0', incarnation: 9 }
    const forged = new Seal('a guess').seal('changes.0', encodeBatch(life, 1, [inWords({ type: 'leaving' })]))
    const other = Uint8Array.from(forged)
    other[1] = 9
    for (const payload of [
      encode('garbage'),
      encode('x'.repeat(100)),
      forged,
      other,
      new Uint8Array(MAX_PAYLOAD_BYTES),
    ]) {
      intruder.publish('changes.0', payload)
      intruder.publish('nodes', payload)
    }
    await world.clock.advance(100)
    expect(exchange.counts).toMatchObject({ malformed: 6, forged: 2, 'other-version': 2 })
    expect(follower.counts).toEqual(before)
    nodes[0]!.send(chats[0]!)
    await world.clock.advance(100)
    expect(incomplete()).toEqual([])
  })

  it('of who does know it make no storm of reads, and nobody is told what is not so', async () => {
    const { world, chats, nodes, incomplete } = threeNodes()
    const bus = world.network.join()
    const seal = new Seal(SECRET)
    await world.clock.advance(2_000)
    for (const id of chats) nodes[0]!.send(id)
    await world.clock.advance(1_000)
    let number = 0
    const say = (hint: object) => {
      number += 1
      const text = encodeBatch({ node: 'liar', incarnation: 1 }, number, [inWords(hint)])
      bus.publish('changes.0', seal.seal('changes.0', text))
    }
    const hint = (id: Uuid, after: number, sequence: number, app = 1) => ({
      ...{ type: 'committed', app, actor: null, operation: 'send-message', cursor: 1, at: 1 },
      moves: [{ stream: 'conversation', id, after, sequence, audience: [user(0), user(1), user(2)], rows: null }],
    })
    for (let i = 0; i < 400; i++) {
      say(hint(chats[0]!, 1_000_000 + i, 1_000_001 + i))
      say(hint(chats[1]!, 1_000_000 - i, 1_000_001 - i))
      say(hint(chatId(500 + (i % 3)), 5, 6))
      say(hint(chats[2]!, 5, 6, 2))
      await world.clock.advance(25)
    }
    expect(closest(world)).toBeGreaterThanOrEqual(READ_EVERY_MS)
    // Two of three nodes listen to each chat, all three take strange streams for theirs; 10 s of lies.
    expect(world.store.readCount).toBeLessThan(150)
    const { refuted, notOurs } = nodes[1]!.follower.counts
    expect(refuted + notOurs).toBeGreaterThan(400)
    expect(nodes.map(({ ears }) => ears.strange)).toEqual([0, 0, 0])
    for (const id of chats) nodes[2]!.send(id)
    await world.clock.advance(3_000)
    expect(incomplete()).toEqual([])
  })
})
