/** One process, a scripted server, any number of devices; nothing moves until the test moves it. */
import { FakeBrowser, FakeServer, type Page, SeededChance, settle, VirtualClock } from '@parley/testkit'
import { type ClientEvents, type ClientOptions, createClient } from '../src/index.ts'
import * as online from '../src/online.ts'
import { createMemoryStorage } from '../src/replica/memory/index.ts'
import type { Replica, ReplicaStorage } from '../src/replica/replica.ts'

export class World {
  readonly clock = new VirtualClock()
  readonly server = new FakeServer(this.clock)
  readonly #chance: SeededChance
  readonly #devices: Device[] = []
  /** Alice's, for tests of several tabs. */
  readonly browser = new FakeBrowser()
  readonly #disk = createMemoryStorage()

  constructor(seed = 1) {
    this.#chance = new SeededChance(seed)
  }

  /** A device of somebody. Not signed in yet. */
  device(userId: string, options: Partial<ClientOptions> & { readonly storage?: ReplicaStorage } = {}): Device {
    const device = new Device(this, userId, this.#chance, options)
    this.#devices.push(device)
    return device
  }

  /** A tab of Alice's browser. */
  tab(options: Partial<ClientOptions> = {}): Tab {
    const { clock, server } = this
    const world = { clock, storage: this.#disk, sockets: server.network.open, fetch: server.fetch }
    const { page, hint, options: ofPage } = this.browser.page(world)
    const tab = Object.assign(this.device('alice', { ...ofPage, ...options }), { page, hint })
    // The test looks at the disk, whatever becomes of the page.
    return Object.assign(tab, { replica: () => this.#disk.open('app') })
  }

  async signedIn(userId: string, options: Partial<ClientOptions> = {}): Promise<Device> {
    const device = this.device(userId, options)
    await this.finish(device.client.authenticate(userId))
    await this.flow()
    return device
  }

  /** Everything that can happen without time passing happens. */
  async flow(): Promise<void> {
    for (let quiet = 0; quiet < 2; ) {
      await settle(4)
      const moved = this.server.network.deliver() + this.browser.channels.deliver()
      quiet = moved === 0 ? quiet + 1 : 0
    }
  }

  /** Time passes, with everything it causes. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms
    await this.flow()
    while (this.clock.now() < end) {
      const next = Math.min(end, this.clock.nextAt ?? end)
      await this.clock.advance(Math.max(0, next - this.clock.now()))
      await this.flow()
    }
  }

  /** Waits for a call of the client's, moving the world as needed. */
  async finish<T>(call: Promise<T>): Promise<T> {
    let isDone = false
    const done = () => {
      isDone = true
    }
    call.then(done, done)
    for (let i = 0; i < 200 && !isDone; i++) {
      await this.flow()
      if (!isDone && i > 2) await this.pass(500)
    }
    if (!isDone) throw new Error('The call never settles.')
    return call
  }

  async close(): Promise<void> {
    for (const device of this.#devices) {
      const { page } = device as Partial<Tab>
      page?.thaw()
      // Nothing of a dead page ever ends.
      if (!page?.isDead) await device.client.close()
    }
  }
}

export interface Tab extends Device {
  readonly page: Page
  readonly hint: (hint?: 'sleep' | 'wake') => void
}

/** One installation of the app: its storage outlives the client, as a disk outlives a page. */
export class Device {
  readonly storage: ReplicaStorage
  /** How often the app was asked for a token. */
  asked: string[] = []
  /** What the app's authentication service answers. */
  answer: (nonce: string, signal: AbortSignal) => Promise<string | null>
  client: ReturnType<typeof createClient>
  readonly events: { readonly name: keyof ClientEvents; readonly event: unknown }[] = []
  readonly userId: string
  readonly #world: World
  readonly #chance: SeededChance
  readonly #options: Partial<ClientOptions>

  constructor(world: World, userId: string, chance: SeededChance, options: Partial<ClientOptions>) {
    this.#world = world
    this.userId = userId
    this.#chance = chance
    this.#options = options
    this.storage = options.storage ?? createMemoryStorage()
    this.answer = async (nonce) => world.server.tokenFor(this.userId, nonce)
    this.client = this.#start()
  }

  #start(): ReturnType<typeof createClient> {
    const { clock, server } = this.#world
    const client = createClient({
      appId: 'app',
      url: 'http://parley.test',
      challenge: ({ nonce, signal }) => {
        this.asked.push(nonce)
        return this.answer(nonce, signal)
      },
      sockets: server.network.open,
      fetch: server.fetch,
      clock,
      chance: this.#chance,
      hints: () => () => {},
      online: async () => online,
      ...this.#options,
      storage: this.storage,
    })
    const names: (keyof ClientEvents)[] = [
      'state',
      'connection',
      'challenge-failed',
      'renewed',
      'unsent',
      'deauthenticated',
      'operation-failed',
      'relabelled',
      'typing',
      'storage',
      'problem',
    ]
    for (const name of names) client.on(name, (event) => this.events.push({ name, event }))
    return client
  }

  heard<Name extends keyof ClientEvents>(name: Name): ClientEvents[Name][] {
    return this.events.filter((each) => each.name === name).map((each) => each.event as ClientEvents[Name])
  }

  /** The page is reloaded: the client starts again on the same storage. */
  async restart(): Promise<void> {
    await this.client.close()
    this.client = this.#start()
    await this.client.opened
  }

  /** The process dies: nothing is closed in order. The old client is cut off from its storage. */
  async crash(): Promise<void> {
    const old = this.client
    this.client = this.#start()
    await old.close()
    await this.client.opened
  }

  /** The local database, as a test looks at it. */
  replica(): Promise<Replica> {
    return this.storage.open('app')
  }

  /** How many rows the local database holds, besides the number of its latest owner. */
  async rows(): Promise<number> {
    const replica = await this.replica()
    const tables = ['meta', 'streams', 'conversations', 'participants', 'memberships', 'messages', 'outbox'] as const
    const rows = (await Promise.all(tables.map((table) => replica.scan(table)))).flat()
    return rows.filter((row) => !('name' in row && row.name === 'term')).length
  }

  /** Texts of a conversation's messages, in order of position. */
  async texts(conversation: string): Promise<string[]> {
    const rows = await (await this.replica()).scan('messages', { prefix: [conversation] })
    return rows.map((row) => row.parts[0]?.body ?? '')
  }
}
