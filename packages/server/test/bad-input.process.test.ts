/**
 * Thousands of frames and bodies that nobody should send, while two people chat and notice nothing. Row 127 of the exam
 * sends ten thousand frames more to a server in a process of its own.
 */
import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { type DownFrame, errors, type WireError } from '@parley/protocol'
import { Oddities, oddFrame, SeededChance } from '@parley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Person, startTestServer, type TestServer, text } from './support.ts'

const FRAMES = 2_800
const BODIES = 3_000
const SEED = 20_270_101
/** What a peer that misbehaves may be told with: documented close codes. */
const CLOSE_CODES = [1007, 1009, 4400, 4401, 4403]

const isCatalogued = (error: WireError): boolean =>
  Object.hasOwn(errors, error.id) && errors[error.id].code === error.code

function somethingHeard(socket: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      socket.off('message', done).off('close', done)
      resolve()
    }
    socket.once('message', done).once('close', done)
  })
}

describe('bad input', () => {
  let home: TestServer
  let alice: Person
  let ben: Person
  let conversation: string
  let message: string
  beforeAll(async () => {
    home = await startTestServer()
    alice = await home.connect('alice')
    ben = await home.connect('ben')
    conversation = (await alice.create('create-conversation', { participants: ['ben'], distinct: false })).id
    message = (await alice.create('send-message', { conversation, parts: text('first') })).id
  })
  afterAll(() => home.close())

  /** Alice and Ben talk until told to stop: every message arrives, in order, acknowledged. */
  function chatting(): () => Promise<{ sent: number; slowestMs: number }> {
    let isOver = false
    let slowestMs = 0
    let position = 1
    const talk = (async () => {
      while (!isOver) {
        const start = performance.now()
        const [speaker, listener] = position % 2 ? [alice, ben] : [ben, alice]
        const { result } = await speaker.create('send-message', { conversation, parts: text(String(position)) })
        position++
        expect(result.position).toBe(position)
        const said = text(String(position - 1))
        const isIt = (frame: { rows: readonly object[] }) =>
          JSON.stringify(frame.rows).includes(`"position":${position},`)
        expect((await listener.hear('change', isIt)).rows).toMatchObject([{ position, parts: said }])
        slowestMs = Math.max(slowestMs, performance.now() - start)
      }
    })()
    return async () => {
      isOver = true
      await talk
      return { sent: position - 1, slowestMs }
    }
  }

  /** Somebody who sends one bad frame after another, and listens for an answer to each. */
  async function mischief(nth: number, count: number): Promise<Map<string, number>> {
    const chance = new SeededChance(SEED + nth)
    const token = await home.signIn(`mallory ${nth}`)
    const tally = new Map<string, number>()
    const own = await Person.connect(home.server, token)
    const { id: ownConversation } = await own.create('create-conversation', { participants: ['eve'], distinct: false })
    const { id: ownMessage } = await own.create('send-message', { conversation: ownConversation, parts: text('x') })
    own.close()
    const oddities = new Oddities(chance, [conversation, message, ownConversation, ownMessage, '', 'inbox'])
    let person: Person | undefined
    for (let n = 0; n < count; n++) {
      if (!person || person.closeCode !== undefined) {
        person = await Person.open(home.server)
        const greets = chance.below(8) !== 0
        if (greets) {
          person.say({ type: 'hello', session_token: token, cursor: null, epoch: null })
          await person.hear('welcome')
        }
      }
      const target = chance.below(3) === 0 ? [conversation, message] : [ownConversation, ownMessage]
      const frame = oddFrame(oddities, target[0]!, target[1]!)
      const before = person.heard.length
      if (chance.below(50) === 0) person.socket.send(Buffer.from(JSON.stringify(frame)), { binary: true })
      else if (chance.below(60) === 0) person.socket.send(JSON.stringify({ frame, padding: 'x'.repeat(70_000) }))
      else person.socket.send(oddities.text(frame))
      const said = await answered(person, before)
      for (const kind of said) tally.set(kind, (tally.get(kind) ?? 0) + 1)
    }
    person?.close()
    return tally
  }

  /** Everything heard until a ping that was sent after the frame is answered, or the socket is closed. */
  async function answered(person: Person, from: number): Promise<string[]> {
    if (person.socket.readyState === WebSocket.OPEN) person.say({ type: 'ping' })
    const isOver = () =>
      person.closeCode !== undefined ||
      person.heard
        .slice(from)
        .some(
          (frame) => frame.type === 'pong' || (frame.type === 'refusal' && frame.error.message === 'Say hello first.'),
        )
    while (!isOver()) await somethingHeard(person.socket)
    const kinds = person.heard.slice(from).flatMap((frame) => expectDocumented(frame))
    if (person.closeCode === undefined) return kinds
    expect(CLOSE_CODES).toContain(person.closeCode)
    return [...kinds, `close ${person.closeCode}`]
  }

  function expectDocumented(frame: DownFrame): string[] {
    if (frame.type === 'refusal' || (frame.type === 'acknowledgement' && 'refusal' in frame)) {
      const error = frame.type === 'refusal' ? frame.error : frame.refusal
      expect([error.id, isCatalogued(error)]).toEqual([error.id, true])
      expect(error.id).not.toBe('internal_server_error')
      expect(error.message.length).toBeLessThan(300)
      expect(JSON.stringify(error)).not.toMatch(/at .*\.(ts|js):|node_modules|SQLITE|TypeError/)
      return [`${frame.type} ${error.id}`]
    }
    return ['pong', 'change', 'heads'].includes(frame.type) ? [] : [frame.type]
  }

  /** A request as it is, whatever a proper client would think of it. */
  function ask(options: { method: string; path: string; headers: Record<string, string>; body: string | Buffer }) {
    return new Promise<{ status: number; body: string }>((resolve, reject) => {
      const { hostname, port } = new URL(home.server.url)
      const { method, path, headers, body } = options
      const request = httpRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
        let said = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          said += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode!, body: said }))
      })
      request.on('error', (error: NodeJS.ErrnoException) =>
        // A body that is refused before it is read may find the door shut.
        error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve({ status: 413, body: '' }) : reject(error),
      )
      request.end(body)
    })
  }

  async function badRequests(nth: number, count: number): Promise<Map<string, number>> {
    const chance = new SeededChance(SEED + 1_000 + nth)
    const token = await home.signIn(`trudy ${nth}`)
    const tally = new Map<string, number>()
    const oddities = new Oddities(chance, [conversation, message, home.app.appId])
    const paths = () => {
      const uuid = chance.pick([
        conversation,
        message,
        randomUUID(),
        'x',
        '%00',
        '%zz',
        '__proto__',
        '..%2f..',
        'ü'.repeat(9),
      ])
      return encodeURI(
        chance.pick([
          ...['/', '/nonces', '/sessions', '/conversations', '/messages', '/identities', '/nowhere'],
          ...[`/sessions/${uuid}`, `/conversations/${uuid}`, `/messages/${uuid}`, `/conversations/${uuid}/messages`],
          ...[
            `/messages/${uuid}/receipts`,
            `/conversations/${uuid}/mark_all_read`,
            `/conversations/${uuid}?mode=${uuid}`,
          ],
          ...[`/conversations?page_size=${uuid}&from_id=${uuid}`, `/conversations/${uuid}/messages?page_size=-1`],
        ]),
      ).replaceAll('%25', '%')
    }
    for (let n = 0; n < count; n++) {
      const good = chance.pick<Record<string, unknown>>([
        { identity_token: 'a.b.c', app_id: home.app.appId },
        { participants: ['ben'], distinct: true, metadata: {} },
        { parts: text('x') },
        { type: 'read' },
        { position: 1 },
      ])
      const value = chance.below(4) === 0 ? oddities.value() : oddities.spoil(good)
      const body = chance.below(40) === 0 ? 'x'.repeat(70_000) : oddities.text(value)
      const method = chance.pick([
        'GET',
        'POST',
        'POST',
        'POST',
        'POST',
        'PUT',
        'PATCH',
        'DELETE',
        'OPTIONS',
        'PROPFIND',
      ])
      const isProper = chance.below(10) < 9
      const type = method === 'PATCH' ? 'application/vnd.layer-patch+json' : 'application/json'
      const { status, body: said } = await ask({
        method,
        path: paths(),
        headers: {
          accept: isProper ? 'application/vnd.layer+json; version=2.0' : chance.pick(['*/*', '', 'x'.repeat(900)]),
          'content-type': isProper
            ? type
            : chance.pick(['text/html', 'nonsense', '', 'application/json; charset=utf-7']),
          'content-length': String(Buffer.byteLength(body)),
          authorization: chance.pick([
            ...Array.from({ length: 8 }, () => `Layer session-token="${token}"`),
            `Bearer ${token}`,
            'Layer session-token="',
            `Layer session-token='${'x'.repeat(3_000)}'`,
          ]),
        },
        body,
      })
      expect([status, said]).toEqual([expect.toSatisfy((code: number) => code < 500), said])
      let kind = String(status)
      if (status >= 400 && said !== '') {
        const error = JSON.parse(said) as WireError
        expect([error.id, isCatalogued(error), errors[error.id]?.status]).toEqual([error.id, true, status])
        kind += ` ${error.id}`
      }
      tally.set(kind, (tally.get(kind) ?? 0) + 1)
    }
    return tally
  }

  it(`127 ${FRAMES} frames and ${BODIES} bodies: each is answered as documented, the chat goes on, memory is bounded`, async () => {
    const settle = () => (globalThis.gc as (() => void) | undefined)?.()
    settle()
    const before = process.memoryUsage()
    const stop = chatting()
    const start = performance.now()
    const tallies = await Promise.all([
      ...Array.from({ length: 14 }, (_, nth) => mischief(nth, FRAMES / 14)),
      ...Array.from({ length: 6 }, (_, nth) => badRequests(nth, BODIES / 6)),
    ])
    const seconds = (performance.now() - start) / 1000
    const { sent, slowestMs } = await stop()
    settle()
    const after = process.memoryUsage()
    const total = new Map<string, number>()
    for (const tally of tallies) for (const [kind, count] of tally) total.set(kind, (total.get(kind) ?? 0) + count)
    const growthMb = Math.round((after.heapUsed - before.heapUsed) / 1_048_576)
    console.log(
      `${FRAMES + BODIES} bad inputs in ${seconds.toFixed(1)} s beside ${sent} messages (slowest ${slowestMs.toFixed(0)} ms); ` +
        `heap ${growthMb >= 0 ? '+' : ''}${growthMb} MB`,
    )
    console.log(
      [...total]
        .sort(([, a], [, b]) => b - a)
        .map(([kind, count]) => `${kind}: ${count}`)
        .join(', '),
    )
    for (const kind of [
      'refusal invalid_request',
      'acknowledgement invalid_property',
      'acknowledgement not_found',
      'close 4400',
      'close 1009',
      'rows',
      'acknowledgement',
    ]) {
      expect([kind, total.get(kind) ?? 0]).toEqual([kind, expect.toSatisfy((count: number) => count > 0)])
    }
    expect(sent).toBeGreaterThan(20)
    expect(growthMb).toBeLessThan(200)
    expect(home.logged).toEqual([])
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined()
    // Nobody got in where they should not be, and what they did leave behind can be read.
    alice.say({ type: 'page', id: 1, conversation: conversation as never, before: null, limit: 250 })
    const page = await alice.hear('rows')
    const people = page.rows.flatMap((row) => (row.type === 'participant' ? [row.identity.user_id] : []))
    expect(people).toEqual(['alice', 'ben'])
  }, 120_000)

  it('127 after the session has ended nothing more is done, and nothing is answered but the end', async () => {
    const token = await home.signIn('leaving')
    const person = await Person.connect(home.server, token)
    const { id } = await person.create('create-conversation', { participants: ['ben'], distinct: false })
    const ended = home.request('DELETE', `/sessions/${token}`, { token })
    for (let n = 0; n < 50; n++) {
      const frameId = randomUUID()
      person.say({
        type: 'operation',
        id: frameId,
        name: 'send-message',
        input: { id: frameId, conversation: id as never, parts: text('x') },
      })
    }
    await ended
    expect(await person.closed()).toBe(4401)
    expect(person.heard.at(-1)).toMatchObject({ type: 'goodbye', reason: 'session_ended' })
    expect((await home.request('GET', '/conversations', { token })).status).toBe(401)
  })

  it.each([
    ['no HTTP', 'nonsense\r\n\r\n', 400],
    ['a header without end', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(40_000)}\r\n\r\n`, 400],
    ['two lengths', 'POST /nonces HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    [
      'length and chunks',
      'POST /nonces HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['NUL in the path', 'GET /\u0000 HTTP/1.1\r\nHost: x\r\n\r\n', 400],
  ])('127 a request that is broken below HTTP is answered in our words: %s', async (_, bytes, status) => {
    const { hostname, port } = new URL(home.server.url)
    const tcp = connect(Number(port), hostname)
    tcp.write(bytes)
    let said = ''
    for await (const chunk of tcp) said += String(chunk)
    const [head, body] = said.split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(JSON.parse(body!)).toMatchObject({ id: 'invalid_request', code: 10 })
  })
})
