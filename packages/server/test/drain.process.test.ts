import { randomUUID } from 'node:crypto'
import { afterEach, expect, it } from 'vitest'
import { messageUri } from './layer/support/rest.ts'
import { enter, LayerSocket } from './layer/support/socket.ts'
import { Person, startTestServer, type TestServer, text } from './support.ts'

let home: TestServer | undefined
afterEach(() => home?.close())

it('CON-13 a server that stops asks everybody to move, each at another time, and serves them until then', async () => {
  home = await startTestServer()
  const token = await home.signIn('alice')
  const { server } = home
  const people = await Promise.all(Array.from({ length: 50 }, () => Person.connect(server, token)))
  const { id } = await people[0]!.create('create-conversation', { participants: ['ben'], distinct: false })
  const closing = server.close({ drainMs: 10_000, noticeMs: 300 })
  const times = await Promise.all(people.map(async (person) => (await person.hear('move')).after_ms))
  // Spread over 2 ms for each, in no order, and not before others can have noticed.
  const sorted = times.toSorted((a, b) => a - b)
  expect([sorted[0], sorted[49], new Set(sorted).size]).toEqual([300, 400, 50])
  expect(times).not.toEqual(sorted)
  await people[0]!.create('send-message', { conversation: id, parts: text('before I go') })
  for (const person of people.slice(1)) person.close()
  // One that does not know how to move is sent away soon after its time.
  expect(await people[0]!.hear('goodbye')).toMatchObject({ reason: 'going_away', retry_after_ms: 0 })
  expect(await people[0]!.closed()).toBe(1001)
  await closing
})

it('CON-13 from the first moment on it is not ready, and lets nobody in', async () => {
  home = await startTestServer()
  const { server } = home
  const person = await home.connect('alice')
  const closing = server.close({ drainMs: 10_000, noticeMs: 500 })
  expect((await fetch(`${server.url}/readyz`)).status).toBe(503)
  await expect(Person.open(server)).rejects.toThrow('503')
  const answer = await fetch(`${server.url}/healthz`)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('connection')).toBe('close')
  await person.hear('move')
  person.close()
  await closing
})

it('CON-14 when the time for it is over, whoever is left is sent away, to come back spread out', async () => {
  home = await startTestServer()
  const { server } = home
  const token = await home.signIn('alice')
  const people = await Promise.all(Array.from({ length: 11 }, () => Person.connect(server, token)))
  const closing = server.close({ drainMs: 600 })
  const hints = await Promise.all(people.map(async (person) => (await person.hear('goodbye')).retry_after_ms!))
  expect(hints.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 11 }, (_, i) => i * 500))
  await closing
})

it('LAY-30 a Layer client is answered what it asked, then its socket closes', async () => {
  home = await startTestServer()
  const { rest, socket } = await enter(home, 'alice')
  const id = await rest.start('ben')
  const data = { id: messageUri(randomUUID()), parts: text('Hello') }
  const asked = socket.request('Message.create', data, `layer:///conversations/${id}`)
  const closing = home.server.close({ drainMs: 5_000, noticeMs: 100 })
  expect(await asked).toMatchObject({ success: true })
  expect(await socket.closed()).toBe(1001)
  await expect(LayerSocket.connect(home.server, rest.token)).rejects.toThrow()
  await closing
})
