import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type RawData, WebSocket, WebSocketServer } from 'ws'
import type { SeededChance } from '../seeded-chance.ts'
import { type FrameFault, FrameLane, type FrameRule } from './frame-lane.ts'
import type { Direction } from './tcp-proxy.ts'

/**
 * A WebSocket proxy that misbehaves frame by frame: it knows what frames are, so it can lose only acknowledgements, say
 * things twice, or put them in another order. What goes wrong is a list of rules; without any it only passes on.
 */
export interface FrameProxy {
  readonly url: string
  /** Connections there ever were, and those open now. */
  readonly accepted: number
  readonly open: number
  /** How often each fault happened. */
  readonly bites: Readonly<Record<FrameFault, number>>
  /** From now on, on connections that are open too. */
  misbehave(rules: readonly FrameRule[]): void
  /** Behaves again, and passes on what it held. */
  calm(): void
  /** Ends every open connection without a word; answers how many. */
  cut(): number
  close(): Promise<void>
}

export interface FrameProxyOptions {
  /** Where the real server listens. */
  readonly target: { readonly port: number; readonly host?: string }
  readonly chance: SeededChance
  /** Sees every frame as it comes in, before anything happens to it. */
  readonly onFrame?: (direction: Direction, text: string) => void
  /** Puts other frames in its place: how a peer of another version speaks. */
  readonly translate?: (direction: Direction, text: string) => readonly string[]
}

export async function startFrameProxy({ target, chance, onFrame, translate }: FrameProxyOptions): Promise<FrameProxy> {
  const bites: Record<FrameFault, number> = { drop: 0, duplicate: 0, reorder: 0, truncate: 0, replay: 0 }
  const pairs = new Set<{ readonly cut: () => void; readonly lanes: readonly FrameLane[] }>()
  let rules: readonly FrameRule[] = []
  let accepted = 0
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false })
  const server = createServer((_request, response) => response.writeHead(404).end())

  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    accepted += 1
    socket.on('error', () => socket.destroy())
    const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim())
    const address = `ws://${target.host ?? '127.0.0.1'}:${target.port}${request.url ?? '/'}`
    const { origin } = request.headers
    const upstream = new WebSocket(address, protocols.filter(Boolean), {
      perMessageDeflate: false,
      ...(origin !== undefined && { origin }),
    })
    upstream.once('error', () => socket.destroy())
    upstream.once('open', () => webSockets.handleUpgrade(request, socket, head, (client) => join(client, upstream)))
  })

  function join(client: WebSocket, upstream: WebSocket) {
    const lane = (direction: Direction, from: WebSocket, to: WebSocket) => {
      const made = new FrameLane({
        direction,
        chance,
        rules: () => rules,
        onBite: (fault) => (bites[fault] += 1),
        send: (text) => void (to.readyState === WebSocket.OPEN && to.send(text)),
      })
      from.on('message', (data: RawData) => {
        const text = String(data)
        onFrame?.(direction, text)
        for (const said of translate?.(direction, text) ?? [text]) made.take(said)
      })
      from.on('close', (code) => {
        made.flush()
        // Codes that may not be sent tell that the other end is gone without a word.
        if (code === 1005 || code === 1006) to.terminate()
        else to.close(code)
        pairs.delete(pair)
      })
      from.on('error', () => to.terminate())
      return made
    }
    const lanes = [lane('up', client, upstream), lane('down', upstream, client)]
    const cut = () => {
      client.terminate()
      upstream.terminate()
    }
    const pair = { lanes, cut }
    pairs.add(pair)
  }

  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const cut = () => {
    const count = pairs.size
    for (const pair of [...pairs]) pair.cut()
    pairs.clear()
    return count
  }
  return {
    url: `ws://127.0.0.1:${port}`,
    bites,
    get accepted() {
      return accepted
    },
    get open() {
      return pairs.size
    },
    misbehave(next) {
      rules = next
    },
    calm() {
      rules = []
      for (const { lanes } of pairs) for (const lane of lanes) lane.flush()
    },
    cut,
    async close() {
      cut()
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
