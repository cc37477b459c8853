import { EarlyDeletions } from './early-deletions.ts'
import type { Packet } from './packets.ts'
import { iso } from './views/address.ts'

/** Entries that may wait for one before them. Beyond it the peer is cut off and replays when it returns. */
const MAX_WAITING = 10_000

/** @param at the packet's timestamp, if not now: Layer's clients take it for how far they have heard */
export type Send = (packet: Packet, at?: number) => void

/** Sends at once, or when what it takes is there. */
export type Entry = (send: Send) => Promise<void> | void

export interface PacketQueueOptions {
  readonly sendText: (text: string) => void
  readonly now: () => number
  readonly after: (ms: number, callback: () => void) => unknown
  /** Something in line could not be had: what follows would make no sense. */
  readonly failed: (error: unknown) => void
}

/**
 * The packets of one socket, in the order their entries were put in line, whatever each of them waits for: an answer
 * that waits for its commit, a change that needs a look into the store. A deletion that would come to nothing so soon after
 * what it deletes gets another place in line, a little later. It owns the socket's counter.
 */
export class PacketQueue {
  readonly #options: PacketQueueOptions
  readonly #early = new EarlyDeletions()
  #counter = 0
  #waiting = 0
  #tail: Promise<void> | undefined
  #isStopped = false
  /** Entries that wait for {@link begin}, while they do. */
  #held: Entry[] | undefined

  constructor(options: PacketQueueOptions) {
    this.#options = options
  }

  /** Counter of the newest packet sent; -1 before the first. */
  get lastCounter(): number {
    return this.#counter - 1
  }

  /** Whether something waits: what is worth nothing later is better not put in line. */
  get isBehind(): boolean {
    return this.#held !== undefined || this.#tail !== undefined
  }

  /** Sends nothing until {@link begin}. */
  hold(): void {
    this.#held ??= []
  }

  /** @param first puts in line what comes before everything that was held */
  begin(first: () => void = () => undefined): void {
    const held = this.#held ?? []
    this.#held = undefined
    first()
    for (const entry of held) this.put(entry)
  }

  put(entry: Entry): void {
    if (this.#isStopped) return
    if (this.#held) {
      if (this.#held.push(entry) > MAX_WAITING) this.#fail(new Error('Too much waits to be sent.'))
      return
    }
    if (!this.#tail) {
      const waiting = this.#run(entry)
      if (waiting) this.#wait(waiting)
      return
    }
    this.#waiting++
    if (this.#waiting > MAX_WAITING) {
      this.#fail(new Error('Too much waits to be sent.'))
      return
    }
    this.#wait(
      this.#tail.then(() => {
        this.#waiting--
        return this.#run(entry)
      }),
    )
  }

  stop(): void {
    this.#isStopped = true
  }

  #run(entry: Entry): Promise<void> | undefined {
    if (this.#isStopped) return undefined
    try {
      return entry(this.#send) ?? undefined
    } catch (error) {
      this.#fail(error)
      return undefined
    }
  }

  #wait(entry: Promise<void>): void {
    const tail: Promise<void> = entry
      .catch((error) => this.#fail(error))
      .then(() => {
        if (this.#tail === tail) this.#tail = undefined
      })
    this.#tail = tail
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#options.failed(error)
  }

  #send: Send = (packet, at) => {
    const { now, after } = this.#options
    const holdMs = this.#early.holdMs(packet, now())
    if (holdMs === 0) this.#write(packet, at)
    else after(holdMs, () => this.put(() => this.#write(packet, at)))
  }

  #write(packet: Packet, at = this.#options.now()): void {
    if (this.#isStopped) return
    const { type } = packet
    this.#options.sendText(
      `{"type":"${type}","counter":${this.#counter++},"timestamp":"${iso(at)}","body":${bodyOf(packet)}}`,
    )
  }
}

/** A packet's body as text, written once for all sockets that get it. */
function bodyOf(packet: Packet): string {
  const known = bodies.get(packet)
  if (known !== undefined) return known
  const body = JSON.stringify(packet.body)
  bodies.set(packet, body)
  return body
}

const bodies = new WeakMap<Packet, string>()
