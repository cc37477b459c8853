/** Says back what it hears: what `ws` can do at all. */
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { control } from './control.ts'

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  socket.on('error', () => undefined)
})
server.on('listening', () => control({ kind: 'echo', port: (server.address() as AddressInfo).port }))
