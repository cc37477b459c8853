/** Somebody who speaks Layer's socket protocol by hand. */
import type { RunningServer } from '@parley/server'
import { WebSocket } from 'ws'
import type { TestServer } from '../../support.ts'
import { Caller } from './rest.ts'

export interface HeardPacket {
  readonly type: 'change' | 'operation' | 'signal' | 'response'
  readonly counter: number
  readonly timestamp: string
  readonly body: HeardBody
}

/** Of any shape: tests say what they expect of it. */
export interface HeardBody {
  readonly operation?: 'create' | 'update' | 'delete'
  readonly object?: { readonly type: string; readonly id: string; readonly url: string }
  readonly request_id?: string
  readonly method?: string
  readonly success?: boolean
  readonly data: never
}

export class LayerSocket {
  readonly heard: HeardPacket[] = []
  readonly socket: WebSocket
  readonly token: string
  closeCode: number | undefined
  #waiting: (() => void)[] = []
  #read = 0
  #requests = 0

  private constructor(socket: WebSocket, token: string) {
    this.socket = socket
    this.token = token
    socket.on('message', (data) => {
      this.heard.push(JSON.parse(String(data)) as HeardPacket)
      this.#wake()
    })
    socket.on('close', (code) => {
      this.closeCode = code
      this.#wake()
    })
    socket.on('error', () => this.#wake())
  }

  static async connect(server: RunningServer, token: string): Promise<LayerSocket> {
    const address = `${server.websocketUrl}/?session_token=${token}&client-id=test&layer-xdk-version=3.4.18`
    const socket = new WebSocket(address, 'layer-2.0')
    const layer = new LayerSocket(socket, token)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    return layer
  }

  say(packet: unknown): void {
    this.socket.send(typeof packet === 'string' ? packet : JSON.stringify(packet))
  }

  /** The next packet that matches and was not heard before; packets in between are passed over. */
  async hear(matches: (packet: HeardPacket) => boolean): Promise<HeardPacket> {
    for (;;) {
      while (this.#read < this.heard.length) {
        const packet = this.heard[this.#read++]!
        if (matches(packet)) return packet
      }
      if (this.closeCode !== undefined) throw new Error(`Closed with ${this.closeCode} while waiting.`)
      await this.#more()
    }
  }

  /** The next change of a kind, as `create Message`; answers its body. */
  async hearChange(kind: string): Promise<HeardBody> {
    const packet = await this.hear(({ body }) => kindOf(body) === kind)
    return packet.body
  }

  async request(method: string, data?: unknown, objectId?: string): Promise<HeardBody> {
    const id = `r${++this.#requests}`
    this.say({ type: 'request', body: { method, request_id: id, object_id: objectId, data } })
    return (await this.hear(({ body }) => body.request_id === id)).body
  }

  /** Everything heard from here on until the connection has nothing more to say: its changes, in order. */
  async settle(): Promise<HeardPacket[]> {
    const from = this.#read
    const id = `settle${++this.#requests}`
    this.say({ type: 'request', body: { method: 'Counter.read', request_id: id } })
    await this.hear(({ body }) => body.request_id === id)
    return this.heard.slice(from, this.#read - 1)
  }

  async closed(): Promise<number> {
    while (this.closeCode === undefined) await this.#more()
    return this.closeCode
  }

  close(): void {
    this.socket.close()
  }

  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('Heard nothing more in 5 s.')), 5_000)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

/** `create Message`, `update Conversation`, `Conversation.mark_all_read` … */
export const kindOf = (body: HeardBody): string =>
  body.operation ? `${body.operation} ${body.object?.type}` : `${body.method}`

export const kinds = (packets: readonly HeardPacket[]): string[] => packets.map(({ body }) => kindOf(body))

/** Somebody with both doors open. */
export interface Both {
  readonly rest: Caller
  readonly socket: LayerSocket
}

export async function enter(home: TestServer, userId: string, claims: Record<string, string> = {}): Promise<Both> {
  const rest = await Caller.signIn(home, userId, claims)
  return { rest, socket: await LayerSocket.connect(home.server, rest.token) }
}

/** Somebody who has asked for something, which was not a replay: what happens is told to them at once. */
export async function attend(...of: Parameters<typeof enter>): Promise<Both> {
  const both = await enter(...of)
  await both.socket.request('Counter.read')
  return both
}
