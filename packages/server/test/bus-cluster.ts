/** Nodes that tell each other what concerns their people, on one store, and devices that come to them and go. */
import type { UserId, Uuid } from '@parley/protocol'
import { SeededChance, VirtualClock } from '@parley/testkit'
import type { Bus } from '../src/bus/bus.ts'
import { Exchange } from '../src/bus/exchange.ts'
import { Follower } from '../src/bus/follower.ts'
import { Interest } from '../src/bus/interest.ts'
import { type MemoryBus, MemoryBusNetwork } from '../src/bus/memory/memory-bus.ts'
import type { Commit } from '../src/bus/messages.ts'
import { People } from '../src/bus/people.ts'
import type { AppKey } from '../src/model/state.ts'
import { Pausable } from './bus-nodes.ts'
import { SharedStore, shape } from './bus-store.ts'

const ONE = 1 as AppKey

/** How a node takes part: by this rule, or as the version before did, which told and heard everything. */
export type Version = 'new' | 'old'

export class Cluster {
  readonly clock = new VirtualClock()
  readonly chance: SeededChance
  readonly network: MemoryBusNetwork
  readonly store = new SharedStore(this.clock)
  readonly chats = new Map<Uuid, readonly UserId[]>()
  readonly nodes: ClusterNode[] = []
  /** How long after its commit each device was told of each message it was there for. */
  readonly delays: number[] = []
  #started = 0

  /** Moves each node remembers for those who come elsewhere. */
  readonly capacity: number

  constructor(seed = 1, capacity = 4_096) {
    this.capacity = capacity
    this.chance = new SeededChance(seed)
    this.network = new MemoryBusNetwork({ clock: this.clock, chance: this.chance.number })
  }

  create(id: Uuid, audience: readonly UserId[]): void {
    this.chats.set(id, audience)
    this.store.create(id, audience)
  }

  start(version: Version = 'new', name = `node-${this.#started}`): ClusterNode {
    this.#started += 1
    const node = new ClusterNode(this, name, version)
    this.nodes.push(node)
    return node
  }
}

export class ClusterNode {
  readonly bus: MemoryBus
  readonly exchange: Exchange
  readonly follower: Follower<Commit>
  readonly time: Pausable
  /** What it publishes goes nowhere, and nobody notices. */
  isMute = false
  /** What others publish does not arrive, and nobody notices. */
  isDeaf = false
  readonly #cluster: Cluster
  readonly #people: People
  readonly #interest: Interest | undefined
  readonly #devices = new Map<UserId, Set<Device>>()
  readonly #since = new Map<UserId, number>()

