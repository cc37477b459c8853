import { connect, type NatsConnection, type Subscription } from '@nats-io/transport-node'
import type { Clock } from '../../clock.ts'
import { Listeners } from '../../listeners.ts'
import { type Bus, type BusState, type Channel, MAX_PAYLOAD_BYTES, noCounts } from '../bus.ts'
import { type NatsAddress, readNatsAddress } from './nats-address.ts'

/**
 * A connection that says nothing any more is noticed after four of these at the latest: two pings unanswered, and the
 * time before and after them. A process that stands still for a while counts one missed answer at most.
 */
const PING_INTERVAL_MS = 1_000
const MAX_UNANSWERED_PINGS = 2
/** How long a server may take to greet us. */
const GREETING_MS = 3_000
/** Between two tries to connect, half of it by chance: a hundred nodes do not come back in the same instant. */
const RETRY_MS = 1_000
/** Bytes on the way to the server that it did not confirm. Beyond it hints are dropped: who falls behind is no help. */
const MAX_UNCONFIRMED_BYTES = 8 * 1024 * 1024
/** With fewer than this on the way, nothing has to be confirmed. */
const CONFIRM_BYTES = 1024 * 1024

export interface NatsBusOptions {
  /** As {@link readNatsAddress} reads it. */
  readonly address: string
  /** Keeps several deployments on one NATS apart. */
  readonly deployment: string
  /** Names this node to whoever operates NATS. */
  readonly node: string
  readonly clock: Clock
  readonly log: (message: string, details: Record<string, unknown>) => void
  /** From 0 to below 1; the system's by default. */
  readonly chance?: () => number
}

/**
 * The bus on NATS, core publish and subscribe alone. It owns one connection and opens another when that is lost, for
 * ever; a connection is never mended by the client library itself, which counts on a wall clock that does not jump and
 * waits, before it gives a dead connection up, until everything was written to it.
 *
 *            greeted                     lost, silent, closed by the server
 *     ┌─→ connecting ──→ connected ──────────────────┐
 *     └──── a pause ←─────────────────── degraded ←──┘
 */
export class NatsBus implements Bus {
  readonly counts = noCounts()
  readonly #options: NatsBusOptions
  readonly #address: NatsAddress
  readonly #watchers: Listeners<BusState>
  readonly #channels = new Map<Channel, { readonly listeners: Listeners<Uint8Array>; subscription?: Subscription }>()
  #isClosing = false
  /** Ends whatever is waited for when this is to be closed. */
  #hurry = () => {}
  readonly #running: Promise<void>
  #state: BusState
  #connection: NatsConnection | undefined
  #unconfirmedBytes = 0
  #isConfirming = false

