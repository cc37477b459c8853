/**
 * One device of somebody: a disk that outlives crashes, and the process of the moment, which is the real SDK. It keeps
 * the book of what was asked here and what the SDK said became of it.
 */
import { type Client, type ConversationHandle, createClient, type Operation } from '@parley/client'
import * as online from '@parley/client/online'
import type { ConversationId } from '@parley/protocol'
import type { SeededChance } from '../seeded-chance.ts'
import type { Deed, DeedMark } from './deeds.ts'
import type { DeviceDisk, Process } from './device-disk.ts'
import type { Plan, StepName } from './plan.ts'
import { APP_ID, EPOCH_MS, type ServerMachine } from './server-machine.ts'
import type { Timeline } from './timeline.ts'
import { mintToken } from './tokens.ts'
import { Wire, type WireOptions } from './wire.ts'

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

interface DeviceProcess extends Process {
  readonly client: Client
  readonly wires: Set<Wire>
  /** Calls that have not settled. */
  readonly open: Set<string>
  look: () => void
}

export class Device {
  readonly name: string
  readonly disk: DeviceDisk
  /** Whose device this is at the moment. */
  userId: string
  /** Rises whenever the local copy goes. */
  installation = 1
  wallErrorMs = 0
  crashes = 0
  #process: DeviceProcess
  readonly #world: Surroundings

  constructor(name: string, userId: string, disk: DeviceDisk, world: Surroundings) {
    this.name = name
    this.userId = userId
    this.disk = disk
    this.#world = world
    this.#process = this.#boot()
  }

  get client(): Client {
    return this.#process.client
  }

  get openCalls(): ReadonlySet<string> {
    return this.#process.open
  }

  get isLive(): boolean {
    const { state } = this.client.connection
    return state === 'live' || state === 'probing'
  }

  get wire(): Wire | undefined {
    return [...this.#process.wires].at(-1)
  }

  /** The power goes. */
  crash(): void {
    this.#process.isDead = true
    for (const wire of this.#process.wires) wire.deviceDied()
    this.disk.crash()
    this.crashes++
    this.#process = this.#boot()
  }

  /** The app is closed in order, and opened again. */
  restart(): void {
    const old = this.#process
    void old.client.close().then(
      () => {
        old.isDead = true
        if (this.#process === old) this.#process = this.#boot()
      },
      (error) => this.#world.problem(`${this.name}: closing failed: ${error}`),
    )
  }

  hint(): void {
    this.#process.look()
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
    const process = this.#process
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
    const { deeds, problem, tell } = this.#world
    const process = this.#process
    const deed: Deed = {
      number: deeds.length + 1,
      name,
      device: this.name,
      installation: this.installation,
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
        deed.state = 'refused-locally'
        failed(error)
      },
    )
  }

  #boot(): DeviceProcess {
    const { timeline, chance, problem, tell } = this.#world
    const process: { -readonly [Name in keyof DeviceProcess]: DeviceProcess[Name] } = {
      isDead: false,
      client: undefined as never,
      wires: new Set(),
      open: new Set(),
      look: () => undefined,
    }
    const alive = (task: () => void) => () => {
      if (!process.isDead) task()
    }
    const options: ClientOptions = {
      appId: APP_ID,
      url: 'http://parley.test',
      challenge: ({ nonce, userId }) => this.#token(process, nonce, userId),
      storage: this.disk.storage(process),
      sockets: () => this.#openWire(process),
      fetch: (url, init) => givenUp(this.#fetch(process, url, init), init.signal),
      clock: {
        now: () => timeline.now,
        wall: () => EPOCH_MS + timeline.now + this.wallErrorMs,
        after: (ms, task) => timeline.after(ms, alive(task)),
      },
      chance,
      locks: { hold: (_name, _options, held) => held() },
      hints: (look) => {
        process.look = alive(look)
        return () => undefined
      },
      online: async () => online,
    }
    process.client = createClient(options)
    process.client.on('problem', ({ error }) => problem(`${this.name}: the SDK reports ${error}`))
    process.client.on('deauthenticated', ({ reason, unsent }) => {
      this.installation++
      this.#giveUp(unsent)
      tell(`${this.name}: signed out (${reason}), ${unsent.length} unsent`)
    })
    process.client.on('state', ({ state }) => tell(`${this.name}: ${state}`))
    process.client.on('connection', ({ state }) => tell(`${this.name}: connection ${state}`))
    process.client.on('operation-failed', ({ entries }) => this.#noteRefused(entries))
    process.client.on('unsent', ({ entries }) => this.#giveUp(entries))
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

  #openWire(process: DeviceProcess): ReturnType<NonNullable<ClientOptions['sockets']>> {
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
    return wire.device
  }

  /** The app's own authentication service, which has its bad days. */
  async #token(process: DeviceProcess, nonce: string, userId: string | undefined): Promise<string | null> {
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
    process: DeviceProcess,
    url: string,
    init: Parameters<NonNullable<ClientOptions['fetch']>>[1],
  ): ReturnType<NonNullable<ClientOptions['fetch']>> {
    const { timeline, chance, plan, server, isCalm } = this.#world
    const isLost = () => !isCalm() && chance.number() < plan.requestTrouble
    await timeline.pause(chance.below(plan.latencyMs + 1))
    const token = /session-token="([^"]*)"/.exec(init.headers.authorization ?? '')?.[1]
    const path = url.slice('http://parley.test'.length)
    const answer = isLost()
      ? undefined
      : await server.request(init.method, path, token, init.body === undefined ? undefined : JSON.parse(init.body))
    await timeline.pause(chance.below(plan.latencyMs + 1))
    if (process.isDead) return new Promise(() => undefined)
    if (init.signal?.aborted || !answer || isLost()) throw new TypeError('The simulated network lost it.')
    const text = JSON.stringify(answer.body)
    return { status: answer.status, headers: { get: () => null }, text: async () => text }
  }
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
