/** Ten thousand frames and bodies that nobody should send, while two people chat and notice nothing. */
import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { type DownFrame, errors, type WireError } from '@parley/protocol'
import { SeededChance } from '@parley/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { Person, startTestServer, type TestServer, text } from './support.ts'

const FRAMES = 7_000
const BODIES = 3_000
const SEED = 20_270_101
/** What a peer that misbehaves may be told with: documented close codes. */
const CLOSE_CODES = [1007, 1009, 4400, 4401]

const lone = '\ud83d'
const deep = (depth: number, inner: unknown = 1): unknown => {
  let value = inner
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value }
  return value
}

/** Values that are wrong nearly everywhere. JSON as text where no serialiser would write it. */
class Oddities {
  readonly chance: SeededChance
  readonly ids: readonly string[]
  constructor(chance: SeededChance, ids: readonly string[]) {
    this.chance = chance
    this.ids = ids
  }

  value(): unknown {
    const { chance } = this
    return chance.pick<() => unknown>([
      () => null,
      () => chance.pick([true, false]),
      () => chance.pick([0, -1, 0.5, 2 ** 53, -(2 ** 53), 1e308, 7]),
      () => chance.pick(['', 'x', '\u0000', lone, `a${lone}b`, '\u202e', '__proto__', 'constructor', '💥'.repeat(40)]),
      () => 'x'.repeat(chance.below(3_000)),
      () => chance.pick(this.ids),
      () => randomUUID().toUpperCase(),
      () => `layer:///conversations/${randomUUID()}`,
      () => `layer:///messages/${lone}`,
      () => [],
      () => ({}),
      () => Array.from({ length: chance.below(2_000) }, () => 'x'),
      () => Array.from({ length: chance.below(300) }, () => ({ mime_type: 'a/b', body: '' })),
      () => deep(chance.pick([2, 31, 33, 40])),
      () => ({ $gt: '' }),
      () => Object.fromEntries(Array.from({ length: chance.below(300) }, (_, index) => [`k${index}`, 'v'])),
      () => JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}'),
      () => ({ toString: 'x', valueOf: null, length: 9e9 }),
      () => [
        { operation: 'set', property: 'participants', value: Array.from({ length: 900 }, (_, index) => `p${index}`) },
      ],
      () => [{ operation: 'set', property: '__proto__.isAdmin', value: 'true' }],
      () => [{ operation: 'add', property: 'participants', id: this.value() }],
      () => [{ mime_type: 'text/plain', body: chance.pick(['\u0000', lone, 'x'.repeat(2_049)]) }],
      () => [{ mime_type: 'a/b', body: '====', encoding: 'base64' }],
    ])()
  }

  /** A good object with some members spoiled, missing or added. */
  spoil(good: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const spoiled: Record<string, unknown> = { ...good }
    const names = Object.keys(good)
    for (let n = this.chance.below(3); n >= 0 && names.length > 0; n--) {
      const name = this.chance.pick(names)
      if (this.chance.below(4) === 0) delete spoiled[name]
      else spoiled[name] = this.value()
    }
    if (this.chance.below(5) === 0) Object.assign(spoiled, { sender: 'admin', position: 1, app: 2, is_admin: true })
    return spoiled
  }

  /** Text that is nearly, or not at all, the JSON of a value. */
  text(value: unknown): string {
    const { chance } = this
    const json = JSON.stringify(value) ?? 'undefined'
    // Most are JSON, or nothing but the first door would ever be tried.
    if (chance.below(10) < 7) return json
    return chance.pick<() => string>([
      () => json,
      () => json,
      () => json,
      () => json.slice(0, chance.below(json.length)),
      () =>
        json.replace(/:/, chance.pick(['', '::', ':1e400,"x":', ':NaN,"x":', ':"\\ud800","x":', ':"\\u0000","x":'])),
      () => `${json}${chance.pick(['', '}', ',', '\u0000', ' x'])}`,
      () =>
        chance.pick(['', '[', '{', '"', 'null', '0', '-', '[]', '{}', '"\\ud800"', '1e400', '\ufeff{}', 'undefined']),
      () => '['.repeat(chance.pick([40, 1_000, 30_000])),
      () => `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`,
      () => Buffer.from(chance.bytes(chance.below(200))).toString('latin1'),
    ])()
  }
}

const inputsOf = (
  conversation: string,
  message: string,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> => ({
  'create-conversation': { id: randomUUID(), participants: ['ben'], distinct: false, metadata: { a: 'b' } },
  'send-message': { id: randomUUID(), conversation, parts: text('x') },
  'mark-messages': { conversation, receipt: 'read', position: 1, only: false },
  'update-conversation': { conversation, patch: [{ operation: 'set', property: 'metadata.a', value: 'b' }] },
  'delete-conversation': { conversation, mode: 'my_devices', leave: false },
  'delete-message': { conversation, message, mode: 'my_devices' },
  nonsense: {},
  __proto__: {},
  'open-session': { id: randomUUID(), tokenHash: 'x', expiresAt: 9e15, claims: {} },
})

function frameOf(oddities: Oddities, conversation: string, message: string): unknown {
  const { chance } = oddities
  const inputs = inputsOf(conversation, message)
  const name = chance.pick(Object.keys(inputs))
  const input = oddities.spoil(inputs[name] ?? {})
  const frames: readonly Record<string, unknown>[] = [
    { type: 'operation', id: input.id ?? randomUUID(), name, input },
    { type: 'operation', id: randomUUID(), name, input: chance.below(3) === 0 ? oddities.value() : input },
    { type: 'pull', id: 1, streams: [{ stream: conversation, after: 0 }] },
    { type: 'page', id: 2, conversation, before: null, limit: 10 },
    { type: 'typing', conversation, action: 'started' },
    { type: 'renew', identity_token: 'a.b.c' },
    { type: 'hello', session_token: 'x', cursor: null, epoch: null },
    { type: chance.pick(['welcome', 'goodbye', '__proto__', 'constructor', 'Operation']), id: 1 },
  ]
  const frame = chance.below(3) > 0 ? frames[chance.below(2)]! : chance.pick(frames)
  return chance.below(10) < 2 ? oddities.spoil(frame) : frame
}

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
      const frame = frameOf(oddities, target[0]!, target[1]!)
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

  it(`${FRAMES} frames and ${BODIES} bodies: each is answered as documented, the chat goes on, memory is bounded`, async () => {
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

  it('after the session has ended nothing more is done, and nothing is answered but the end', async () => {
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
  ])('a request that is broken below HTTP is answered in our words: %s', async (_, bytes, status) => {
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
