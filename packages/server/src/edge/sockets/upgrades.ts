import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { limits, SUBPROTOCOL } from '@parley/protocol'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import type { Session } from '../../model/state.ts'
import type { UpgradeRefusal } from '../../observability/tally.ts'
import type { Edge } from '../edge.ts'
import { LayerConnection } from '../layer/connection.ts'
import { LayerDesk } from '../layer/desk.ts'
import { NativeConnection } from '../native/connection.ts'
import { isOriginAllowed } from '../origins.ts'
import { FairTurns } from './fair-turns.ts'
import { Flushing } from './flushing.ts'
import { type Connect, Guest } from './guest.ts'
import { slotsWithin } from './slots.ts'
import { MAX_WAITING_UPGRADES, Turnstile } from './turnstile.ts'

/** The subprotocol of Layer's Web SDK 3. */
const LAYER_SUBPROTOCOL = 'layer-2.0'
/** A peer that was silent this long is pinged, and then has as long again to answer. */
const SILENCE_MS = 30_000
/** Those sent elsewhere come there one by one, this far apart while time allows: the more they are, the longer it takes. */
const MS_BETWEEN_MOVES = 2
/** Who has been asked to move and is still here so long after its time does not know how. */
const MOVE_GRACE_MS = 1_000
/** When whoever found no room may look again. */
const RETRY_AFTER_SECONDS = 5

export interface UpgradeOptions {
  readonly isOriginAllowed: (origin: string) => boolean
  readonly maxConnections: number
  /** Sockets from one address; no bound if undefined, since behind a proxy all come from its own. */
  readonly maxConnectionsPerAddress?: number | undefined
}

/** All sockets of the server. */
export interface Sockets {
  readonly size: number
  /** Whether people are asked to go elsewhere, for good or for a while. */
  readonly isAway: boolean
  /**
   * Lets nobody in any more, and asks everybody to go elsewhere, each at a time of its own: none before `noticeMs`, when those
   * who direct people here have noticed, and none later than `withinMs`. Until its time, a connection goes on as before.
   */
  drain(when: { readonly noticeMs: number; readonly withinMs: number }): void
  /** Asks everybody to go elsewhere soon, and lets nobody in, until it stands in again. */
  standAside(): void
  standIn(): void
  /** Whoever is still here is sent away, to come back spread over a window. */
  sendAway(windowMs: number): void
  /** Ends what will not end by itself. */
  terminate(): void
}

const ignore = () => undefined

function goAway(this: Duplex): void {
  this.destroy()
}

