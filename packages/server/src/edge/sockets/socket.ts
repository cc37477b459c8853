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

/** @param raw the TCP socket under the WebSocket, as the upgrade gave it */
export function openSocket(webSocket: WebSocket, raw: Duplex, peer: Peer, flushing: Flushing): Socket {
  const writer = new SocketWriter(raw, peer, flushing)
  let pauses = 0
  return {
    sendText: (text) => writer.sendText(text),
    sendList: (list) => writer.sendList(list),
    sendFrame: (frame) => writer.sendFrame(frame),
    async drained(bytes) {
      while (writer.unsentBytes > bytes && !raw.destroyed) {
        writer.flush()
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
    },
    pause() {
      if (pauses++ === 0) webSocket.pause()
    },
    resume() {
      if (--pauses === 0) webSocket.resume()
    },
    close(code) {
      writer.flush()
      writer.stop()
      webSocket.close(code)
      setTimeout(() => webSocket.terminate(), CLOSE_TIMEOUT_MS).unref()
    },
  }
}
