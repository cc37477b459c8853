/** Sockets of one person that stop reading when they are told to, in a process of their own: see `idle-readers.ts`. */
import { WebSocket } from 'ws'
import { RawVisitor } from './raw-visitor.ts'

const [, , url, token, count] = process.argv
process.once('disconnect', () => process.exit())
const sockets: WebSocket[] = []
while (sockets.length < Number(count)) {
  const { socket } = await RawVisitor.greeted(url!, token!)
  // What is said is not for this one to understand, which would be most of the work.
  socket.removeAllListeners('message')
  socket.on('message', () => undefined)
  sockets.push(socket)
}
const codes: Record<number, number> = {}
for (const socket of sockets) {
  socket.on('close', (code) => {
    codes[code] = (codes[code] ?? 0) + 1
    if (sockets.every(({ readyState }) => readyState === WebSocket.CLOSED)) process.send?.({ codes })
  })
}
process.on('message', (order: 'stop' | 'read') => {
  for (const socket of sockets) order === 'stop' ? socket.pause() : socket.resume()
  process.send?.({ done: order })
})
process.send?.({ done: 'open' })
