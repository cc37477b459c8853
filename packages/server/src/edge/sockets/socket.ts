import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Flushing } from './flushing.ts'
import type { SharedFrame } from './shared-frame.ts'
import { type Peer, SocketWriter } from './socket-writer.ts'
import type { ListText } from './text-frame.ts'

/** A WebSocket as connections use it: text out, coalesced and bounded; flow control both ways. */
export interface Socket {
  sendText(text: string): void
  /** A long list, which is not joined with what else goes out. Its items may be changed after. */
  sendList(list: ListText): void
  /** A message that several sockets get. */
  sendFrame(frame: SharedFrame): void
  /** Resolves once no more than `bytes` are unsent, or the socket is gone. */
  drained(bytes: number): Promise<void>
  /** Stops and resumes reading from the peer; each pause is to be resumed once, and may have several reasons. */
  pause(): void
  resume(): void
  /** Sends what is left and closes; a peer that does not answer is cut. */
  close(code: number): void
}

/** How long a peer has to take the last frames and answer the close. */
const CLOSE_TIMEOUT_MS = 3_000

/** One object for all that a connection needs of its WebSocket: of idle ones there are tens of thousands. */
export class WrittenSocket extends SocketWriter implements Socket {
  readonly #webSocket: WebSocket
  readonly #raw: Duplex
  #pauses = 0

  /** @param raw the TCP socket under the WebSocket, as the upgrade gave it */
  constructor(webSocket: WebSocket, raw: Duplex, peer: Peer, flushing: Flushing) {
    super(raw, peer, flushing)
    this.#webSocket = webSocket
    this.#raw = raw
  }

  async drained(bytes: number): Promise<void> {
    const raw = this.#raw
    while (this.unsentBytes > bytes && !raw.destroyed) {
      this.flush()
      await new Promise<void>((resolve) => {
        const done = () => {
          raw.off('drain', done)
          raw.off('close', done)
          resolve()
        }
        if (raw.writableNeedDrain) raw.once('drain', done).once('close', done)
        else setImmediate(done)
      })
    }
  }

  pause(): void {
    if (this.#pauses++ === 0) this.#webSocket.pause()
  }

  resume(): void {
    if (--this.#pauses === 0) this.#webSocket.resume()
  }

  close(code: number): void {
    this.flush()
    this.stop()
    this.#webSocket.close(code)
    setTimeout(() => this.#webSocket.terminate(), CLOSE_TIMEOUT_MS).unref()
  }
}