  constructor(options: NatsBusOptions) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(options.deployment)) {
      throw new Error('The name of a deployment consists of 1 to 64 letters, digits, - and _.')
    }
    this.#options = options
    this.#address = readNatsAddress(options.address)
    this.#watchers = new Listeners((error) => this.#stumbled(error))
    this.#state = { state: 'degraded', sinceMs: options.clock.now() }
    this.#running = this.#run()
  }

  get state(): BusState {
    return this.#state
  }

  publish(channel: Channel, payload: Uint8Array): void {
    const connection = this.#connection
    if (!connection || payload.length > MAX_PAYLOAD_BYTES || this.#unconfirmedBytes > MAX_UNCONFIRMED_BYTES) {
      this.counts.dropped += 1
      return
    }
    try {
      connection.publish(this.#subject(channel), payload)
    } catch {
      // Closed under our hands, or a server that takes less than we say: `lost` is on its way, or the store is.
      this.counts.dropped += 1
      return
    }
    this.counts.published += 1
    this.counts.publishedBytes += payload.length
    this.#unconfirmedBytes += payload.length
    if (this.#unconfirmedBytes > CONFIRM_BYTES) void this.#confirm(connection)
  }

  subscribe(channel: Channel, hear: (payload: Uint8Array) => void): () => void {
    const known = this.#channels.get(channel)
    const entry = known ?? { listeners: new Listeners<Uint8Array>((error) => this.#stumbled(error)) }
    if (!known) {
      this.#channels.set(channel, entry)
      if (this.#connection) this.#attach(this.#connection, channel)
    }
    const stop = entry.listeners.add(hear)
    return () => {
      stop()
      if (!entry.listeners.isEmpty || this.#channels.get(channel) !== entry) return
      this.#channels.delete(channel)
      entry.subscription?.unsubscribe()
    }
  }

  watch(watcher: (state: BusState) => void): () => void {
    return this.#watchers.add(watcher)
  }

  async flush(): Promise<boolean> {
    const connection = this.#connection
    if (!connection) return false
    return connection.flush().then(
      () => this.#connection === connection,
      () => false,
    )
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#hurry()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#isClosing) {
      const connection = await this.#open()
      if (connection) await this.#use(connection)
      if (!this.#isClosing) await this.#pause()
    }
  }

  /** Each server once; undefined if none will have us. */
  async #open(): Promise<NatsConnection | undefined> {
    const { servers, credentials, isEncrypted } = this.#address
    try {
      return await connect({
        ...credentials,
        servers: [...servers],
        name: this.#options.node,
        noEcho: true,
        reconnect: false,
        ignoreClusterUpdates: true,
        timeout: GREETING_MS,
        pingInterval: PING_INTERVAL_MS,
        maxPingOut: MAX_UNANSWERED_PINGS,
        ...(isEncrypted && { tls: {} }),
      })
    } catch (error) {
      this.#options.log('the bus cannot be reached', { servers, error: String(error) })
      return undefined
    }
  }

  /** Resolves when the connection is of no use any more. */
  async #use(connection: NatsConnection): Promise<void> {
    const lost = new Promise<string>((resolve) => {
      void connection.closed().then((error) => resolve(error ? String(error) : 'closed'))
      void this.#untilSilent(connection).then(resolve)
      this.#hurry = () => resolve('this node is closing')
      if (this.#isClosing) this.#hurry()
    })
    this.#connection = connection
    for (const channel of this.#channels.keys()) this.#attach(connection, channel)
    // Only now others can be heard; who takes us for connected relies on it.
    const isHeard = await Promise.race([connection.flush().then(() => true), lost.then(() => false)]).catch(() => false)
    if (isHeard && !this.#isClosing) this.#become({ state: 'connected' })
    const reason = await lost
    this.#connection = undefined
    this.#unconfirmedBytes = 0
    if (this.#state.state === 'connected') {
      this.counts.losses += 1
      this.#become({ state: 'degraded', sinceMs: this.#options.clock.now() })
      if (!this.#isClosing) this.#options.log('the bus is away', { reason })
    }
    // What was said right before a close still goes out; a silent one is not waited for.
    if (this.#isClosing) await within(GREETING_MS, connection.flush())
    void connection.close().catch(() => undefined)
    if (this.#isClosing) await within(GREETING_MS, connection.closed())
  }

  async #untilSilent(connection: NatsConnection): Promise<string> {
    for await (const status of connection.status()) {
      if (status.type === 'staleConnection') return 'it fell silent'
      if (status.type === 'error') this.#options.log('the bus complains', { error: String(status.error) })
    }
    return 'closed'
  }

  #attach(connection: NatsConnection, channel: Channel): void {
    const entry = this.#channels.get(channel)
    if (!entry) return
    entry.subscription = connection.subscribe(this.#subject(channel), {
      callback: (error, message) => {
        if (error) {
          // Not allowed to listen: deaf, we had better not take ourselves for connected.
          this.#options.log('the bus does not let us listen', { channel, error: String(error) })
          if (this.#connection === connection) void connection.close().catch(() => undefined)
          return
        }
        this.counts.received += 1
        this.counts.receivedBytes += message.data.length
        entry.listeners.tell(message.data)
      },
    })
  }

  async #confirm(connection: NatsConnection): Promise<void> {
    if (this.#isConfirming) return
    this.#isConfirming = true
    const bytes = this.#unconfirmedBytes
    const isConfirmed = await this.flush()
    this.#isConfirming = false
    if (isConfirmed && this.#connection === connection) this.#unconfirmedBytes -= bytes
  }

  #pause(): Promise<void> {
    const { clock, chance = Math.random } = this.#options
    return new Promise((resolve) => {
      const cancel = clock.after(RETRY_MS * (0.5 + chance() / 2), resolve)
      this.#hurry = () => {
        cancel()
        resolve()
      }
    })
  }

  #become(state: BusState): void {
    this.#state = state
    this.#watchers.tell(state)
  }

  #stumbled(error: unknown): void {
    const details = error instanceof Error ? error.stack : String(error)
    this.#options.log('a bug in who listens to the bus', { error: details })
  }

  #subject(channel: Channel): string {
    return `parley.${this.#options.deployment}.${channel}`
  }
}

/** Waits, but not for ever, and not for good news. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([promise, late]).catch(() => undefined)
  clearTimeout(timer)
}
