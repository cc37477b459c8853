import { once } from 'node:events'
import { openSqliteStore, type RunningServer, serve } from '@parley/server'
import { afterEach, expect, it } from 'vitest'
import { WebSocket } from 'ws'

const opened: WebSocket[] = []
let server: RunningServer | undefined

afterEach(async () => {
  for (const socket of opened.splice(0)) socket.terminate()
  await server?.close({ drainMs: 0 })
})

/** How a request for a socket ends: open, or refused with a status and when to come back. */
async function knock(url: string): Promise<string> {
  const socket = new WebSocket(url, 'parley.1')
  opened.push(socket)
  socket.on('error', () => undefined)
  return new Promise((resolve) => {
    socket.on('open', () => resolve('open'))
    socket.on('unexpected-response', (_request, { statusCode, headers }) =>
      resolve(`${statusCode}, ${headers['retry-after']}`),
    )
  })
}

it('88 an address has so many sockets; the next one is told when to come back, and finds room when one is gone', async () => {
  server = await serve(openSqliteStore(':memory:'), { maxConnectionsPerAddress: 2 })
  const knocks = []
  for (let i = 0; i < 3; i++) knocks.push(await knock(server.websocketUrl))
  expect(knocks).toEqual(['open', 'open', '503, 5'])
  const [first] = opened
  first!.close()
  await once(first!, 'close')
  await expect.poll(() => knock(server!.websocketUrl)).toBe('open')
})

it('88 a server has so many sockets at a time', async () => {
  server = await serve(openSqliteStore(':memory:'), { maxConnections: 1 })
  expect([await knock(server.websocketUrl), await knock(server.websocketUrl)]).toEqual(['open', '503, 5'])
})
