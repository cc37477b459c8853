import type { UserId } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { Cluster, Device } from '../../test/bus-cluster.ts'
import { chatId } from '../../test/bus-store.ts'

const [ada, ben, cleo] = ['ada', 'ben', 'cleo'] as unknown as [UserId, UserId, UserId]
const [TWO, OTHERS, ALL] = [chatId(1), chatId(2), chatId(3)]

/** Ada at the first node, Ben at the second, Cleo not yet. */
async function three(options: { readonly capacity?: number; readonly third?: 'new' | 'old' } = {}) {
  const cluster = new Cluster(1, options.capacity)
  cluster.create(TWO, [ada, ben])
  cluster.create(OTHERS, [ada, cleo])
  cluster.create(ALL, [ada, ben, cleo])
  const [a, b, c] = [cluster.start(), cluster.start(), cluster.start(options.third)]
  const devices = [ada, ben, cleo].map((userId) => new Device(cluster, userId)) as [Device, Device, Device]
  await cluster.clock.advance(8_000)
  devices[0].come(a, 5)
  devices[1].come(b, 5)
  await cluster.clock.advance(3_000)
  const polls = () => cluster.nodes.reduce((sum, { follower }) => sum + follower.counts.polls, 0)
  const heard = () => [a, b, c].map(({ bus }) => bus.counts.received)
  const missing = () => devices.flatMap((device) => (device.isConnected ? device.missing() : []))
  return { cluster, a, b, c, devices, polls, heard, missing }
}

describe('in fine weather', () => {
  it('a commit is heard by the nodes at which somebody is concerned, and by no others', async () => {
    const { cluster, a, heard, missing } = await three()
    const before = heard()
    a.send(TWO, TWO, TWO)
    await cluster.clock.advance(10)
    expect(heard().map((count, n) => count - before[n]!)).toEqual([0, 1, 0])
    a.send(OTHERS)
    await cluster.clock.advance(10)
    expect(heard().map((count, n) => count - before[n]!)).toEqual([0, 1, 0])
    expect(missing()).toEqual([])
    expect(cluster.store.readCount).toBe(0)
  })

  it('whoever comes is told what is committed from then on, and nobody looks into the store for it', async () => {
    const { cluster, a, c, devices, polls, missing } = await three()
    const before = polls()
    devices[2].come(c, 5)
    await cluster.clock.advance(50)
    a.send(OTHERS, ALL)
    await cluster.clock.advance(10)
    expect([missing(), polls() - before, cluster.store.readCount]).toEqual([[], 0, 0])
  })

  it('whoever leaves is not told any more, and who comes back later is told what follows', async () => {
    const { cluster, a, c, devices, heard, missing } = await three()
    devices[2].come(c, 5)
    await cluster.clock.advance(50)
    a.send(OTHERS)
    await cluster.clock.advance(50)
    devices[2].leave()
    await cluster.clock.advance(50)
    const before = heard()[2]
    a.send(OTHERS, OTHERS)
    await cluster.clock.advance(50)
    expect(heard()[2]).toBe(before)
    await cluster.clock.advance(1_000)
    devices[2].come(c, 5)
    await cluster.clock.advance(50)
    a.send(OTHERS)
    await cluster.clock.advance(1)
    expect([missing(), cluster.store.readCount]).toEqual([[], 0])
  })
})

describe('what was committed before it was known that somebody came', () => {
  it('is said as soon as it is known, before what follows, and read by one node alone', async () => {
    const { cluster, a, c, devices, polls, missing } = await three()
    const before = polls()
    cluster.network.suffer({ delayMs: 1 })
    devices[2].come(c, 0)
    await cluster.clock.advance(0)
    for (let n = 0; n < 5; n++) a.send(OTHERS, ALL, TWO)
    await cluster.clock.advance(5)
    a.send(OTHERS)
    await cluster.clock.advance(200)
    expect([missing(), polls() - before]).toEqual([[], 0])
    expect(cluster.store.readCount).toBeLessThanOrEqual(4)
  })

  it('and is more than is remembered, is looked up', async () => {
    const { cluster, a, c, devices, polls, missing } = await three({ capacity: 4 })
    const before = polls()
    cluster.network.suffer({ delayMs: 1 })
    devices[2].come(c, 0)
    await cluster.clock.advance(0)
    for (let n = 0; n < 5; n++) a.send(OTHERS, ALL, TWO)
    await cluster.clock.advance(3_000)
    expect(missing()).toEqual([])
    expect(polls() - before).toBeGreaterThan(0)
  })

  it('though that they came was lost, is told within seconds', async () => {
    const { cluster, a, c, devices, missing } = await three()
    cluster.network.suffer({ dropped: 1 })
    devices[2].come(c, 0)
    await cluster.clock.advance(1)
    cluster.network.suffer({})
    a.send(OTHERS)
    await cluster.clock.advance(5_000)
    expect(missing()).toEqual([])
  })
})

describe('a node that is not known as it should be', () => {
  it('is told everything: it is of the version before', async () => {
    const { cluster, a, b, c, devices, missing } = await three({ third: 'old' })
    devices[2].come(c, 5)
    await cluster.clock.advance(0)
    a.send(OTHERS, ALL)
    await cluster.clock.advance(10)
    expect(missing()).toEqual([])
    c.send(OTHERS, ALL)
    b.send(ALL)
    await cluster.clock.advance(10)
    expect([missing(), cluster.store.readCount]).toEqual([[], 0])
    // It is replaced, and from then on nodes hear what concerns them.
    await c.drain()
    const next = cluster.start()
    await cluster.clock.advance(6_000)
    devices[2].come(next, 5)
    await cluster.clock.advance(3_000)
    const before = next.bus.counts.received
    a.send(TWO)
    await cluster.clock.advance(10)
    expect([missing(), next.bus.counts.received - before]).toEqual([[], 0])
  })

  it('is told everything: it came a moment ago', async () => {
    const { cluster, a, devices, missing } = await three()
    const next = cluster.start()
    await cluster.clock.advance(100)
    devices[2].come(next, 0)
    await cluster.clock.advance(0)
    a.send(OTHERS)
    await cluster.clock.advance(100)
    expect(missing()).toEqual([])
  })

  it('is held for dead while it hears the others well: it notices, and looks into the store', async () => {
    const { cluster, a, b, c, devices, missing } = await three()
    devices[2].come(c, 5)
    await cluster.clock.advance(1_000)
    c.isMute = true
    await cluster.clock.advance(34_000)
    // The verdict itself does not reach it.
    c.isDeaf = true
    await cluster.clock.advance(6_000)
    c.isDeaf = false
    expect(a.exchange.others).not.toContainEqual(c.exchange.own)
    a.send(OTHERS)
    b.send(ALL)
    await cluster.clock.advance(9_000)
    expect([missing(), c.exchange.isReliable]).toEqual([[], false])
    c.isMute = false
    await cluster.clock.advance(12_000)
    const reads = cluster.store.readCount
    a.send(OTHERS)
    await cluster.clock.advance(10)
    expect([missing(), c.exchange.isReliable, cluster.store.readCount]).toEqual([[], true, reads])
  })
})

it('who slept through it all comes back to what it missed', async () => {
  const { cluster, a, c, devices, missing } = await three()
  devices[2].come(c, 5)
  await cluster.clock.advance(1_000)
  c.time.isPaused = true
  c.isDeaf = true
  for (let n = 0; n < 50; n++) {
    a.send(OTHERS)
    await cluster.clock.advance(1_000)
  }
  c.isDeaf = false
  c.time.isPaused = false
  await cluster.clock.advance(5_000)
  expect(missing()).toEqual([])
})
