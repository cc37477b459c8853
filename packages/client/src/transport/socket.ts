import { SUBPROTOCOL } from '@parley/protocol'
import { ParleyError } from '../errors.ts'

/** One connection of text frames. The three handlers are set right after opening, before anything can happen. */
export interface Socket {
  send(text: string): void
  /** As one who is done. Safe to call twice. `onclose` follows, though not necessarily soon. */
  close(): void
  onopen: (() => void) | null
  /** Undefined for a frame that is not text. */
  onmessage: ((text: string | undefined) => void) | null
  /** Once, whether it opened or not. */
  onclose: ((code: number) => void) | null
}

export type SocketFactory = (url: string, protocol: string) => Socket

/** Where to, and with what, if the app gave something. */
export interface SocketAddress {
  readonly url: string
  readonly sockets: SocketFactory | undefined
  readonly webSocket: WebSocketClass | undefined
}

/** What we use of the standard WebSocket class; the `ws` package's fits as well. */
export type WebSocketClass = new (
  url: string,
  protocol: string,
) => {
  readonly protocol: string
  send(text: string): void
  close(code?: number): void
  // `never`: each platform has event classes of its own, all with the little we read of them.
  onopen: ((event: never) => unknown) | null
  onmessage: ((event: never) => unknown) | null
  onclose: ((event: never) => unknown) | null
  onerror: ((event: never) => unknown) | null
}

/** @throws where there is no address, or no WebSocket */
export const openSocket = ({ url, sockets, webSocket }: SocketAddress): Socket =>
  (sockets ?? webSockets(webSocket))(url, SUBPROTOCOL)

/**
 * Sockets by the given class, or the global one. Node has none before version 22: install `ws` and pass its
 * `WebSocket` as the `webSocket` option.
 */
export function webSockets(given?: WebSocketClass): SocketFactory {
  return (url, protocol) => {
    const WebSocketClass = given ?? (globalThis as { WebSocket?: WebSocketClass }).WebSocket
    if (!WebSocketClass) {
      throw new ParleyError(
        'no_websocket',
        "This platform has no WebSocket. Install 'ws' and pass its class: createClient({ webSocket: WebSocket, … }).",
      )
    }
    return wrap(new WebSocketClass(url, protocol), protocol)
  }
}

/** The close code of one who is done. */
const NORMAL = 1000

function wrap(webSocket: InstanceType<WebSocketClass>, protocol: string): Socket {
  let isClosed = false
  const socket: Socket = {
    onopen: null,
    onmessage: null,
    onclose: null,
    send: (text) => webSocket.send(text),
    close() {
      try {
        webSocket.close(NORMAL)
      } finally {
        // A dead network can keep the closing handshake waiting for minutes; for us it is over now.
        closed(NORMAL)
      }
    },
  }
  const closed = (code: number) => {
    if (isClosed) return
    isClosed = true
    socket.onclose?.(code)
  }
  webSocket.onopen = () => {
    // Somebody who answers without our subprotocol is not a Parley server; no token is said to them.
    if (webSocket.protocol === protocol) socket.onopen?.()
    else socket.close()
  }
  webSocket.onmessage = (event: { readonly data: unknown }) => {
    if (!isClosed) socket.onmessage?.(typeof event.data === 'string' ? event.data : undefined)
  }
  webSocket.onclose = (event: { readonly code: number }) => closed(event.code)
  // An error is always followed by close; listening keeps `ws` from throwing it.
  webSocket.onerror = () => {}
  return socket
}
