/**
 * The minimal server that figures are compared with: the practical ceiling of Node and SQLite on this machine. Bare
 * `ws`, no validation, one table, group commit with `synchronous=FULL`, and all frames due to one socket in one turn of
 * the event loop written as one buffer, framed once for all its listeners. It is no product: no permissions, receipts,
 * repeats or limits.
 *
 * In:  {"t":"hello","user"} {"t":"send","id","room","body"}
 * Out: {"t":"ack","id","seq"} {"t":"msg","id","room","seq","from","body"}
 */
import { createServer } from 'node:http'
import Database from 'better-sqlite3'
import { WebSocketServer } from 'ws'

const [folder] = process.argv.slice(2)
const db = new Database(`${folder}/reference.sqlite`)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec(
  'CREATE TABLE messages (room TEXT, seq INTEGER, id TEXT, sender TEXT, body TEXT, PRIMARY KEY (room, seq)) WITHOUT ROWID',
)
const insert = db.prepare('INSERT INTO messages VALUES (?, ?, ?, ?, ?)')

/** room → users; rooms are named `a+b+c` after their members. */
const sockets = new Map()
const heads = new Map()
let waiting = []
let dirty = []

function frame(text) {
  const length = Buffer.byteLength(text)
  const header = length < 126 ? 2 : 4
  const buffer = Buffer.allocUnsafe(header + length)
  buffer[0] = 0x81
  if (header === 2) buffer[1] = length
  else {
    buffer[1] = 126
    buffer.writeUInt16BE(length, 2)
  }
  buffer.write(text, header)
  return buffer
}

function send(peer, buffer) {
  if (peer.out.length === 0) dirty.push(peer)
  peer.out.push(buffer)
}

function flush() {
  const peers = dirty
  dirty = []
  for (const peer of peers) {
    const out = peer.out
    peer.out = []
    peer.raw.write(out.length === 1 ? out[0] : Buffer.concat(out))
  }
}

function commit() {
  const batch = waiting
  waiting = []
  db.exec('BEGIN IMMEDIATE')
  for (const { message } of batch) {
    message.seq = (heads.get(message.room) ?? 0) + 1
    heads.set(message.room, message.seq)
    insert.run(message.room, message.seq, message.id, message.from, message.body)
  }
  db.exec('COMMIT')
  for (const { peer, message } of batch) {
    send(peer, frame(`{"t":"ack","id":"${message.id}","seq":${message.seq}}`))
    const event = frame(
      `{"t":"msg","id":"${message.id}","room":"${message.room}","seq":${message.seq},"from":"${message.from}","body":${JSON.stringify(message.body)}}`,
    )
    for (const member of members(message.room)) {
      const listeners = sockets.get(member)
      if (listeners) for (const listener of listeners) if (listener !== peer) send(listener, event)
    }
  }
  flush()
}

const rooms = new Map()
function members(room) {
  const known = rooms.get(room) ?? room.split('+')
  rooms.set(room, known)
  return known
}

const http = createServer()
const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, clientTracking: false })
http.on('upgrade', (request, raw, head) => {
  webSockets.handleUpgrade(request, raw, head, (socket) => {
    const peer = { raw, out: [], user: '' }
    socket.on('message', (data) => {
      const message = JSON.parse(data)
      if (message.t === 'send') {
        message.from = peer.user
        if (waiting.length === 0) setImmediate(commit)
        waiting.push({ peer, message })
      } else {
        peer.user = message.user
        const listeners = sockets.get(peer.user) ?? new Set()
        sockets.set(peer.user, listeners.add(peer))
        send(peer, frame('{"t":"welcome"}'))
        flush()
      }
    })
    socket.on('close', () => sockets.get(peer.user)?.delete(peer))
    socket.on('error', () => undefined)
  })
})
http.listen(0, '127.0.0.1', () => process.send({ ready: { port: http.address().port } }))
