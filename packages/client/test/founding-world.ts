/**
 * The three parties of authentication, all of them real and in one process: the server on a store of its own, the app's
 * authentication service, and devices whose every word over the network is written down. Time is ours at the server and
 * at the service; the devices live in real time.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuthenticationService, startAuthenticationService } from '@parley/demo/service'
import {
  type Administration,
  type CreatedApp,
  openAdministration,
  openSqliteStore,
  type RunningServer,
  serve,
  storeFile,
} from '@parley/server'
import { VirtualClock } from '@parley/testkit'
import { createIdentityTokenMinter } from '@parley/token'
import { WebSocket } from 'ws'
import { type Client, createClient, type ReplicaStorage } from '../src/index.ts'
import { createMemoryStorage } from '../src/replica/memory/index.ts'
import { createSqliteStorage } from '../src/replica/sqlite/index.ts'
import { until } from './support/until.ts'
import { Wire } from './wire.ts'

const TABLES = ['meta', 'streams', 'conversations', 'participants', 'messages', 'outbox'] as const

export class FoundingWorld {
  readonly clock: VirtualClock
  readonly administration: Administration
  readonly server: RunningServer
  /** Each test has an app of its own. */
  app!: CreatedApp
  readonly #folder: string
  readonly #devices: Device[] = []
  readonly #services: AuthenticationService[] = []

  private constructor(clock: VirtualClock, folder: string, administration: Administration, server: RunningServer) {
    this.clock = clock
    this.#folder = folder
    this.administration = administration
    this.server = server
  }

  static async open(): Promise<FoundingWorld> {
    const clock = new VirtualClock({ wall: Date.now() })
    const folder = mkdtempSync(join(tmpdir(), 'parley-founding-'))
    const administration = await openAdministration(folder)
    const server = await serve(openSqliteStore(storeFile(folder)), { clock: { now: clock.wall, after: clock.after } })
    return new FoundingWorld(clock, folder, administration, server)
  }

  async begin(): Promise<void> {
    this.app = await this.createApp('staging')
  }

  createApp(environment: 'staging' | 'production'): Promise<CreatedApp> {
    return this.administration.createApp({ environment, algorithm: 'ES256' })
  }

  /** The sample authentication service, speaking for an app; alice, ben, cleo and dana have accounts. */
  async startService(app: CreatedApp = this.app): Promise<AuthenticationService> {
    const { providerId, keyId, privateKeyPem: privateKey } = app
    const service = await startAuthenticationService({
      host: '127.0.0.1',
      port: 0,
      dataFile: ':memory:',
      provider: { providerId, keyId, privateKey },
      allowedOrigins: [],
      seedDevelopmentAccounts: true,
      now: this.clock.wall,
    })
    this.#services.push(service)
    return service
  }

  /** A folder that is gone after the last test. */
  folder(): string {
    return mkdtempSync(join(this.#folder, 'device-'))
  }

  /** A device on which somebody is logged in to the app; Parley has not heard of it yet. */
  device(loggedIn: string, options: Partial<DeviceOptions> = {}): Device {
    const { app, server } = this
    const device = new Device({ app, server, now: this.clock.wall, loggedIn, ...options })
    this.#devices.push(device)
    return device
  }

  async signedIn(userId: string, options: Partial<DeviceOptions> = {}): Promise<Device> {
    const device = this.device(userId, options)
    await device.client.authenticate(userId)
    await device.live()
    return device
  }

  /** Asks the server without any SDK. */
  async ask(method: string, path: string, { body, token }: { body?: object; token?: string } = {}) {
    const answer = await fetch(this.server.url + path, {
      method,
      headers: {
        accept: 'application/vnd.layer+json; version=2.0',
        ...(body && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Layer session-token="${token}"` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: (text ? JSON.parse(text) : {}) as Record<string, never> }
  }

  /** After each test. */
  async end(): Promise<void> {
    await Promise.all(this.#devices.splice(0).map(({ client }) => client.close()))
    await Promise.all(this.#services.splice(0).map((service) => service.close()))
  }

  async close(): Promise<void> {
    await this.server.close({ drainMs: 0 })
    await this.administration.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

export interface DeviceOptions {
  readonly app: CreatedApp
  readonly server: RunningServer
  readonly now: () => number
  /** Whom the app's own log-in knows on this device. */
  readonly loggedIn: string
  /** Where tokens come from; the token kit in the app's backend if there is no service. */
  readonly service?: AuthenticationService
  readonly password?: string
  readonly tokenSeconds?: number
  /** A folder for a local database that outlives the process; memory without one. */
  readonly folder?: string
}

/** One installation of the app. */
export class Device {
  readonly wire: Wire
  readonly storage: ReplicaStorage
  readonly #options: DeviceOptions
  /** Null: nobody is logged in to the app any more, and there is no token to be had. */
  loggedIn: string | null
  /** The nonces for which the app was asked for a token. */
  readonly asked: string[] = []
  /** How the app obtains a token; a test may replace it. */
  obtainToken: (nonce: string) => Promise<string | null>
  client: Client

  constructor(options: DeviceOptions) {
    this.#options = options
    const { app, server, service, folder } = options
    this.loggedIn = options.loggedIn
    this.wire = new Wire({
      [new URL(server.url).host]: 'parley',
      ...(service && { [new URL(service.url).host]: 'service' }),
    })
    this.storage = folder ? createSqliteStorage({ directory: folder }) : createMemoryStorage()
    const { providerId, keyId, privateKeyPem: privateKey } = app
    const minter = createIdentityTokenMinter({ providerId, keyId, privateKey, now: options.now })
    const { tokenSeconds: expiresInSeconds } = options
    this.obtainToken = async (nonce) => {
      const { loggedIn: userId } = this
      if (userId === null) return null
      if (service) return this.#askService(service, userId, nonce)
      return minter.mint({ userId, nonce, ...(expiresInSeconds && { expiresInSeconds }) })
    }
    this.client = this.#start()
  }

  async #askService(service: AuthenticationService, user: string, nonce: string): Promise<string> {
    const { password = 'parley' } = this.#options
    const answer = await this.wire.fetch(`${service.url}/identity-token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user, password, nonce }),
    })
    if (answer.status !== 200) throw new Error(`The service answered ${answer.status}.`)
    return (JSON.parse(await answer.text()) as { identity_token: string }).identity_token
  }

  #start(): Client {
    const { app, server } = this.#options
    return createClient({
      appId: app.appId,
      url: server.url,
      websocketUrl: server.websocketUrl,
      storage: this.storage,
      fetch: this.wire.fetch,
      sockets: this.wire.sockets(WebSocket),
      challenge: ({ nonce }) => {
        this.asked.push(nonce)
        return this.obtainToken(nonce)
      },
    })
  }

  /** The app is closed and started again. */
  async restart(): Promise<void> {
    await this.client.close()
    this.client = this.#start()
    await this.client.opened
  }

  goOffline(): void {
    this.wire.cut()
  }

  /** The network is back, and the device notices at once. */
  goOnline(): void {
    this.wire.mend()
    this.client.disconnect()
    this.client.connect()
  }

  live(): Promise<void> {
    return until(() => this.client.connection.state === 'live')
  }

  /** What the screen of a conversation shows. */
  async texts(conversation: string): Promise<string[]> {
    const messages = this.client.messages({ conversation, window: 1_000 })
    await messages.ready
    messages.close()
    return messages.snapshot().map(({ parts }) => parts[0]?.body ?? '')
  }

  /** Waits until the screen shows just this. */
  async shows(conversation: string, wanted: readonly string[]): Promise<void> {
    await until(async () => JSON.stringify(await this.texts(conversation)) === JSON.stringify(wanted))
  }

  /** How many rows the local database holds, besides the number of its latest owner. */
  async rows(): Promise<number> {
    const replica = await this.storage.open(this.#options.app.appId)
    const rows = (await Promise.all(TABLES.map((table) => replica.scan(table)))).flat()
    await replica.close()
    return rows.filter((row) => !('name' in row && row.name === 'term')).length
  }

  /** Whether the words are anywhere on the disk of the device, in whatever file. */
  holdsOnDisk(words: string): boolean {
    const { folder } = this.#options
    if (folder === undefined) throw new Error('This device has no disk.')
    return readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes(words))
  }
}

/** The claims or the header of a token, unverified. */
export function readToken(token: string, part: 'header' | 'claims'): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[part === 'header' ? 0 : 1] ?? '', 'base64url').toString())
}
