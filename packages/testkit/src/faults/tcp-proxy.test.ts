import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

let echo: Server
let proxy: TcpProxy
const sockets: Socket[] = []

beforeEach(async () => {
  echo = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await once(echo.listen(0, '127.0.0.1'), 'listening')
  proxy = await startTcpProxy({ target: { port: (echo.address() as AddressInfo).port } })
})

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await proxy.close()
  echo.close()
})

/** A connection through the proxy, and everything that came back so far. */
async function dial() {
  const socket = connect({ host: proxy.host, port: proxy.port })
  sockets.push(socket)
  const heard = { text: '', end: undefined as string | undefined }
  socket.on('data', (bytes) => {
    heard.text += bytes
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    heard.end = error.code
  })
  socket.on('end', () => {
    heard.end ??= 'ended'
  })
  await once(socket, 'connect')
  return { socket, heard }
}

test('without a fault, bytes pass both ways and an end is passed on', async () => {
  const { socket, heard } = await dial()
  socket.end('hello')
  await expect.poll(() => heard).toEqual({ text: 'hello', end: 'ended' })
  expect(proxy.passed).toEqual({ up: 5, down: 5 })
  await expect.poll(() => proxy.open).toBe(0)
})

test('a megabyte survives the journey', async () => {
  const { socket, heard } = await dial()
  socket.end('0123456789abcdef'.repeat(200_000))
  await expect.poll(() => heard.text.length, { timeout: 5_000 }).toBe(3_200_000)
})

test('delayed bytes arrive later and in order', async () => {
  const { socket, heard } = await dial()
  proxy.delay(60)
  const startedAt = performance.now()
  for (const letter of 'abcdef') socket.write(letter)
  await expect.poll(() => heard.text).toBe('abcdef')
  expect(performance.now() - startedAt).toBeGreaterThan(110)
})

test('a throttled connection passes no more than it may', async () => {
  const { socket, heard } = await dial()
  proxy.throttle(10_000)
  const startedAt = performance.now()
  socket.write('x'.repeat(2_000))
  await expect.poll(() => heard.text.length).toBe(2_000)
  expect(performance.now() - startedAt).toBeGreaterThan(150)
})

test('a stalled connection stays open, and what was sent passes after the calm', async () => {
  const { socket, heard } = await dial()
  proxy.stall()
  socket.write('held')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(heard).toEqual({ text: '', end: undefined })
  await proxy.calm()
  await expect.poll(() => heard.text).toBe('held')
})

test('a connection stalled one way still passes bytes the other way', async () => {
  const { socket, heard } = await dial()
  proxy.stall('down')
  socket.write('heard')
  await expect.poll(() => proxy.passed.up).toBe(5)
  expect(heard.text).toBe('')
  await proxy.calm()
  await expect.poll(() => heard.text).toBe('heard')
})

test('a cut resets every open connection', async () => {
  const [one, two] = [await dial(), await dial()]
  await expect.poll(() => proxy.open).toBe(2)
  expect(proxy.cut()).toBe(2)
  await expect.poll(() => [one.heard.end, two.heard.end]).toEqual(['ECONNRESET', 'ECONNRESET'])
})

test.each(['up', 'down'] as const)('a cut after n bytes passes exactly n bytes %s', async (direction) => {
  const { socket, heard } = await dial()
  socket.write('before')
  await expect.poll(() => heard.text).toBe('before')
  const bit = proxy.cutAfter(4, direction)
  socket.write('12345678')
  await bit
  expect(proxy.passed[direction]).toBe(10)
  await expect.poll(() => heard.end).toBeDefined()
  if (direction === 'down') expect(heard.text).toBe('before1234')
})

test('a refused connection finds nobody listening, until the calm', async () => {
  const { heard } = await dial()
  await proxy.refuse()
  await expect.poll(() => heard.end).toBe('ECONNRESET')
  await expect(dial()).rejects.toThrow('ECONNREFUSED')
  await proxy.calm()
  const again = await dial()
  again.socket.write('back')
  await expect.poll(() => again.heard.text).toBe('back')
})

test('a black hole accepts everything and answers nothing', async () => {
  const before = await dial()
  proxy.blackHole()
  const after = await dial()
  for (const { socket } of [before, after]) socket.write('anybody?')
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect([before.heard, after.heard]).toEqual([
    { text: '', end: undefined },
    { text: '', end: undefined },
  ])
  await proxy.calm()
  await expect.poll(() => [before.heard.end, after.heard.end]).toEqual(['ECONNRESET', 'ECONNRESET'])
})

test('a target that is gone resets the connection', async () => {
  echo.close()
  const { heard } = await dial()
  await expect.poll(() => heard.end).toBe('ECONNRESET')
})