  constructor(cluster: Cluster, name: string, version: Version) {
    const { clock, chance, store } = cluster
    this.#cluster = cluster
    this.bus = cluster.network.join()
    this.time = new Pausable(clock)
    const log = () => undefined
    const soon = (callback: () => void) => void this.time.after(0, callback)
    const parts = { clock: this.time, elapsed: clock.now, log, soon, chance: chance.number }
    this.exchange = new Exchange({ ...parts, bus: this.#leaky(), secret: 'secret', node: name })
    this.follower = new Follower<Commit>({
      ...{ ...parts, exchange: this.exchange, cursor: store.cursor },
      store: {
        moved: (after, limit) => store.moved(after, limit),
        read: (stream, after) => store.read(name, stream, after),
      },
      listeningSince: (app, userId) => (app === ONE ? this.#since.get(userId) : undefined),
      audienceOf: () => undefined,
      tell: (telling) => {
        const { id, after, sequence } = shape(telling)
        for (const userId of cluster.chats.get(id) ?? []) {
          for (const device of this.#devices.get(userId) ?? []) device.tell(id, after, sequence)
        }
      },
    })
    this.#people = new People({ ...parts, exchange: this.exchange, changed: () => undefined, typing: () => undefined })
    if (version === 'new') {
      const nodesOf = (app: AppKey, userId: UserId) => this.#people.nodesOf(app, userId)
      this.#interest = new Interest({ ...parts, exchange: this.exchange, nodesOf, capacity: cluster.capacity })
    }
  }

  /** Somebody writes, wherever they are. */
  send(...ids: readonly Uuid[]): void {
    this.follower.committed(ids.map((id) => this.#cluster.store.send(id)))
  }

  add(userId: UserId, device: Device): void {
    const devices = this.#devices.get(userId) ?? new Set()
    this.#devices.set(userId, devices.add(device))
    if (devices.size > 1) return
    this.#since.set(userId, this.#cluster.clock.now())
    this.#people.own({ app: ONE, userId, isHere: true, status: null, at: 1 + this.#cluster.clock.now() })
  }

  remove(userId: UserId, device: Device): void {
    const devices = this.#devices.get(userId)
    if (!devices?.delete(device) || devices.size > 0) return
    this.#since.delete(userId)
    this.#people.own({ app: ONE, userId, isHere: false, status: null, at: 1 + this.#cluster.clock.now() })
  }

  /** Dies without a word. */
  async kill(): Promise<void> {
    this.#cluster.nodes.splice(this.#cluster.nodes.indexOf(this), 1)
    for (const devices of this.#devices.values()) for (const device of [...devices]) device.leave()
    this.time.isPaused = true
    this.follower.close()
    this.#people.close()
    this.#interest?.close()
    await this.bus.close()
  }

  /** Its devices go elsewhere, then it says good-bye. */
  async drain(): Promise<void> {
    for (const devices of this.#devices.values()) for (const device of [...devices]) device.leave()
    this.#cluster.nodes.splice(this.#cluster.nodes.indexOf(this), 1)
    this.follower.close()
    this.#people.close()
    this.#interest?.close()
    await this.exchange.close()
    await this.bus.close()
  }

  #leaky(): Bus {
    const { bus } = this
    const isDeaf = () => this.isDeaf
    return {
      get state() {
        return bus.state
      },
      counts: bus.counts,
      publish: (channel, payload) => {
        if (!this.isMute) bus.publish(channel, payload)
      },
      subscribe: (channel, hear) => bus.subscribe(channel, (payload) => isDeaf() || hear(payload)),
      watch: (watcher) => bus.watch(watcher),
      flush: () => bus.flush(),
      close: () => bus.close(),
    }
  }
}

/**
 * Somebody's device. It never helps itself: what comes after a gap passes it by. When it comes back it asks for what moved
 * after the last cursor it was given, and for nothing else.
 */
export class Device {
  readonly userId: UserId
  readonly have = new Map<Uuid, number>()
  readonly #cluster: Cluster
  #cursor = 0
  #node: ClusterNode | undefined
  #hasLooked = false

  constructor(cluster: Cluster, userId: UserId) {
    this.#cluster = cluster
    this.userId = userId
  }

  get isConnected(): boolean {
    return this.#node !== undefined
  }

  /** @param lookMs how long it takes until it has looked into the store */
  come(node: ClusterNode, lookMs: number): void {
    this.leave()
    this.#node = node
    this.#hasLooked = false
    node.add(this.userId, this)
    this.#cluster.clock.after(lookMs, () => {
      if (this.#node === node && !this.#hasLooked) this.#look()
    })
  }

  leave(): void {
    this.#node?.remove(this.userId, this)
    this.#node = undefined
  }

  /** What is told while it looks is older than what it finds. */
  tell(id: Uuid, after: number, sequence: number): void {
    const have = this.have.get(id) ?? 0
    if (!this.#hasLooked || after > have) return
    const { store, clock, delays } = this.#cluster
    for (let n = have + 1; n <= sequence; n++) delays.push(clock.now() - store.committedAt.get(`${id} ${n}`)!)
    this.have.set(id, Math.max(have, sequence))
    this.#cursor = Math.max(this.#cursor, this.#node!.follower.confirmedCursor)
  }

  /** The chats of which it has not everything. */
  missing(): string[] {
    const { chats, store } = this.#cluster
    return [...chats].flatMap(([id, audience]) => {
      const have = this.have.get(id) ?? 0
      const isMissing = audience.includes(this.userId) && have !== store.head(id)
      return isMissing ? [`${this.userId} has ${have} of ${store.head(id)} of chat ${Number(id.slice(-4))}`] : []
    })
  }

  #look(): void {
    const { chats, store } = this.#cluster
    this.#hasLooked = true
    for (const [id, audience] of chats) {
      if (audience.includes(this.userId) && store.cursorOf(id) > this.#cursor) this.have.set(id, store.head(id))
    }
    this.#cursor = Math.max(this.#cursor, store.cursor)
  }
}
