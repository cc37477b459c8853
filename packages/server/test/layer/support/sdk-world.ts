/**
 * The world a Layer SDK lives in during a walk: the SDK, one client, and a record of everything that went over the wire.
 * It runs beside the SDK, in a page or in a process of its own; tests reach it through an `SdkHost`.
 */
import type { LayerModule, SdkClient, SdkEvent, SdkQuery } from 'layer-websdk'

export interface WorldOptions {
  readonly url: string
  readonly websocketUrl: string
  readonly appId: string
}

/** A request over HTTP, or a packet over a socket, in the order they began. */
export interface WireEntry {
  readonly way: 'http' | 'up' | 'down'
  /** `GET /conversations?page_size=100`, or a packet's method or kind. */
  readonly what: string
  status?: number
  readonly body?: unknown
  /** When it began, in Unix milliseconds and parts of them: what came together has nearly the same. */
  readonly at: number
}

export interface SdkWorld {
  readonly layer: LayerModule
  readonly client: SdkClient
  readonly wire: WireEntry[]
  /** Names of the client's events, as they came. */
  readonly events: string[]
  /** Texts of messages the SDK would notify its user of. */
  readonly notified: string[]
  readonly queries: Record<string, SdkQuery>
}

const WATCHED = [
  ...['ready', 'authenticated', 'authenticated-error', 'deauthenticated', 'challenge'],
  ...['conversations:sent', 'conversations:sent-error', 'messages:sent', 'messages:sent-error'],
]

export function createWorld(
  layer: LayerModule,
  options: WorldOptions,
  identityToken: (nonce: string) => Promise<string>,
): SdkWorld {
  const wire: WireEntry[] = []
  recordHttp(wire, options.url)
  recordSockets(wire)
  const client = new layer.Client({ ...options, telemetryEnabled: false })
  const events: string[] = []
  const notified: string[] = []
  for (const name of WATCHED) client.on(name, () => events.push(name))
  client.on('challenge', (event: SdkEvent) => {
    void identityToken(event.nonce!).then((token) => event.callback!(token))
  })
  client.on('messages:notify', ({ message }: SdkEvent) => {
    // Gone again before anybody was told: the SDK empties what was deleted meanwhile.
    const [part] = message?.parts ?? []
    if (part) notified.push(part.body)
  })
  return { layer, client, wire, events, notified, queries: {} }
}

function recordHttp(wire: WireEntry[], url: string): void {
  const { open, send } = XMLHttpRequest.prototype
  const entries = new WeakMap<XMLHttpRequest, Omit<WireEntry, 'body'> & { body?: unknown }>()
  XMLHttpRequest.prototype.open = function (this: XMLHttpRequest, ...args: Parameters<typeof open>) {
    const [method, address] = args
    entries.set(this, { way: 'http', what: `${method} ${String(address).replace(url, '')}`, at: clock() })
    return Reflect.apply(open, this, args)
  } as typeof open
  XMLHttpRequest.prototype.send = function (this: XMLHttpRequest, body?: Parameters<typeof send>[0]) {
    const entry = entries.get(this)!
    if (typeof body === 'string' && body !== '') entry.body = JSON.parse(body)
    wire.push(entry)
    for (const name of ['load', 'loadend'] as const) {
      this.addEventListener(name, () => {
        entry.status = this.status
      })
    }
    return Reflect.apply(send, this, [body])
  } as typeof send
}

function recordSockets(wire: WireEntry[]): void {
  const record = (way: 'up' | 'down', text: string) => {
    const packet = JSON.parse(text) as {
      readonly type: string
      readonly body: {
        readonly operation?: string
        readonly object?: { readonly type?: string }
        readonly method?: string
        readonly type?: string
      }
    }
    const { operation, object, method, type } = packet.body
    const what = operation ? `${operation} ${object?.type}` : (method ?? type)
    wire.push({ way, what: `${packet.type} ${what}`, body: packet, at: clock() })
  }
  globalThis.WebSocket = class extends globalThis.WebSocket {
    constructor(address: string | URL, protocols?: string | string[]) {
      super(address, protocols)
      wire.push({ way: 'up', what: 'socket', at: clock() })
      this.addEventListener('message', ({ data }) => record('down', String(data)))
    }
    override send(data: Parameters<WebSocket['send']>[0]): void {
      record('up', String(data))
      super.send(data)
    }
  }
}

const clock = () => performance.timeOrigin + performance.now()