/** Answers upgrade requests: Parley's own clients by their subprotocol, Layer's by theirs. */
export function answerUpgrades(server: Server, edge: Edge, options: UpgradeOptions): Sockets {
  const webSockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxFrameBytes,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (offered) => [SUBPROTOCOL, LAYER_SUBPROTOCOL].find((name) => offered.has(name)) ?? false,
  })
  const layerDesk = new LayerDesk(edge)
  const turnstile = new Turnstile()
  const turns = new FairTurns()
  const flushing = new Flushing(() => edge.lane.isCommitting)
  const { maxConnectionsPerAddress } = options
  const { tally } = edge
  /** Sockets open, by the address they come from. Only where there is a bound: an address takes a system call. */
  const addresses = new Map<string, number>()
  const open = new Map<WebSocket, Guest>()

  let isDraining = false
  let isAside = false

  const refuseForNow = (raw: Duplex) => {
    tally.upgradesRefused.add('full')
    refuseUpgrade(raw, 503, 'Service Unavailable', `Retry-After: ${RETRY_AFTER_SECONDS}\r\n`)
  }
  const refuse = (raw: Duplex, reason: UpgradeRefusal, status: number, words: string) => {
    tally.upgradesRefused.add(reason)
    refuseUpgrade(raw, status, words)
  }

  // What lives as long as a connection is made out here: a function made where the request is at hand would keep it.
  const connectNative = (origin: string | undefined): Connect => ({
    dialect: 'native',
    connect: (socket) => new NativeConnection(edge, socket, origin),
  })
  const connectLayer = (session: Session): Connect => ({
    dialect: 'layer',
    connect: (socket) => new LayerConnection(layerDesk, socket, session),
  })

  function hear(this: WebSocket, data: RawData, isBinary: boolean): void {
    open.get(this)?.hear(data, isBinary)
  }
  function hearPong(this: WebSocket): void {
    const guest = open.get(this)
    if (guest) guest.isAlive = true
  }
  function leave(this: WebSocket): void {
    const guest = open.get(this)
    open.delete(this)
    guest?.gone()
  }

  const enter = (webSocket: WebSocket, raw: Duplex, connect: Connect) => {
    // Nobody comes back who said that no more will come: to say the same to them first, and to wait until it is taken, is
    // for nothing. A close frame was answered by then.
    raw.removeAllListeners('end').on('end', goAway)
    open.set(webSocket, new Guest(webSocket, raw, connect, { edge, turns, flushing }))
    webSocket.on('message', hear)
    webSocket.on('pong', hearPong)
    webSocket.on('error', ignore)
    webSocket.on('close', leave)
  }

  const accept = (request: IncomingMessage, raw: Duplex, head: Buffer, connect: Connect) => {
    // One that came in now would be sent away by nobody, and the server would wait for it.
    if (isDraining || isAside) return refuseForNow(raw)
    // It waited for its turn, and went.
    if (raw.destroyed) return
    // Not before the upgrade, which may fail: whatever becomes of it, its socket closes.
    if (maxConnectionsPerAddress !== undefined) raw.once('close', countIn(addresses, addressOf(request)))
    webSockets.handleUpgrade(request, raw, head, (webSocket) => enter(webSocket, raw, connect))
  }

  const isFull = (request: IncomingMessage) =>
    open.size >= options.maxConnections ||
    edge.greetings.waiting >= MAX_WAITING_UPGRADES ||
    (maxConnectionsPerAddress !== undefined && (addresses.get(addressOf(request)) ?? 0) >= maxConnectionsPerAddress)

  const passOn = (raw: Duplex, enter: () => void) => {
    if (!turnstile.pass(enter)) refuseForNow(raw)
  }

  server.on('upgrade', (request, raw, head) => {
    raw.on('error', goAway)
    const { origin } = request.headers
    if (origin !== undefined && !options.isOriginAllowed(origin)) return refuse(raw, 'origin', 403, 'Forbidden')
    if (isFull(request)) return refuseForNow(raw)
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    if (offered.includes(SUBPROTOCOL)) {
      return passOn(raw, () => accept(request, raw, head, connectNative(origin)))
    }
    if (!offered.includes(LAYER_SUBPROTOCOL)) return refuse(raw, 'subprotocol', 400, 'Bad Request')
    void layerSession(edge, request)
      .catch(() => undefined)
      .then((session) => {
        if (!session) return refuse(raw, 'authentication', 401, 'Unauthorized')
        if (session === 'foreign') return refuse(raw, 'origin', 403, 'Forbidden')
        passOn(raw, () => accept(request, raw, head, connectLayer(session)))
      })
  })

  const watch = setInterval(() => {
    for (const [webSocket, guest] of open) {
      if (guest.isAlive) {
        guest.isAlive = false
        webSocket.ping()
      } else webSocket.terminate()
    }
  }, SILENCE_MS)
  watch.unref()

  /** Asks everybody to go, the first after so long, the last a window later. */
  const moveAll = (fromMs: number, windowMs: number) => {
    const slots = slotsWithin(windowMs, open.size, Math.random)
    for (const [webSocket, { connection }] of open) {
      const afterMs = fromMs + slots.pop()!
      connection.move?.(afterMs)
      const graceMs = connection.move ? MOVE_GRACE_MS : 0
      edge.clock.after(afterMs + graceMs, () => open.has(webSocket) && connection.drain(0))
    }
  }

  return {
    get size() {
      return open.size
    },
    get isAway() {
      return isDraining || isAside
    },
    drain({ noticeMs, withinMs }) {
      isDraining = true
      clearInterval(watch)
      moveAll(noticeMs, Math.max(0, Math.min(open.size * MS_BETWEEN_MOVES, withinMs - noticeMs)))
    },
    standAside() {
      isAside = true
      moveAll(0, open.size * MS_BETWEEN_MOVES)
    },
    standIn() {
      isAside = false
    },
    sendAway(windowMs) {
      isDraining = true
      const slots = slotsWithin(windowMs, open.size, Math.random)
      for (const { connection } of open.values()) connection.drain(slots.pop()!)
    },
    terminate() {
      for (const webSocket of open.keys()) webSocket.terminate()
    },
  }
}

/** Layer's clients put the token into the address; it is looked at here and goes no further. */
async function layerSession(edge: Edge, request: IncomingMessage): Promise<Session | 'foreign' | undefined> {
  const token =
    new URL(request.url ?? '/', 'http://localhost').searchParams.get('session_token') ??
    /session-token=["']?([\w.-]+)/.exec(request.headers.authorization ?? '')?.[1]
  const session = token ? await edge.sessions.find(token) : undefined
  const isAllowed = !session || (await isOriginAllowed(edge.store, session.app, request.headers.origin))
  return isAllowed ? session : 'foreign'
}

function refuseUpgrade(raw: Duplex, status: number, reason: string, header = ''): void {
  raw.end(`HTTP/1.1 ${status} ${reason}\r\n${header}Connection: close\r\nContent-Length: 0\r\n\r\n`)
}

const addressOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? ''

function countIn(addresses: Map<string, number>, address: string): () => void {
  addresses.set(address, (addresses.get(address) ?? 0) + 1)
  return () => {
    const left = (addresses.get(address) ?? 1) - 1
    if (left > 0) addresses.set(address, left)
    else addresses.delete(address)
  }
}
