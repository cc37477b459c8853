import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Lane, type Weather } from './lane.ts'

/**
 * A TCP proxy that misbehaves on demand. It listens on a port of its own and passes bytes to a target; the test says what
 * goes wrong. Every fault applies to the connections that are open and to those that follow, until `calm()`.
 *
 *     client ──up──▶ proxy ──up──▶ target
 *     client ◀─down─ proxy ◀─down─ target
 */
export interface TcpProxy {
  readonly host: string
  readonly port: number
  /** Connections that are open now, and all there ever were. */
  readonly open: number
  readonly accepted: number
  /** Bytes passed on so far. */
  readonly passed: Readonly<Record<Direction, number>>
  /** Every byte arrives this much later. */
  delay(ms: number): void
  throttle(bytesPerSecond: number): void
  /** Connections stay open, nothing passes, in one direction or both; what was sent meanwhile passes after `calm()`. */
  stall(direction?: Direction): void
  /** New connections are accepted, then nobody answers; open ones stall. What was sent meanwhile is lost. */
  blackHole(): void
  /** New connections are refused as if nothing listened there; open ones are reset. */
  refuse(): Promise<void>
  /** Resets all open connections. Returns how many. */
  cut(): number
  /** Passes exactly this many more bytes in one direction, then closes that connection. Resolves when it did. */
  cutAfter(bytes: number, direction: Direction): Promise<void>
  /** Ends every fault; a stalled connection flows again, one in a black hole is reset. */
  calm(): Promise<void>
  close(): Promise<void>
}

export type Direction = 'up' | 'down'

export interface TcpProxyOptions {
  readonly target: { readonly host?: string; readonly port: number }
  readonly host?: string
  /** 0, the default, takes any free port. */
  readonly port?: number
}

interface Pair {
  readonly sockets: readonly Socket[]
  readonly lanes: readonly Lane[]
}

export async function startTcpProxy({ target, host = '127.0.0.1', port = 0 }: TcpProxyOptions): Promise<TcpProxy> {
  const weather: Weather = {
    delayMs: 0,
    bytesPerSecond: Number.POSITIVE_INFINITY,
    isStalled: { up: false, down: false },
    cuts: {},
  }
  const passed = { up: 0, down: 0 }
  const pairs = new Set<Pair>()
  const lost = new Set<Socket>()
  let isBlackHole = false
  let accepted = 0

  const server = createServer({ allowHalfOpen: true }, (client) => {
    accepted += 1
    if (isBlackHole) return swallow(client)
    const upstream = connect({ host: target.host ?? '127.0.0.1', port: target.port, allowHalfOpen: true })
    const lane = (direction: Direction, from: Socket, to: Socket) =>
      new Lane({
        from,
        to,
        direction,
        weather,
        onPassed: (bytes) => (passed[direction] += bytes),
        onCut: () => end(pair),
      })
    const pair: Pair = {
      sockets: [client, upstream],
      lanes: [lane('up', client, upstream), lane('down', upstream, client)],
    }
    pairs.add(pair)
    for (const socket of pair.sockets) {
      socket.setNoDelay(true)
      socket.on('error', () => reset(pair))
      socket.on('close', (hadError) =>
        hadError ? reset(pair) : pair.sockets.every((one) => one.destroyed) && end(pair),
      )
    }
  })

  function swallow(client: Socket) {
    lost.add(client)
    client.on('error', () => {})
    client.on('close', () => lost.delete(client))
  }
  const end = (pair: Pair) => {
    if (!pairs.delete(pair)) return
    for (const lane of pair.lanes) lane.close()
    for (const socket of pair.sockets) socket.destroy()
  }
  const reset = (pair: Pair) => {
    for (const socket of pair.sockets) if (!socket.destroyed) socket.resetAndDestroy()
    end(pair)
  }
  const cut = () => {
    const count = pairs.size
    for (const pair of [...pairs]) reset(pair)
    return count
  }
  const flow = () => {
    for (const pair of pairs) for (const lane of pair.lanes) lane.pump()
  }
  const listen = (onPort: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(onPort, host, () => {
        server.off('error', reject)
        resolve()
      })
    })
  /** The port is free again at once; the promise of `close` itself would wait for the connections as well. */
  const stopListening = () => void (server.listening && server.close())

  await listen(port)
  const bound = (server.address() as AddressInfo).port

  return {
    host,
    port: bound,
    passed,
    get open() {
      return pairs.size + lost.size
    },
    get accepted() {
      return accepted
    },
    delay(ms) {
      weather.delayMs = ms
    },
    throttle(bytesPerSecond) {
      weather.bytesPerSecond = bytesPerSecond
    },
    stall(direction) {
      for (const each of direction ? [direction] : (['up', 'down'] as const)) weather.isStalled[each] = true
    },
    blackHole() {
      isBlackHole = true
      for (const pair of [...pairs]) {
        pairs.delete(pair)
        for (const lane of pair.lanes) lane.close()
        for (const socket of pair.sockets) swallow(socket)
      }
    },
    async refuse() {
      stopListening()
      cut()
    },
    cut,
    cutAfter: (bytes, direction) =>
      new Promise((resolve) => {
        weather.cuts[direction] = { bytes, done: resolve }
      }),
    async calm() {
      Object.assign(weather, {
        delayMs: 0,
        bytesPerSecond: Number.POSITIVE_INFINITY,
        isStalled: { up: false, down: false },
        cuts: {},
      })
      isBlackHole = false
      for (const socket of [...lost]) socket.resetAndDestroy()
      flow()
      if (!server.listening) await listen(bound)
    },
    async close() {
      stopListening()
      cut()
      for (const socket of [...lost]) socket.destroy()
    },
  }
}
