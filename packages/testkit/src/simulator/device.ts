/**
 * One device of somebody: a disk that outlives crashes, and the processes of the moment, which are the real SDK: one, or
 * the tabs of a browser. What was asked here is in its book (`deed-book.ts`); how it reaches the server, in `network.ts`.
 */
import { type Client, createClient } from '@parley/client'
import * as online from '@parley/client/online'
import type { ConversationId } from '@parley/protocol'
import { giveToken } from './authentication-service.ts'
import { Browser } from './browser.ts'
import { type Asking, DeedBook } from './deed-book.ts'
import type { DeedMark } from './deeds.ts'
import type { DeviceDisk } from './device-disk.ts'
import { fetchFor, openWire } from './network.ts'
import type { StepName } from './plan.ts'
import { APP_ID, EPOCH_MS } from './server-machine.ts'
import type { Surroundings } from './surroundings.ts'
import { Tab } from './tab.ts'
import type { Wire } from './wire.ts'

type ClientOptions = Parameters<typeof createClient>[0]

/** More tabs of one app are nobody's way. */
const MAX_TABS = 3

export class Device {
  readonly name: string
  readonly disk: DeviceDisk
  /** Whose device this is at the moment. */
  userId: string
  /** Rises whenever the local copy goes. */
  installation = 1
  wallErrorMs = 0
  /** What a mutation makes of the channel between tabs. */
  losesBetweenTabs: (message: unknown) => boolean = () => false
  crashes = 0
  /** Those that live; the one in front is where people are. */
  #tabs: Tab[] = []
  #front: Tab
  #browser: Browser
  /** Sessions whose end was heard of in some tab. */
  readonly #ended = new Set<string>()
  #born = 0
  readonly #world: Surroundings
  readonly #book: DeedBook

  constructor(name: string, userId: string, disk: DeviceDisk, world: Surroundings) {
    this.name = name
    this.userId = userId
    this.disk = disk
    this.#world = world
    this.#book = new DeedBook(name, world)
    this.#browser = this.#newBrowser()
    this.#front = this.#boot()
  }

  get client(): Client {
    return this.#front.client
  }

