import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { SeededChance } from '../seeded-chance.ts'
import { type FrameProxy, startFrameProxy } from './frame-proxy.ts'

let echo: WebSocketServer
let proxy: FrameProxy
const sockets: WebSocket[] = []

beforeEach(async () => {
  echo = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  echo.on('connection', (socket) => {
    socket.on('message', (data) => socket.send(String(data)))
    socket.on('error', () => {})
  })
  await once(echo, 'listening')
  const { port } = echo.address() as AddressInfo
  proxy = await startFrameProxy({ target: { port }, chance: new SeededChance(1) })
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await proxy.close()
  for (const socket of echo.clients) socket.terminate()
  echo.close()
})

async function dial() {
  const socket = new WebSocket(proxy.url, 'parley.1')
  sockets.push(socket)
  const heard: string[] = []
  socket.on('message', (data) => heard.push(String(data)))
  socket.on('error', () => {})
  await once(socket, 'open')
  return { socket, heard }
}

const frame = (type: string, n: number) => JSON.stringify({ type, n })

test('without rules, frames and the subprotocol pass both ways', async () => {
  const { socket, heard } = await dial()
  expect(socket.protocol).toBe('parley.1')
  socket.send(frame('ping', 1))
  await expect.poll(() => heard).toEqual([frame('ping', 1)])
  expect(proxy).toMatchObject({ accepted: 1, open: 1 })
})

test('only the frames of one type in one direction are dropped', async () => {
  proxy.misbehave([{ fault: 'drop', likelihood: 1, direction: 'down', types: ['acknowledgement'] }])
  const { socket, heard } = await dial()
  socket.send(frame('acknowledgement', 1))
  socket.send(frame('change', 2))
  await expect.poll(() => heard).toEqual([frame('change', 2)])
  expect(proxy.bites.drop).toBe(1)
})

test('a frame is doubled', async () => {
  proxy.misbehave([{ fault: 'duplicate', likelihood: 1, direction: 'up' }])
  const { socket, heard } = await dial()
  socket.send(frame('change', 1))
  await expect.poll(() => heard).toEqual([frame('change', 1), frame('change', 1)])
})

test('frames come in another order, all of them, even those that wait in vain for more', async () => {
  proxy.misbehave([{ fault: 'reorder', likelihood: 1, direction: 'down', window: 10 }])
  const { socket, heard } = await dial()
  const sent = Array.from({ length: 15 }, (_, n) => frame('change', n))
  for (const text of sent) socket.send(text)
  await expect.poll(() => heard.length).toBe(15)
  expect(heard).not.toEqual(sent)
  expect([...heard].sort()).toEqual([...sent].sort())
  expect(proxy.bites.reorder).toBeGreaterThan(0)
})

test('a frame is truncated, an old one is said again', async () => {
  const { socket, heard } = await dial()
  proxy.misbehave([{ fault: 'replay', likelihood: 1, direction: 'up' }])
  socket.send(frame('change', 1))
  socket.send(frame('change', 2))
  await expect.poll(() => heard).toEqual([frame('change', 1), frame('change', 2), frame('change', 1)])
  proxy.misbehave([{ fault: 'truncate', likelihood: 1, direction: 'up' }])
  socket.send(frame('change', 3))
  await expect.poll(() => heard.length).toBe(4)
  expect(frame('change', 3).startsWith(heard[3]!)).toBe(true)
  expect(heard[3]!.length).toBeLessThan(frame('change', 3).length)
})

test('frames are translated', async () => {
  const { port } = echo.address() as AddressInfo
  const other = await startFrameProxy({
    target: { port },
    chance: new SeededChance(1),
    translate: (direction, text) => (direction === 'up' ? [text, frame('extra', 0)] : [text]),
  })
  const socket = new WebSocket(other.url, 'parley.1')
  sockets.push(socket)
  const heard: string[] = []
  socket.on('message', (data) => heard.push(String(data)))
  await once(socket, 'open')
  socket.send(frame('change', 1))
  await expect.poll(() => heard).toEqual([frame('change', 1), frame('extra', 0)])
  await other.close()
})

test('after the calm all is as before; a cut ends connections', async () => {
  proxy.misbehave([{ fault: 'drop', likelihood: 1 }])
  const { socket, heard } = await dial()
  socket.send(frame('ping', 1))
  await expect.poll(() => proxy.bites.drop).toBe(1)
  proxy.calm()
  socket.send(frame('ping', 2))
  await expect.poll(() => heard).toEqual([frame('ping', 2)])
  const closed = once(socket, 'close')
  expect(proxy.cut()).toBe(1)
  await closed
})

test('a server that is gone ends the connection', async () => {
  const { socket } = await dial()
  for (const client of echo.clients) client.terminate()
  await once(socket, 'close')
  expect(proxy.open).toBe(0)
})
