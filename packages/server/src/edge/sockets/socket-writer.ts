import type { Duplex } from 'node:stream'
import { textFrame } from './text-frame.ts'

/** What may wait for a peer that reads slowly, in bytes. It catches up from its cursor when it returns. */
export const MAX_UNSENT_BYTES = 1_048_576
/** Up to here, the frames of one turn are joined into one buffer; beyond it joining costs more than it saves. */
const MAX_JOINED_BYTES = 65_536

/**
 * Writes frames to one socket: all that one turn of the event loop brings goes out as one write, which is what most of
 * the cost of a small frame is. Frames are framed once by whoever has several listeners for them.
 */
export class SocketWriter {
  readonly #socket: Duplex
  readonly #tooSlow: () => void
  #frames: Buffer[] = []
  #bytes = 0
  #isCut = false

  /** @param tooSlow called once, when the peer falls behind by more than {@link MAX_UNSENT_BYTES} */
  constructor(socket: Duplex, tooSlow: () => void) {
    this.#socket = socket
    this.#tooSlow = tooSlow
  }

  sendText(text: string): void {
    this.sendFrame(textFrame(text))
  }

  sendFrame(frame: Buffer): void {
    if (this.#isCut) return
    if (this.#bytes + frame.length + this.#socket.writableLength > MAX_UNSENT_BYTES) {
      this.#isCut = true
      this.#frames = []
      this.#tooSlow()
      return
    }
    if (this.#frames.length === 0) flushSoon(this)
    this.#frames.push(frame)
    this.#bytes += frame.length
  }

  /** Bytes that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#bytes + this.#socket.writableLength
  }

  /** Writes what has gathered; called by itself at the end of the turn, and before closing. */
  flush(): void {
    const frames = this.#frames
    if (frames.length === 0) return
    this.#frames = []
    const bytes = this.#bytes
    this.#bytes = 0
    if (this.#socket.destroyed || !this.#socket.writable) return
    if (frames.length === 1) this.#socket.write(frames[0])
    else if (bytes <= MAX_JOINED_BYTES) this.#socket.write(Buffer.concat(frames, bytes))
    else {
      this.#socket.cork()
      for (const frame of frames) this.#socket.write(frame)
      this.#socket.uncork()
    }
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#isCut = true
    this.#frames = []
    this.#bytes = 0
  }
}

let dirty: SocketWriter[] = []

function flushSoon(writer: SocketWriter): void {
  if (dirty.length === 0) setImmediate(flushAll)
  dirty.push(writer)
}

function flushAll(): void {
  const writers = dirty
  dirty = []
  for (const writer of writers) writer.flush()
}
