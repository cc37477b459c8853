/**
 * Sockets in memory that move when the test moves them. The network owns every pair it opened and the frames under
 * way in both directions; what a frame means is left to the two ends.
 */
export interface ClientEnd {
  send(text: string): void
  close(code?: number): void
  onopen: (() => void) | null
  onmessage: ((text: string | undefined) => void) | null
  onclose: ((code: number) => void) | null
}

/** What a server in the test sees of one connection. */
export interface ServerEnd {
  readonly protocol: string
  send(text: string): void
  close(code?: number): void
  onmessage: ((text: string) => void) | null
  onclose: (() => void) | null
}

export type Direction = 'up' | 'down'

/** What the network does with one frame: the frames to deliver instead of it. */
export type Tamper = (text: string, direction: Direction) => readonly string[]

export class HandCrankedNetwork {
  /** Called for each connection that opens. */
  accept: (server: ServerEnd) => void
  /** While false, nothing opens and nothing moves; sockets that are open stay half-open. */
  isUp = true
  /** While true, new connections are refused at once, as by a machine without a server. */
  isRefusing = false
  tamper: Tamper = (text) => [text]
  /** How many sockets were ever opened. */
  opened = 0
  readonly #wires = new Set<Wire>()

  constructor(accept: (server: ServerEnd) => void = () => {}) {
    this.accept = accept
  }

  open = (_url: string, protocol: string): ClientEnd => {
    const wire = new Wire(protocol, this)
    this.#wires.add(wire)
    return wire.client
  }

  /** Delivers what is under way, and what that causes, until nothing moves; answers how many frames it was. */
  deliver(): number {
    let delivered = 0
    for (let moved = true; moved; ) {
      moved = false
      for (const wire of [...this.#wires]) {
        const frames = this.isUp ? wire.step() : 0
        if (wire.isOver) this.#wires.delete(wire)
        if (frames > 0) moved = true
        delivered += frames
      }
    }
    return delivered
  }

  /** Cuts every connection; both ends are told, what was under way is lost. */
  cut(): void {
    for (const wire of [...this.#wires]) wire.cut()
    this.#wires.clear()
  }

  get connections(): number {
    return [...this.#wires].filter((wire) => wire.isOpen).length
  }
}

class Wire {
  readonly client: ClientEnd
  readonly server: ServerEnd
  readonly #network: HandCrankedNetwork
  #state: 'opening' | 'open' | 'closed' = 'opening'
  #up: string[] = []
  #down: string[] = []
  /** The server's close travels behind its frames. */
  #closeCode: number | undefined
  #clientKnows = false
  #serverKnows = false

  constructor(protocol: string, network: HandCrankedNetwork) {
    this.#network = network
    this.client = {
      onopen: null,
      onmessage: null,
      onclose: null,
      send: (text) => {
        if (this.#state === 'open' && !this.#clientKnows) this.#up.push(...network.tamper(text, 'up'))
      },
      close: (code = 1000) => {
        this.#state = 'closed'
        this.#tellClient(code)
        this.#tellServer()
      },
    }
    this.server = {
      protocol,
      onmessage: null,
      onclose: null,
      send: (text) => {
        if (this.#state === 'open') this.#down.push(...network.tamper(text, 'down'))
      },
      close: (code = 1000) => {
        this.#closeCode ??= code
        this.#tellServer()
      },
    }
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get isOver(): boolean {
    return this.#state === 'closed'
  }

  step(): number {
    if (this.#state === 'opening') return this.#open()
    if (this.#state === 'closed') return 0
    const up = this.#up.splice(0)
    for (const text of up) this.server.onmessage?.(text)
    const down = this.#down.splice(0)
    for (const text of down) if (!this.#clientKnows) this.client.onmessage?.(text)
    if (this.#closeCode !== undefined && this.#down.length === 0) {
      this.#state = 'closed'
      this.#tellClient(this.#closeCode)
      return 1
    }
    return up.length + down.length
  }

  cut(): void {
    this.#state = 'closed'
    this.#tellServer()
    this.#tellClient(1006)
  }

  #open(): number {
    if (this.#network.isRefusing) {
      this.cut()
      return 1
    }
    this.#state = 'open'
    this.#network.opened++
    this.#network.accept(this.server)
    this.client.onopen?.()
    return 1
  }

  #tellClient(code: number): void {
    if (this.#clientKnows) return
    this.#clientKnows = true
    this.client.onclose?.(code)
  }

  #tellServer(): void {
    if (this.#serverKnows) return
    this.#serverKnows = true
    this.server.onclose?.()
  }
}
