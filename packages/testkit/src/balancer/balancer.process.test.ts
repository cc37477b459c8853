import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { type Balancer, startBalancer } from './balancer.ts'

const closes: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closes.splice(0).reverse()) await close()
})

/** Answers `/readyz` as it is told, and everything else with its name. */
async function node(name: string, port = 0) {
  const state = { status: 200, isMute: false }
  const server: Server = createServer((request, response) => {
    if (!state.isMute) response.writeHead(request.url === '/readyz' ? state.status : 200).end(name)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const stop = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  closes.push(stop)
  return { state, stop, port: (server.address() as AddressInfo).port }
}

async function balance(...ports: number[]): Promise<Balancer> {
  const balancer = await startBalancer({ targets: ports.map((port) => ({ port })) })
  closes.push(() => balancer.close())
  return balancer
}

/** A connection that stays open; answers who is at the other end. */
async function visit({ port }: Balancer): Promise<{ name: string; socket: Socket }> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => undefined)
  closes.push(() => socket.destroy())
  socket.write('GET /who HTTP/1.1\r\nHost: x\r\n\r\n')
  const text = await new Promise<string>((resolve, reject) => {
    socket.once('data', (data) => resolve(String(data)))
    socket.once('close', () => reject(new Error('closed')))
  })
  return { name: /node \d/.exec(text)?.[0] ?? text, socket }
}

async function visits(balancer: Balancer, count: number): Promise<string[]> {
  const names = []
  for (let i = 0; i < count; i++) names.push((await visit(balancer)).name)
  return names.sort()
}

test('connections go where the fewest are', async () => {
  const nodes = [await node('node 1'), await node('node 2'), await node('node 3')]
  const balancer = await balance(...nodes.map(({ port }) => port))
  expect(await visits(balancer, 6)).toEqual(['node 1', 'node 1', 'node 2', 'node 2', 'node 3', 'node 3'])
})

test('a node that says it is not ready gets nothing new, keeps what it has, and comes back', async () => {
  const [one, two] = [await node('node 1'), await node('node 2')]
  const balancer = await balance(one.port, two.port)
  const first = [await visit(balancer), await visit(balancer)].find(({ name }) => name === 'node 1')!
  one.state.status = 503
  await vi.waitFor(() => expect(balancer.targets[0]!.isIn).toBe(false), 5_000)
  expect(await visits(balancer, 3)).toEqual(['node 2', 'node 2', 'node 2'])
  expect(first.socket.destroyed).toBe(false)
  one.state.status = 200
  await vi.waitFor(() => expect(balancer.targets[0]!.isIn).toBe(true), 5_000)
  expect((await visit(balancer)).name).toBe('node 1')
})

test('a refused connection goes to the next node at once', async () => {
  const [one, two] = [await node('node 1'), await node('node 2')]
  const balancer = await balance(one.port, two.port)
  await one.stop()
  expect(await visits(balancer, 3)).toEqual(['node 2', 'node 2', 'node 2'])
})

test('with no node at all, whoever comes is turned away, until one is there', async () => {
  const one = await node('node 1')
  const balancer = await balance(one.port)
  await one.stop()
  await expect(visit(balancer)).rejects.toThrow('closed')
  await node('node 1', one.port)
  await vi.waitFor(async () => expect((await visit(balancer)).name).toBe('node 1'), 5_000)
})

test('a node that does not answer loses its connections', async () => {
  const one = await node('node 1')
  const balancer = await balance(one.port)
  const { socket } = await visit(balancer)
  one.state.isMute = true
  await vi.waitFor(() => expect(socket.destroyed).toBe(true), 8_000)
  expect(balancer.targets[0]).toMatchObject({ isIn: false, open: 0 })
})
