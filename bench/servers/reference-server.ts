/**
 * The minimal server that figures are compared with: the practical ceiling of Node and a database on this machine. Bare
 * `ws`, no validation, one table, group commit, and all frames due to one socket in one turn of the event loop written as
 * one buffer, framed once for all its listeners. It is no product: no permissions, receipts, repeats or limits. What
 * keeps the rows is the caller's.
 *
 * In:  {"t":"hello","token"} {"t":"room","id","room","members"} {"t":"send","id","room","body"} {"t":"catch-up"}
 * Out: {"t":"welcome"} {"t":"ack","id","seq"} {"t":"msg","id","room","seq","from","body"} {"t":"rows","rows"} {"t":"end"}
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { control } from './control.ts'
import { TOKEN_SECRET } from './reference-secret.ts'

export interface ReferenceMessage {
  readonly id: string
  readonly room: string
  readonly body: string
  from: string
  seq: number
}

/** One table. */
export interface ReferenceTable {
  /** Calls back once they are on the disk; what comes meanwhile waits, and is the next group. */
  append(messages: readonly ReferenceMessage[], done: () => void): void
  /** Rows of a room in order. */
  history(room: string): Iterable<unknown> | AsyncIterable<unknown>
}

interface Peer {
  readonly raw: Duplex
  out: Buffer[]
  user: string
}

interface Room {
  readonly members: readonly string[]
  head: number
}

/** Rows in one frame of a catch-up. */
const ROWS_PER_FRAME = 250

export function serveReference(table: ReferenceTable): void {
  const rooms = new Map<string, Room>()
  const listeners = new Map<string, Set<Peer>>()
  let waiting: { readonly peer: Peer; readonly message: ReferenceMessage }[] = []
  let isCommitting = false
  let dirty: Peer[] = []

  function send(peer: Peer, buffer: Buffer): void {
    if (peer.out.length === 0) dirty.push(peer)
    peer.out.push(buffer)
  }

  function flush(): void {
    const peers = dirty
    dirty = []
    for (const peer of peers) {
      const out = peer.out
      peer.out = []
      peer.raw.write(out.length === 1 ? out[0] : Buffer.concat(out))
    }
  }

  function commit(): void {
    const batch = waiting
    waiting = []
    for (const { message } of batch) message.seq = ++rooms.get(message.room)!.head
    table.append(
      batch.map(({ message }) => message),
      () => {
        isCommitting = false
        if (waiting.length > 0) schedule()
        for (const { peer, message } of batch) tell(peer, message)
        flush()
      },
    )
  }

  function schedule(): void {
    isCommitting = true
    setImmediate(commit)
  }

  function tell(peer: Peer, message: ReferenceMessage): void {
    send(peer, frame(`{"t":"ack","id":"${message.id}","seq":${message.seq}}`))
    const event = frame(
      `{"t":"msg","id":"${message.id}","room":"${message.room}","seq":${message.seq},"from":"${message.from}","body":${JSON.stringify(message.body)}}`,
    )
    for (const member of rooms.get(message.room)!.members) {
      const own = listeners.get(member)
      if (own) for (const listener of own) if (listener !== peer) send(listener, event)
    }
  }

  /** All that somebody's rooms hold, a frame at a time: joined into one write, catching up takes longer. */
  async function catchUp(peer: Peer): Promise<void> {
    let rows: unknown[] = []
    const pass = () => {
      peer.raw.write(frame(`{"t":"rows","rows":${JSON.stringify(rows)}}`))
      rows = []
    }
    for (const [room, { members }] of rooms) {
      if (!members.includes(peer.user)) continue
      const history = table.history(room)
      // Not awaited where nothing has to be waited for.
      if (Symbol.iterator in history) {
        for (const row of history) if (rows.push(row) === ROWS_PER_FRAME) pass()
      } else for await (const row of history) if (rows.push(row) === ROWS_PER_FRAME) pass()
    }
    pass()
    peer.raw.write(frame('{"t":"end"}'))
  }

  const http = createServer()
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false })
  http.on('upgrade', (request, raw, head) => {
    webSockets.handleUpgrade(request, raw, head, (socket) => {
      const peer: Peer = { raw, out: [], user: '' }
      socket.on('message', (data: Buffer) => {
        // What `JSON.parse` makes of a buffer is its text.
        const message = JSON.parse(data as unknown as string)
        switch (message.t) {
          case 'send':
            message.from = peer.user
            if (waiting.length === 0 && !isCommitting) schedule()
            waiting.push({ peer, message })
            return
          case 'hello': {
            peer.user = userOf(message.token)
            const own = listeners.get(peer.user) ?? new Set()
            listeners.set(peer.user, own.add(peer))
            send(peer, frame('{"t":"welcome"}'))
            return flush()
          }
          case 'room':
            rooms.set(message.room, { members: message.members, head: 0 })
            send(peer, frame(`{"t":"ack","id":"${message.id}","seq":0}`))
            return flush()
          case 'catch-up':
            return void catchUp(peer)
        }
      })
      socket.on('close', () => listeners.get(peer.user)?.delete(peer))
      socket.on('error', () => undefined)
    })
  })
  http.listen(0, '127.0.0.1', () => control({ kind: 'reference', port: (http.address() as AddressInfo).port }))
}

function frame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const header = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const buffer = Buffer.allocUnsafe(header + length)
  buffer[0] = 0x81
  if (header === 2) buffer[1] = length
  else if (header === 4) {
    buffer[1] = 126
    buffer.writeUInt16BE(length, 2)
  } else {
    buffer[1] = 127
    buffer.writeBigUInt64BE(BigInt(length), 2)
  }
  buffer.write(text, header)
  return buffer
}

function userOf(token: string): string {
  const [header, claims, signature] = token.split('.') as [string, string, string]
  const right = createHmac('sha256', TOKEN_SECRET).update(`${header}.${claims}`).digest()
  if (!timingSafeEqual(right, Buffer.from(signature, 'base64url'))) throw new Error('This token is not ours.')
  return JSON.parse(Buffer.from(claims, 'base64url').toString()).prn
}
