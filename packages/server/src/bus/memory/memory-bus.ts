import type { Clock } from '../../clock.ts'
import { Listeners } from '../../listeners.ts'
import { type Bus, type BusState, type Channel, MAX_PAYLOAD_BYTES, noCounts } from '../bus.ts'

/** What goes wrong on the way to each receiver, each by itself; shares from 0 to 1. */
export interface Weather {
  readonly dropped?: number
  readonly doubled?: number
  /** Overtaken by what was published up to a moment later. */
  readonly reordered?: number
  /** Every message is this much late at most. */
  readonly delayMs?: number
}

export interface MemoryBusOptions {
  readonly clock: Clock
  /** From 0 to below 1; needed only for weather. */
  readonly chance?: () => number
  readonly onError?: (error: unknown) => void
}

const OVERTAKEN_MS = 20

/** A bus between nodes in one process, as well-behaved or as wild as a test wants it. */
export class MemoryBusNetwork {
  readonly #options: MemoryBusOptions
  readonly #nodes = new Set<MemoryBus>()
  #weather: Weather = {}

  constructor(options: MemoryBusOptions) {
    this.#options = options
  }

  /** A node's end of it. */
  join(): MemoryBus {
    const bus: MemoryBus = new MemoryBus({
      clock: this.#options.clock,
      onError: this.#options.onError ?? raise,
      spread: (channel, payload) => this.#spread(bus, channel, payload),
      leave: () => this.#nodes.delete(bus),
    })
    this.#nodes.add(bus)
    return bus
  }

  /** From now on; `{}` is fine weather again. */
  suffer(weather: Weather): void {
    this.#weather = weather
  }

  #spread(from: MemoryBus, channel: Channel, payload: Uint8Array): void {
    for (const to of this.#nodes) {
      if (to === from || this.#isHit(this.#weather.dropped)) continue
      this.#bring(to, channel, payload)
      if (this.#isHit(this.#weather.doubled)) this.#bring(to, channel, payload)
    }
  }

  #bring(to: MemoryBus, channel: Channel, payload: Uint8Array): void {
    const { delayMs = 0, reordered } = this.#weather
    const late = delayMs > 0 ? this.#chance() * delayMs : 0
    const overtaken = this.#isHit(reordered) ? this.#chance() * OVERTAKEN_MS : 0
    this.#options.clock.after(late + overtaken, () => to.arrive(channel, payload))
  }

  #isHit(share = 0): boolean {
    return share > 0 && this.#chance() < share
  }

  #chance(): number {
    if (!this.#options.chance) throw new Error('Weather needs chance.')
    return this.#options.chance()
  }
}

interface Place {
  readonly clock: Clock
  readonly onError: (error: unknown) => void
  readonly spread: (channel: Channel, payload: Uint8Array) => void
  readonly leave: () => void
}

export class MemoryBus implements Bus {
  readonly counts = noCounts()
  readonly #place: Place
  readonly #watchers: Listeners<BusState>
  readonly #channels = new Map<Channel, Listeners<Uint8Array>>()
  #state: BusState = { state: 'connected' }
  #isClosed = false

  constructor(place: Place) {
    this.#place = place
    this.#watchers = new Listeners(place.onError)
  }

  get state(): BusState {
    return this.#state
  }

  publish(channel: Channel, payload: Uint8Array): void {
    if (this.#isAway || payload.length > MAX_PAYLOAD_BYTES) {
      this.counts.dropped += 1
      return
    }
    this.counts.published += 1
    this.counts.publishedBytes += payload.length
    this.#place.spread(channel, payload)
  }

  subscribe(channel: Channel, hear: (payload: Uint8Array) => void): () => void {
    const listeners = this.#channels.get(channel) ?? new Listeners<Uint8Array>(this.#place.onError)
    this.#channels.set(channel, listeners)
    return listeners.add(hear)
  }

  watch(watcher: (state: BusState) => void): () => void {
    return this.#watchers.add(watcher)
  }

  async flush(): Promise<boolean> {
    return !this.#isAway
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.cut()
    this.#isClosed = true
    this.#place.leave()
    this.#channels.clear()
  }

  /** This node is away from the bus, and knows it. */
  cut(): void {
    if (this.#isAway) return
    this.counts.losses += 1
    this.#become({ state: 'degraded', sinceMs: this.#place.clock.now() })
  }

  heal(): void {
    if (this.#isAway && !this.#isClosed) this.#become({ state: 'connected' })
  }

  /** For the network alone. */
  arrive(channel: Channel, payload: Uint8Array): void {
    const listeners = this.#channels.get(channel)
    if (this.#isAway || !listeners || listeners.isEmpty) return
    this.counts.received += 1
    this.counts.receivedBytes += payload.length
    listeners.tell(payload)
  }

  get #isAway(): boolean {
    return this.#state.state === 'degraded'
  }

  #become(state: BusState): void {
    this.#state = state
    this.#watchers.tell(state)
  }
}

function raise(error: unknown): never {
  throw error
}
