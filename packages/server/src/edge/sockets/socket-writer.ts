import type { Duplex } from 'node:stream'
import type { Flushing } from './flushing.ts'
import type { Outgoing } from './joined-frames.ts'
import type { SharedFrame } from './shared-frame.ts'
import { type ListText, listFrame } from './text-frame.ts'

/** What may wait for a peer that reads slowly, in bytes. It catches up from its cursor when it returns. */
export const MAX_UNSENT_BYTES = 1_048_576

/** Bytes of the buffer that lists are put together in, one after the other; a larger one gets a buffer of its own. */
const LIST_ROOM_BYTES = 327_680

/** Whoever has to do with what cannot be sent; of both, one is called, and once. */
export interface Peer {
  /** The peer fell behind by more than {@link MAX_UNSENT_BYTES}. */
  tooSlow(): void
  /** A frame could not be put into words, which is a bug; without it the peer would miss something and not know. */
  notWritable(error: unknown): void
}

/**
 * Writes frames to one socket: all that one turn of the event loop brings goes out as one write, which is what most of
 * the cost of a small frame is (see `Flushing`). Frames are put into words only then (see `SharedFrame`).
 */
export class SocketWriter {
  readonly #socket: Duplex
  readonly #peer: Peer
  readonly #flushing: Flushing
  /**
   * Made by the first frame of a turn and gone with it. A list that waited, empty, for a socket's next frames would be old
   * to the collector, and what once lay in an old list is kept, with all it leads to, until the whole heap is looked through.
   */
  #queue: Outgoing[] | undefined
  /** Characters of the texts in the queue. */
  #queuedLength = 0
  #isCut = false

  /** @param socket a TCP socket, or one that like it is done with a buffer once nothing of it waits to be written */
  constructor(socket: Duplex, peer: Peer, flushing: Flushing) {
    this.#socket = socket
    this.#peer = peer
    this.#flushing = flushing
  }

  sendText(text: string): void {
    if (this.#isCut) return
    if (this.unsentBytes > MAX_UNSENT_BYTES) {
      this.#cut()
      return
    }
    this.#queuedLength += text.length
    this.#send(text, 1)
  }

  sendFrame(frame: SharedFrame): void {
    if (!this.#isCut) this.#send(frame, ++frame.sockets)
  }

  /** A long list, for this socket alone: goes out at once, after what has gathered. Its items may be changed after. */
  sendList(list: ListText): void {
    if (this.#isCut) return
    if (this.unsentBytes > MAX_UNSENT_BYTES) {
      this.#cut()
      return
    }
    this.flush()
    const socket = this.#socket
    if (this.#isCut || socket.destroyed || !socket.writable) return
    // A buffer for each would be megabytes of a long absence, and the collector looks through everything for them.
    const frame = listFrame(list, socket.writableLength > 0 ? undefined : listRoom)
    socket.write(frame)
    if (socket.writableLength > 0 && frame.buffer === listRoom.buffer) listRoom = newListRoom()
  }

  /** Roughly, the bytes that the peer has not taken yet. */
  get unsentBytes(): number {
    return this.#queuedLength + this.#socket.writableLength
  }

  /** Writes what has gathered; called by itself at the end of the turn, and before closing. */
  flush(): void {
    const queue = this.#queue
    if (!queue) return
    this.#clear()
    const socket = this.#socket
    if (socket.destroyed || !socket.writable) return
    const { joined } = this.#flushing
    let bytes: Buffer
    try {
      bytes = socket.writableLength > 0 ? joined.keep(queue) : joined.join(queue)
    } catch (error) {
      this.stop()
      this.#peer.notWritable(error)
      return
    }
    // Who has taken everything so far may get more than that at once: a page of a large conversation is one frame.
    if (socket.writableLength > 0 && bytes.length + socket.writableLength > MAX_UNSENT_BYTES) {
      this.#cut()
      return
    }
    socket.write(bytes)
    if (socket.writableLength > 0) joined.leave()
  }

  /** Nothing more is sent. */
  stop(): void {
    this.#isCut = true
    this.#clear()
  }

  #send(outgoing: Outgoing, sockets: number): void {
    if (this.#queue) this.#queue.push(outgoing)
    else {
      this.#queue = [outgoing]
      this.#flushing.add(this)
    }
    this.#flushing.due(sockets)
  }

  #cut(): void {
    if (this.#isCut) return
    this.stop()
    this.#peer.tooSlow()
  }

  #clear(): void {
    this.#queue = undefined
    this.#queuedLength = 0
  }
}

const newListRoom = () => Buffer.allocUnsafeSlow(LIST_ROOM_BYTES)
let listRoom = newListRoom()
