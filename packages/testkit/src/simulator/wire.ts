/**
 * One connection between a device and the server, as bad as chance wants it. Frames keep their order, as TCP does; what
 * may happen is that they take their time, are held, vanish in a line that neither end knows is dead, or are lost with
 * the line.
 */
import { listFrame, type Socket as ServerSocket, textOf } from '@parley/server/in-process'
import type { SeededChance } from '../seeded-chance.ts'
import type { Timeline } from './timeline.ts'

/** The device's end; what the SDK asks of a socket. */
export interface DeviceEnd {
  send(text: string): void
  close(code?: number): void
  onopen: (() => void) | null
  onmessage: ((text: string | undefined) => void) | null
  onclose: ((code: number) => void) | null
}

/** The server's connection, as the line talks to it. */
export interface ServerConnection {
  receive(text: string): void
  gone(): void
  tooSlow(): void
}

/** What becomes of a line. */
export type Cut =
  /** Both ends learn of it; what was under way is lost. */
  | 'reset'
  /** Only the device learns of it; the server believes in it until its patience ends. */
  | 'device-told'
  /** Only the server learns of it; the device goes on talking into nothing. */
  | 'server-told'
  /** Nobody learns of it. */
  | 'half-open'
  /** What the server says is held back for good, what the device says arrives. */
  | 'deaf'

export interface WireOptions {
  readonly timeline: Timeline
  readonly chance: SeededChance
  /** The longest a frame takes. */
  readonly latencyMs: number
  /** What may wait for a device that does not read. */
  readonly maxUnsentBytes: number
  /** How long a server talks to nobody before it notices. */
  readonly serverPatienceMs: number
  /** Opens the server's side, unless nobody is there. */
  readonly accept: (socket: ServerSocket) => ServerConnection | undefined
  /** What becomes of a frame: itself, unless something is broken on purpose. */
  readonly tamper: (direction: 'up' | 'down', text: string) => string | undefined
  /** Called for each frame the server says, whether it arrives or not. */
  readonly onSaid: (text: string) => void
  /** Called for each frame that arrives; the line may break right after it. */
  readonly onFrame: (direction: 'up' | 'down', text: string) => Cut | undefined
}

type Direction = 'up' | 'down'

export class Wire {
  readonly device: DeviceEnd
  readonly #options: WireOptions
  #connection: ServerConnection | undefined
  readonly #queues: Record<Direction, string[]> = { up: [], down: [] }
  readonly #isMoving: Record<Direction, boolean> = { up: false, down: false }
  readonly #isDead: Record<Direction, boolean> = { up: false, down: false }
  #unsentBytes = 0
  #isServerPaused = false
  #isOpen = false
  #closeCode: number | undefined
  #deviceKnows = false
  #serverKnows = false
  #drainWaiters: (() => void)[] = []

  constructor(options: WireOptions) {
    this.#options = options
    this.device = {
      onopen: null,
      onmessage: null,
      onclose: null,
      send: (text) => this.#put('up', text),
      close: (code = 1000) => {
        this.#tellDevice(code)
        this.#tellServerLater()
      },
    }
    options.timeline.after(this.#delay(), () => this.#open())
  }

  get isOpen(): boolean {
    return this.#isOpen && !this.#deviceKnows && !this.#serverKnows
  }

  cut(how: Cut): void {
    if (how === 'deaf') {
      this.#isDead.down = true
      return
    }
    this.#isDead.up = true
    this.#isDead.down = true
    if (how === 'reset' || how === 'device-told') this.#tellDevice(1006)
    if (how === 'reset' || how === 'server-told') this.#tellServer()
    else this.#options.timeline.after(this.#options.serverPatienceMs, () => this.#tellServer())
  }

  /** The server's machine is gone. Its system may still tell the device, or there is nobody left to do that. */
  serverDied(isDeviceTold: boolean): void {
    this.#serverKnows = true
    this.#connection = undefined
    this.#isDead.up = true
    this.#isDead.down = true
    if (isDeviceTold) this.#tellDevice(1006)
  }

  /** The device is gone, and says nothing more. */
  deviceDied(): void {
    this.#deviceKnows = true
    this.#isDead.down = true
    this.#isDead.up = true
    this.#options.timeline.after(this.#options.serverPatienceMs, () => this.#tellServer())
  }

  #open(): void {
    if (this.#deviceKnows) return
    const connection = this.#options.accept(this.#serverSocket())
    if (!connection) {
      this.#serverKnows = true
      this.#tellDevice(1006)
      return
    }
    this.#connection = connection
    this.#isOpen = true
    this.device.onopen?.()
  }

  #serverSocket(): ServerSocket {
    return {
      sendText: (text) => this.#send(text),
      sendFrame: (frame) => this.#send(frame.text),
      sendList: (list) => this.#send(textOf(listFrame(list))),
      drained: (bytes) => this.#drained(bytes),
      pause: () => {
        this.#isServerPaused = true
      },
      resume: () => {
        this.#isServerPaused = false
        this.#move('up')
      },
      close: (code) => {
        this.#closeCode ??= code
        this.#serverKnows = true
        this.#move('down')
      },
    }
  }