  /** That of every tab, the one in front first. */
  get clients(): readonly Client[] {
    return [this.#front, ...this.#tabs.filter((tab) => tab !== this.#front)].map(({ client }) => client)
  }

  get openCalls(): readonly string[] {
    return this.#tabs.flatMap(({ open }) => [...open])
  }

  get isLive(): boolean {
    return this.clients.every(({ connection: { state } }) => state === 'live' || state === 'probing')
  }

  /** The line of whichever tab opened one last. */
  get wire(): Wire | undefined {
    return this.#tabs.flatMap(({ wires }) => [...wires]).at(-1)
  }

  get tabs(): number {
    return this.#tabs.length
  }

  get stolen(): number {
    return this.#browser.stolen
  }

  /** Writes that came from a tab whose time as the owner was over. */
  get fenced(): number {
    return this.disk.fenced
  }

  openTab(): void {
    if (this.#tabs.length < MAX_TABS) this.#front = this.#boot()
  }

  switchTab(die: number): void {
    const awake = this.#tabs.filter(({ isSleepy }) => !isSleepy)
    this.#front = awake[Math.floor(die * awake.length)] ?? this.#front
  }

  /** Closed in order; the last one is not. */
  closeTab(die: number): void {
    const tab = this.#oneOf(die)
    if (!tab) return
    this.#leave(tab)
    this.#world.tell(`${tab.name}: is closed`)
    void tab.client.close().then(
      () => this.#bury(tab),
      (error) => this.#world.problem(`${this.name}: closing a tab failed: ${error}`),
    )
  }

  crashTab(die: number): void {
    const tab = this.#oneOf(die)
    if (!tab) return
    this.#leave(tab)
    this.#world.tell(`${tab.name}: crashes`)
    this.#bury(tab, true)
  }

  freezeTab(die: number, isTold: boolean, ms: number): void {
    const tab = this.#oneOf(die)
    if (!tab || tab.isSleepy) return
    if (tab === this.#front) this.#front = this.#tabs.find((other) => other !== tab && !other.isSleepy)!
    const { tell, timeline } = this.#world
    tell(`${tab.name}: falls asleep${isTold ? '' : ' and is not told'}`)
    tab.freeze(isTold)
    timeline.after(ms, () => {
      tell(`${tab.name}: wakes`)
      tab.wake(isTold)
    })
  }

  /** Tabs that closed themselves are opened again. Those that sleep wake in their own time. */
  mend(): void {
    for (const tab of [...this.#tabs]) {
      if (tab.client.state.state !== 'closed') continue
      this.#bury(tab)
      this.#front = this.#boot()
    }
  }

  /** One of the tabs, if another one is left that is awake. */
  #oneOf(die: number): Tab | undefined {
    const tab = this.#tabs[Math.floor(die * this.#tabs.length)]
    return this.#tabs.some((other) => other !== tab && !other.isSleepy) ? tab : undefined
  }

  /** Nobody looks at it any more. */
  #leave(tab: Tab): void {
    this.#tabs = this.#tabs.filter((other) => other !== tab)
    if (tab === this.#front) this.#front = this.#tabs.find(({ isSleepy }) => !isSleepy)!
  }

  /** It was closed, or crashed: then nobody closes its lines. */
  #bury(tab: Tab, hasCrashed = false): void {
    if (hasCrashed) tab.die()
    tab.isDead = true
    this.#tabs = this.#tabs.filter((other) => other !== tab)
    this.#browser.gone(tab)
  }

  #newBrowser(): Browser {
    const { timeline, chance, plan } = this.#world
    return new Browser(timeline, plan.hasTabs ? chance.below(3) : 0, (message) => this.losesBetweenTabs(message))
  }

  /** The power goes. */
  crash(): void {
    for (const tab of this.#tabs.splice(0)) tab.die()
    this.disk.crash()
    this.crashes++
    this.#browser = this.#newBrowser()
    this.#front = this.#boot()
  }

  /** The app is closed in order, and opened again. */
  restart(): void {
    const old = this.#front
    void old.client.close().then(
      () => {
        const wasThere = this.#tabs.includes(old)
        this.#bury(old)
        if (wasThere) this.#front = this.#boot()
      },
      (error) => this.#world.problem(`${this.name}: closing failed: ${error}`),
    )
  }

  hint(): void {
    this.#front.look()
  }

  /** Somebody signs in here, unless somebody is. */
  signIn(userId: string): void {
    if (this.client.state.state === 'unauthenticated') this.userId = userId
    this.call('sign in', (client) => client.authenticate(this.userId))
  }

  signOut(options: { readonly discardUnsent: boolean; readonly keepData: boolean }): void {
    // From here on what is unsent may go: the app said so, and will not be told of it after a crash.
    if (options.discardUnsent) this.#book.giveUpAll(this.installation)
    this.call('sign out', (client) => client.deauthenticate(options))
  }

  /** Gives up an operation, and with it what failed because of it. From now on either may be so. */
  discard(id: string): void {
    const entries = this.disk.table('outbox').all() as { id: string; conversation: string; state: { state: string } }[]
    const entry = entries.find((each) => each.id === id)
    this.#book.giveUp(
      entries.filter(
        (each) => each === entry || (each.conversation === entry?.conversation && each.state.state === 'failed'),
      ),
    )
    void this.call('discard', (client) => client.outbox.discard(id))
  }

  /** Any call of the SDK's, in the tab in front. */
  call<T>(what: string, call: (client: Client) => Promise<T>): Promise<T | undefined> {
    return this.#book.call(this.#front, what, call)
  }

  /** Asks for an operation in the tab in front, and keeps book of it. */
  ask(name: StepName, conversation: ConversationId | null, mark: DeedMark, call: Asking): void {
    const { userId, installation } = this
    this.#book.ask({ tab: this.#front, userId, installation, name, conversation, mark }, call)
  }

  #boot(): Tab {
    const { timeline, chance, plan, problem, tell } = this.#world
    const browser = this.#browser
    const number = ++this.#born
    const process = new Tab(timeline, number, plan.hasTabs ? `${this.name}, tab ${number}` : this.name)
    const alive = (task: () => void) => () => process.run(task)
    const options: ClientOptions = {
      appId: APP_ID,
      url: 'http://parley.test',
      challenge: ({ nonce, userId }) => giveToken(this.#world, process, { nonce, userId: userId ?? this.userId }),
      storage: this.disk.storage(process),
      sockets: () => openWire(this.#world, process),
      fetch: (_url, init) => fetchFor(this.#world, process, init),
      clock: {
        now: () => timeline.now,
        wall: () => EPOCH_MS + timeline.now + this.wallErrorMs,
        after: (ms, task) => timeline.after(ms, alive(task)),
      },
      chance,
      ...(plan.hasTabs
        ? { locks: browser.locksOf(process), openChannel: browser.openChannelOf(process) }
        : { locks: { hold: (_name, _options, held) => held() } }),
      hints: (look) => {
        process.look = (hint) => process.run(() => look(hint))
        return () => undefined
      },
      online: async () => online,
    }
    process.client = createClient(options)
    process.client.on('problem', ({ error }) => problem(`${this.name}: the SDK reports ${error}`))
    process.client.on('deauthenticated', ({ reason, unsent }) => {
      // Each tab says so; the copy goes once.
      if (!this.#ended.has(process.session ?? '')) this.installation++
      if (process.session !== undefined) this.#ended.add(process.session)
      this.#book.giveUp(unsent)
      tell(`${process.name}: signed out (${reason}), ${unsent.length} unsent`)
    })
    process.client.on('state', (state) => {
      tell(`${process.name}: ${state.state}`)
      if (state.state !== 'authenticated') return
      process.session = state.session.id
      this.userId = state.identity.user_id
    })
    process.client.on('connection', ({ state }) => tell(`${process.name}: connection ${state}`))
    process.client.on('operation-failed', ({ entries }) => this.#book.refused(entries))
    process.client.on('unsent', ({ entries }) => this.#book.giveUp(entries))
    this.#tabs.push(process)
    return process
  }
}
