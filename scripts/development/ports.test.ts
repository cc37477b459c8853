import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { choosePorts, freePort, parsePort } from './ports.mjs'

const host = '127.0.0.1'
const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function takenPort() {
  const server = createServer()
  servers.push(server)
  await once(server.listen(0, host), 'listening')
  return (server.address() as AddressInfo).port
}

test('a usual port that is taken is replaced by the next free one', async () => {
  const taken = await takenPort()
  const ports = await choosePorts(host, undefined, taken)
  expect(ports.server).toBeGreaterThan(taken)
  expect(new Set(Object.values(ports)).size).toBe(3)
})

test('a port that somebody asked for and that is taken is refused, with one that is free', async () => {
  const taken = await takenPort()
  await expect(choosePorts(host, taken, 4500)).rejects.toThrow(`Port ${taken} is taken. Choose another: PORT=`)
})

test('port 0 leaves the choice to the system', async () => {
  expect(await choosePorts(host, 0, 4500)).toEqual({ server: 0, authentication: 0, demo: 0 })
})

test('an address that is not ours is told in a sentence', async () => {
  await expect(freePort('192.0.2.1', 4500)).rejects.toThrow('PARLEY_HOST chooses another')
})

test.each(['', 'eighty', '-1', '65536', '1e3', ' 80'])('PORT="%s" is refused', (text) => {
  expect(() => parsePort(text)).toThrow('a port is a number from 0 to 65535')
})