  #send(text: string): void {
    if (this.#closeCode !== undefined || this.#serverKnows) return
    this.#options.onSaid(text)
    this.#unsentBytes += text.length
    if (this.#unsentBytes > this.#options.maxUnsentBytes) {
      this.#connection?.tooSlow()
      return
    }
    this.#put('down', text)
  }

  #put(direction: Direction, text: string): void {
    if (direction === 'up' && (this.#deviceKnows || !this.#isOpen)) return
    this.#queues[direction].push(text)
    this.#move(direction)
  }

  #move(direction: Direction): void {
    if (this.#isMoving[direction] || this.#isDead[direction]) return
    const isOver = direction === 'down' && this.#closeCode !== undefined
    if (this.#queues[direction].length === 0 && !isOver) return
    if (direction === 'up' && this.#isServerPaused) return
    this.#isMoving[direction] = true
    this.#options.timeline.after(this.#delay(), () => {
      this.#isMoving[direction] = false
      this.#deliver(direction)
    })
  }

  /** A packet holds one frame or several; what is in it arrives in one turn. */
  #deliver(direction: Direction): void {
    const queue = this.#queues[direction]
    const count = 1 + this.#options.chance.below(queue.length || 1)
    for (let i = 0; i < count && queue.length > 0 && !this.#isDead[direction]; i++) {
      if (direction === 'up' && this.#isServerPaused) return
      const sent = queue.shift()!
      if (direction === 'down') this.#unsentBytes -= sent.length
      const text = this.#options.tamper(direction, sent)
      if (text === undefined) continue
      const cut = this.#options.onFrame(direction, text)
      if (direction === 'up') this.#connection?.receive(text)
      else if (!this.#deviceKnows) this.device.onmessage?.(text)
      if (cut) this.cut(cut)
    }
    for (const wake of this.#drainWaiters.splice(0)) wake()
    if (direction === 'down' && queue.length === 0 && this.#closeCode !== undefined && !this.#isDead.down) {
      this.#isDead.down = true
      this.#tellDevice(this.#closeCode)
      return
    }
    this.#move(direction)
  }

  async #drained(bytes: number): Promise<void> {
    while (this.#unsentBytes > bytes && !this.#serverKnows) {
      await new Promise<void>((resolve) => this.#drainWaiters.push(resolve))
    }
  }

  #delay(): number {
    const { chance, latencyMs } = this.#options
    return latencyMs === 0 ? 0 : chance.below(latencyMs)
  }

  #tellServerLater(): void {
    if (this.#serverKnows) return
    const isHeard = !this.#isDead.up
    this.#options.timeline.after(isHeard ? this.#delay() : this.#options.serverPatienceMs, () => this.#tellServer())
  }

  #tellDevice(code: number): void {
    if (this.#deviceKnows) return
    this.#deviceKnows = true
    this.device.onclose?.(code)
  }

  #tellServer(): void {
    for (const wake of this.#drainWaiters.splice(0)) wake()
    if (this.#serverKnows) return
    this.#serverKnows = true
    this.#isDead.up = true
    this.#connection?.gone()
  }
}
