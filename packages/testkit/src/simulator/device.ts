/**
 * One device of somebody: a disk that outlives crashes, and the process of the moment, which is the real SDK. It keeps
 * the book of what was asked here and what the SDK said became of it.
 */
import { type Client, type ConversationHandle, createClient, type Operation } from '@parley/client'
import * as online from '@parley/client/online'
import type { ConversationId } from '@parley/protocol'
import type { SeededChance } from '../seeded-chance.ts'
import { Browser } from './browser.ts'
import type { Deed, DeedMark } from './deeds.ts'
import type { DeviceDisk } from './device-disk.ts'
import type { Plan, StepName } from './plan.ts'
import { APP_ID, EPOCH_MS, type ServerMachine } from './server-machine.ts'
import { Tab } from './tab.ts'
import type { Timeline } from './timeline.ts'
import { mintToken } from './tokens.ts'
import { type DeviceEnd, Wire, type WireOptions } from './wire.ts'

type ClientOptions = Parameters<typeof createClient>[0]

/** What a device needs of the world around it. */
export interface Surroundings {
  readonly timeline: Timeline
  readonly server: ServerMachine
  readonly plan: Plan
  readonly chance: SeededChance
  readonly deeds: Deed[]
  /** Nothing breaks at the moment: whatever is tried works. */
  readonly isCalm: () => boolean
  readonly tell: (sentence: string) => void
  readonly problem: (sentence: string) => void
  readonly onFrame: WireOptions['onFrame']
  readonly tamper: WireOptions['tamper']
  readonly onSaid: WireOptions['onSaid']
  readonly newText: () => string
}

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

  constructor(name: string, userId: string, disk: DeviceDisk, world: Surroundings) {
    this.name = name
    this.userId = userId
    this.disk = disk
    this.#world = world
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
    if (options.discardUnsent) {
      for (const deed of this.#world.deeds) {
        if (deed.device === this.name && deed.installation === this.installation) deed.isGivenUp = true
      }
    }
    this.call('sign out', (client) => client.deauthenticate(options))
  }

  /** Gives up an operation, and with it what failed because of it. From now on either may be so. */
  discard(id: string): void {
    const entries = this.disk.table('outbox').all() as { id: string; conversation: string; state: { state: string } }[]
    const entry = entries.find((each) => each.id === id)
    this.#giveUp(
      entries.filter(
        (each) => each === entry || (each.conversation === entry?.conversation && each.state.state === 'failed'),
      ),
    )
    void this.call('discard', (client) => client.outbox.discard(id))
  }

  /** Any call of the SDK's. It must settle, and fail only in words that the SDK documents. */
  call<T>(what: string, call: (client: Client) => Promise<T>): Promise<T | undefined> {
    const process = this.#front
    const label = `${what} #${this.#world.deeds.length}.${process.open.size}`
    process.open.add(label)
    return promised(
      () => call(process.client),
      (error) => this.#world.problem(`${this.name}: ${what} threw ${error}`),
    ).then(
      (answer) => {
        process.open.delete(label)
        return answer
      },
      (error: unknown) => {
        process.open.delete(label)
        if ((error as Error).name !== 'ParleyError') {
          this.#world.problem(`${this.name}: ${what} failed with ${(error as Error).stack ?? error}`)
        }
        return undefined
      },
    )
  }

  /** Asks for an operation and keeps book of it. */
  ask(
    name: StepName,
    conversation: ConversationId | null,
    mark: DeedMark,
    call: (client: Client) => Promise<(Operation & { readonly conversation?: ConversationHandle }) | undefined>,
  ): void {
    const { deeds, plan, problem, tell } = this.#world
    const process = this.#front
    const deed: Deed = {
      number: deeds.length + 1,
      name,
      device: this.name,
      installation: this.installation,
      tab: process.number,
      userId: this.userId,
      conversation,
      mark,
      state: 'asked',
      operationId: null,
      acknowledged: undefined,
      wasRefused: false,
      isGivenUp: false,
    }
    deeds.push(deed)
    const label = `${name} #${deed.number}`
    process.open.add(label)
    const settle = () => process.open.delete(label)
    const failed = (error: unknown) => {
      const { name: kind, code } = error as { name?: string; code?: string }
      if (kind !== 'ParleyError') problem(`${this.name}: ${label} failed with ${(error as Error).stack ?? error}`)
      if (code === 'refused') deed.wasRefused = true
      if (code === 'discarded') deed.isGivenUp = true
      tell(`${this.name}: ${label} failed: ${code}`)
      settle()
    }
    promised(
      () => call(process.client),
      (error) => problem(`${this.name}: ${name} threw ${error}`),
    ).then(
      (operation) => {
        if (operation === undefined) {
          deed.state = 'refused-locally'
          settle()
          return
        }
        deed.state = 'placed'
        deed.operationId = operation.operationId
        if (operation.conversation) deed.conversation = operation.conversation.id
        operation.acknowledged.then((answer) => {
          deed.acknowledged = answer ?? true
          settle()
        }, failed)
      },
      (error) => {
        // A tab that closes does not hear any more what another one made of it (TAB-8).
        if (!plan.hasTabs || error.code !== 'closed') deed.state = 'refused-locally'
        failed(error)
      },
    )
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
      challenge: ({ nonce, userId }) => this.#token(process, nonce, userId),
      storage: this.disk.storage(process),
      sockets: () => this.#openWire(process),
      fetch: (_url, init) => givenUp(this.#fetch(process, init), init.signal),
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
      this.#giveUp(unsent)
      tell(`${process.name}: signed out (${reason}), ${unsent.length} unsent`)
    })
    process.client.on('state', (state) => {
      tell(`${process.name}: ${state.state}`)
      if (state.state !== 'authenticated') return
      process.session = state.session.id
      this.userId = state.identity.user_id
    })
    process.client.on('connection', ({ state }) => tell(`${process.name}: connection ${state}`))
    process.client.on('operation-failed', ({ entries }) => this.#noteRefused(entries))
    process.client.on('unsent', ({ entries }) => this.#giveUp(entries))
    this.#tabs.push(process)
    return process
  }

  #giveUp(entries: readonly { readonly id: string }[]): void {
    for (const deed of this.#deedsOf(entries)) deed.isGivenUp = true
  }

  #noteRefused(entries: readonly { readonly id: string; readonly state: unknown }[]): void {
    for (const deed of this.#deedsOf(entries)) deed.wasRefused = true
    this.#world.tell(
      `${this.name}: refused: ${JSON.stringify(entries.map((entry) => [entry.id.slice(-4), entry.state]))}`,
    )
  }

  #deedsOf(entries: readonly { readonly id: string }[]): Deed[] {
    const ids = new Set(entries.map(({ id }) => id))
    return this.#world.deeds.filter((deed) => deed.operationId !== null && ids.has(deed.operationId))
  }

  #openWire(process: Tab): ReturnType<NonNullable<ClientOptions['sockets']>> {
    const { timeline, chance, plan, server, onFrame, onSaid, tamper, isCalm } = this.#world
    const wire: Wire = new Wire({
      timeline,
      chance,
      latencyMs: plan.latencyMs,
      maxUnsentBytes: isCalm() ? 1_048_576 : plan.maxUnsentBytes,
      serverPatienceMs: 45_000,
      accept: (socket) => server.accept(socket, wire),
      onFrame,
      onSaid,
      tamper,
    })
    process.wires.clear()
    process.wires.add(wire)
    return heardBy(process, wire.device)
  }

  /** The app's own authentication service, which has its bad days. */
  async #token(process: Tab, nonce: string, userId: string | undefined): Promise<string | null> {
    const { chance, plan, server, timeline, isCalm } = this.#world
    const good = {
      userId: userId ?? this.userId,
      nonce,
      expiresAt: server.now + (plan.sessionSeconds ?? 7_200) * 1_000,
      displayName: `${userId ?? this.userId} ${chance.below(3)}`,
    }
    await timeline.pause(chance.below(200))
    if (process.isDead) return new Promise(() => undefined)
    if (isCalm() || chance.number() >= plan.handlerTrouble) return mintToken(good)
    switch (chance.below(6)) {
      case 0:
        throw new Error('The simulated service is down.')
      case 1:
        return '<html>Please sign in</html>'
      case 2:
        return mintToken({ ...good, expiresAt: server.now - 1_000 })
      case 3:
        return mintToken({ ...good, userId: 'somebody-else' })
      case 4:
        await timeline.pause(20_000)
        return mintToken(good)
      default:
        return chance.below(4) === 0 ? null : mintToken({ ...good, nonce: 'not-a-nonce' })
    }
  }

  async #fetch(
    process: Tab,
    init: Parameters<NonNullable<ClientOptions['fetch']>>[1],
  ): ReturnType<NonNullable<ClientOptions['fetch']>> {
    const { timeline, chance, plan, server, isCalm } = this.#world
    const isLost = () => !isCalm() && chance.number() < plan.requestTrouble
    await timeline.pause(chance.below(plan.latencyMs + 1))
    const token = /session-token="([^"]*)"/.exec(init.headers.authorization ?? '')?.[1]
    const answer = isLost() ? undefined : await server.endSession(token)
    await timeline.pause(chance.below(plan.latencyMs + 1))
    if (process.isDead) return new Promise(() => undefined)
    if (init.signal?.aborted || !answer || isLost()) throw new TypeError('The simulated network lost it.')
    const text = JSON.stringify(answer.body)
    return { status: answer.status, headers: { get: () => null }, text: async () => text }
  }
}

/** A socket whose words reach a tab that sleeps when it wakes. */
function heardBy(tab: Tab, end: DeviceEnd): DeviceEnd {
  const heard: DeviceEnd = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (text) => end.send(text),
    close: (code) => end.close(code),
  }
  end.onopen = () => tab.run(() => heard.onopen?.())
  end.onmessage = (text) => tab.run(() => heard.onmessage?.(text))
  end.onclose = (code) => tab.run(() => heard.onclose?.(code))
  return heard
}

/** What answers by a promise rejects; it does not throw. */
function promised<T>(call: () => Promise<T>, threw: (error: unknown) => void): Promise<T> {
  try {
    return call()
  } catch (error) {
    threw(error)
    return Promise.reject(error)
  }
}

/** A request nobody answers any more ends when its caller gives it up. */
function givenUp<T>(request: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new TypeError('The request was given up.')), { once: true })
    request.then(resolve, reject)
  })
}
