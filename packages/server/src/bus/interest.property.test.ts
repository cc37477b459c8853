import type { UserId } from '@parley/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cluster, Device } from '../../test/bus-cluster.ts'
import { chatId } from '../../test/bus-store.ts'

/**
 * A cluster in a storm: people come to its nodes, go, and write; what nodes say to each other is dropped, doubled,
 * reordered and late; nodes are cut off, with and without noticing, sleep, die, are drained and started anew, some of them
 * of the version before. Once the storm is over, every device must have everything, though it never looks for itself but
 * when it comes.
 */
const USERS = Array.from({ length: 5 }, (_, n) => `user ${n}` as UserId)
const CHATS = [
  [0, 1],
  [1, 2],
  [3, 4],
  [0, 3],
  [0, 1, 2, 3, 4],
].map((members, n) => [chatId(n + 1), members.map((member) => USERS[member]!)] as const)

const place = { node: fc.nat(2), user: fc.nat(4) }
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ type: fc.constant('send' as const), node: fc.nat(2), chat: fc.nat(4) }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('come' as const), ...place, lookMs: fc.nat(40) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('leave' as const), user: fc.nat(4) }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.nat(30) }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.integer({ min: 100, max: 3_000 }) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pass' as const), ms: fc.constant(45_000) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('weather' as const),
      dropped: fc.constantFrom(0, 0.1, 0.5),
      reordered: fc.constantFrom(0, 0.3),
      doubled: fc.constantFrom(0, 0.3),
      delayMs: fc.constantFrom(0, 20, 2_500),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('cut' as const, 'mute' as const, 'deafen' as const, 'pause' as const, 'mend' as const),
      node: fc.nat(2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom('kill' as const, 'drain' as const),
      node: fc.nat(2),
      version: fc.constantFrom('new' as const, 'new' as const, 'old' as const),
    }),
  },
)
const steps = fc.oneof(
  { weight: 2, arbitrary: fc.array(step, { minLength: 2, maxLength: 10 }) },
  { weight: 1, arbitrary: fc.array(step, { maxLength: 60 }) },
)
type Step = typeof step extends fc.Arbitrary<infer One> ? One : never

class Story {
  readonly cluster: Cluster
  readonly devices: readonly Device[]

  constructor(seed: number, capacity: number) {
    this.cluster = new Cluster(seed, capacity)
    for (const [id, audience] of CHATS) this.cluster.create(id, audience)
    for (let n = 0; n < 3; n++) this.cluster.start()
    this.devices = USERS.map((userId) => new Device(this.cluster, userId))
  }

  async tell(one: Step): Promise<void> {
    const { cluster } = this
    const node = 'node' in one ? cluster.nodes[one.node]! : undefined
    switch (one.type) {
      case 'send':
        // Whoever stands still commits nothing.
        if (!node!.time.isPaused) node!.send(CHATS[one.chat]![0])
        return
      case 'come':
        if (!node!.time.isPaused) this.devices[one.user]!.come(node!, one.lookMs)
        return
      case 'leave':
        this.devices[one.user]!.leave()
        return
      case 'pass':
        await cluster.clock.advance(one.ms)
        return
      case 'weather':
        cluster.network.suffer(one)
        return
      case 'cut':
        node!.bus.cut()
        return
      case 'mute':
        node!.isMute = true
        return
      case 'deafen':
        node!.isDeaf = true
        return
      case 'pause':
        node!.time.isPaused = true
        return
      case 'mend':
        this.mend(one.node)
        return
      default:
        await (one.type === 'kill' ? node!.kill() : node!.drain())
        cluster.start(one.version)
    }
  }

  mend(n: number): void {
    const node = this.cluster.nodes[n]!
    node.isMute = false
    node.isDeaf = false
    node.time.isPaused = false
    node.bus.heal()
  }

  /** All is well again, and stays so. */
  async settle(ms: number): Promise<void> {
    this.cluster.network.suffer({})
    for (const [n] of this.cluster.nodes.entries()) this.mend(n)
    await this.cluster.clock.advance(ms)
  }

  missing(): string[] {
    return this.devices.flatMap((device) => (device.isConnected ? device.missing() : []))
  }
}

test('32 whatever becomes of what nodes say, every device is told everything that concerns it', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.nat(1_000),
      fc.constantFrom(1, 3, 4_096),
      fc.boolean(),
      async (steps, seed, capacity, isCalmBefore) => {
        const story = new Story(seed, capacity)
        if (isCalmBefore) await story.cluster.clock.advance(8_000)
        for (const one of steps) await story.tell(one)
        await story.settle(12_000)
        expect(story.missing()).toEqual([])
      },
    ),
    { numRuns: 150, seed: 1 },
  )
}, 120_000)
