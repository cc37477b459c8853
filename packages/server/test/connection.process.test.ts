/** The native connection over real sockets: its rules, and what peers do that should not. */
import { randomUUID } from 'node:crypto'
import { connect, type Socket as TcpSocket } from 'node:net'
import type { DownFrame } from '@parley/protocol'
import { openSqliteStore, serve, storeFile } from '@parley/server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AppKey } from '../src/model/state.ts'
import { type Store, StoreOutage } from '../src/store/store.ts'
import { CrankedClock } from './cranked-clock.ts'
import { Person, startTestServer, type TestServer, text } from './support.ts'

/** A masked text frame, as a client sends it. */
function clientFrame(payload: string, { opcode = 1, isFinal = true } = {}): Buffer {
  const body = Buffer.from(payload)
  const length =
    body.length < 126 ? Buffer.from([0x80 | body.length]) : Buffer.from([0xfe, body.length >> 8, body.length & 255])
  return Buffer.concat([Buffer.from([(isFinal ? 0x80 : 0) | opcode]), length, Buffer.from([0, 0, 0, 0]), body])
}

/** A socket below the WebSocket library: what is written goes out as it is. */
class RawPeer {
  readonly frames: (DownFrame | { closeCode: number })[] = []
  readonly tcp: TcpSocket
  #bytes = Buffer.alloc(0)
  #isUpgraded = false
  #waiting: (() => void)[] = []
  isClosed = false

  private constructor(tcp: TcpSocket) {
    this.tcp = tcp
    tcp.on('data', (data) => {
      this.#bytes = Buffer.concat([this.#bytes, data])
      this.#read()
      for (const wake of this.#waiting.splice(0)) wake()
    })
    tcp.on('close', () => {
      this.isClosed = true
      for (const wake of this.#waiting.splice(0)) wake()
    })
    tcp.on('error', () => undefined)
  }

  static async open(home: TestServer): Promise<RawPeer> {
    const { hostname, port } = new URL(home.server.url)
    const peer = new RawPeer(connect(Number(port), hostname))
    peer.tcp.write(
      `GET / HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: parley.1\r\n\r\n',
    )
    await peer.until(() => peer.#isUpgraded)
    return peer
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.isClosed) throw new Error(`Closed; heard ${JSON.stringify(this.frames)}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  types(): string[] {
    return this.frames.map((frame) => ('type' in frame ? frame.type : `close ${frame.closeCode}`))
  }

  #read(): void {
    if (!this.#isUpgraded) {
      const end = this.#bytes.indexOf('\r\n\r\n')
      if (end < 0) return
      this.#isUpgraded = true
      this.#bytes = this.#bytes.subarray(end + 4)
    }
    for (;;) {
      if (this.#bytes.length < 2) return
      let length = this.#bytes[1]! & 127
      let start = 2
      if (length === 126) {
        length = this.#bytes.length < 4 ? Number.POSITIVE_INFINITY : this.#bytes.readUInt16BE(2)
        start = 4
      } else if (length === 127) {
        length = this.#bytes.length < 10 ? Number.POSITIVE_INFINITY : Number(this.#bytes.readBigUInt64BE(2))
        start = 10
      }
      if (this.#bytes.length < start + length) return
      const opcode = this.#bytes[0]! & 15
      const payload = this.#bytes.subarray(start, start + length)
      this.#bytes = this.#bytes.subarray(start + length)
      if (opcode === 1) this.frames.push(JSON.parse(payload.toString()) as DownFrame)
      if (opcode === 8) this.frames.push({ closeCode: payload.length >= 2 ? payload.readUInt16BE(0) : 1005 })
    }
  }
}

describe('a connection', () => {
  let home: TestServer
  const people: Person[] = []
  beforeAll(async () => {
    home = await startTestServer()
  })
  afterEach(() => {
    for (const person of people.splice(0)) person.close()
  })
  afterAll(() => home.close())
  const arrive = async (name: string) => {
    const person = await home.connect(name)
    people.push(person)
    return person
  }
  const open = async () => {
    const person = await Person.open(home.server)
    people.push(person)
    return person
  }
  const hello = (token: string, cursor: string | null = null, epoch: string | null = null) =>
    ({ type: 'hello', session_token: token, cursor, epoch }) as const

  it('CON-1 welcome comes first, then heads, then what was asked along with the hello', async () => {
    const token = await home.signIn('alice')
    const peer = await RawPeer.open(home)
    const id = randomUUID()
    const input = { id, participants: ['ben'], distinct: false }
    peer.tcp.write(
      Buffer.concat(
        [
          hello(token),
          { type: 'operation', id, name: 'create-conversation', input },
          { type: 'ping' },
          hello(token),
          { type: 'pull', id: 5, streams: [{ stream: id, after: 0 }] },
        ].map((frame) => clientFrame(JSON.stringify(frame))),
      ),
    )
    await peer.until(() => peer.types().includes('rows') && peer.types().includes('acknowledgement'))
    const types = peer.types()
    expect(types.slice(0, 2)).toEqual(['welcome', 'heads'])
    expect(types.filter((type) => type === 'welcome')).toHaveLength(1)
    expect(types).toContain('pong')
    expect(peer.frames.find((frame) => 'type' in frame && frame.type === 'refusal')).toMatchObject({
      error: { id: 'invalid_request', message: 'Hello was said before.' },
    })
    expect(types.filter((type) => type === 'change')).toHaveLength(2)
    peer.tcp.destroy()
  })

  it.each(['operation', 'pull', 'page', 'typing', 'renew', 'challenge-me', 'ping'] as const)(
    'CON-1 %s before hello is refused, and the connection stays for the hello',
    async (type) => {
      const person = await open()
      const frames = {
        operation: { id: randomUUID(), name: 'send-message', input: {} },
        pull: { id: 1, streams: [{ stream: 'inbox', after: 0 }] },
        page: { id: 1, conversation: randomUUID(), before: null, limit: 1 },
        typing: { conversation: randomUUID(), action: 'started' },
        renew: { identity_token: 'x' },
        'challenge-me': {},
        ping: {},
      }
      person.say({ type, ...frames[type] } as never)
      expect(await person.hear('refusal')).toMatchObject({ error: { id: 'authentication_required' } })
      person.say(hello(await home.signIn('alice')))
      await person.hear('welcome')
    },
  )

  it.each(['wrong', '', 'ü', 'x'.repeat(128)])('CON-1 a token that opens nothing: %j', async (token) => {
    const person = await open()
    person.say(hello(token))
    const goodbye = await person.hear('goodbye')
    expect(goodbye).toMatchObject({ reason: 'authentication_required', error: { id: 'authentication_required' } })
    const { nonce } = goodbye.error!.data as { nonce: string }
    const identityToken = await home.minter.mint({ userId: 'alice', nonce })
    const answer = await home.request('POST', '/sessions', {
      body: { identity_token: identityToken, app_id: home.app.appId },
    })
    expect(answer.status).toBe(201)
    expect(await person.closed()).toBe(4401)
  })

  it('CON-1 whoever says nothing in ten seconds is sent away', async () => {
    const clock = new CrankedClock()
    const cranked = await startTestServer({ clock })
    const silent = await Person.open(cranked.server)
    const talker = await cranked.connect('alice')
    clock.advance(9_999)
    talker.say({ type: 'ping' })
    await talker.hear('pong')
    expect(silent.closeCode).toBeUndefined()
    clock.advance(1)
    expect(await silent.closed()).toBe(4408)
    expect(silent.heard).toMatchObject([{ type: 'goodbye', reason: 'protocol_error' }])
    talker.say({ type: 'ping' })
    await talker.hear('pong')
    talker.close()
    await cranked.close()
  })

  it('CON-2 CON-3 without a cursor, or with one of another log, every stream is named, with a cursor at the end', async () => {
    const dana = await arrive('dana')
    let last = ''
    for (let n = 0; n < 3; n++) await dana.create('create-conversation', { participants: [`d${n}`], distinct: false })
    const { epoch } = dana.heard.find((frame) => frame.type === 'welcome') as { epoch: string }
    for (const [cursor, of] of [
      [null, null],
      ['9999999999', 'another log'],
      ['9999999999', null],
      [null, epoch],
      // From beyond the end of this log, and no cursor at all.
      ['9999999999', epoch],
      ['yesterday', epoch],
    ] as const) {
      const again = await open()
      again.say(hello(dana.token, cursor, of))
      const heads = await again.hear('heads')
      expect(heads.streams).toHaveLength(4)
      expect(heads.streams).toContainEqual({ stream: 'inbox', sequence: 3 })
      expect(heads.cursor).toMatch(/^\d+$/)
      last = heads.cursor!
    }
    const current = await open()
    current.say(hello(dana.token, last, epoch))
    expect((await current.hear('heads')).streams).toEqual([])
  })

  it('CON-2 a short absence and a long one are answered alike', async () => {
    const [alice, dana] = [await arrive('alice'), await arrive('zoe')]
    const { cursor: start } = await dana.hear('heads')
    const { epoch } = dana.heard.find((frame) => frame.type === 'welcome') as { epoch: string }
    const ids: string[] = []
    for (let n = 0; n < 4; n++) {
      const { id } = await alice.create('create-conversation', { participants: ['zoe'], distinct: false })
      await alice.create('send-message', { conversation: id, parts: text('x') })
      ids.push(id)
    }
    const change = (conversation: string, operation: string, id: string) =>
      alice.ask('update-conversation', { conversation, patch: [{ operation, property: 'participants', id }] })
    await change(ids[0]!, 'remove', 'zoe')
    await change(ids[1]!, 'remove', 'zoe')
    await change(ids[1]!, 'add', 'zoe')
    await dana.ask('delete-conversation', { conversation: ids[2], mode: 'my_devices', leave: true })
    const headsOf = async (server: TestServer['server']) => {
      const person = await Person.open(server)
      people.push(person)
      person.say(hello(dana.token, start, epoch))
      const { streams } = await person.hear('heads')
      return [...streams].sort((a, b) => (a.stream < b.stream ? -1 : 1))
    }
    const recent = await headsOf(home.server)
    // A server that has just started remembers nothing and asks the store.
    const fresh = await serve(openSqliteStore(storeFile(home.folder)), {})
    expect(await headsOf(fresh)).toEqual(recent)
    expect(recent.map(({ stream }) => stream)).toHaveLength(3)
    for (const { stream, sequence } of recent) {
      dana.say({ type: 'pull', id: 1, streams: [{ stream, after: 0 }] })
      expect(await dana.hear('rows', (frame) => frame.last)).toMatchObject({ stream, sequence })
    }
    await fresh.close({ drainMs: 0 })
  })

  it('CON-4 CON-5 CON-6 whoever arrives while much is said misses nothing, and sees a gap where there is one', async () => {
    const alice = await arrive('alice')
    const { id } = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
    const token = await home.signIn('ben')
    let isDone = false
    const talking = (async () => {
      for (let n = 0; n < 150; n++) await alice.create('send-message', { conversation: id, parts: text(String(n)) })
      isDone = true
    })()
    const arrivals: Person[] = []
    while (!isDone && arrivals.length < 12) {
      const ben = await open()
      ben.say(hello(token))
      await ben.hear('heads')
      arrivals.push(ben)
    }
    await talking
    const stream = `layer:///conversations/${id}`
    for (const ben of arrivals) {
      ben.say({ type: 'ping' })
      await ben.hear('pong')
      const heads = ben.heard.find((frame) => frame.type === 'heads')!
      let at = heads.streams.find((one) => one.stream === stream)!.sequence
      let cursor = 0
      for (const frame of ben.heard) {
        if (frame.type !== 'change' || frame.stream !== stream) continue
        expect(Number(frame.cursor)).toBeGreaterThanOrEqual(cursor)
        cursor = Number(frame.cursor)
        // At or beyond what is known: ignored. Otherwise it has to follow at once.
        if (frame.sequence <= at) continue
        expect(frame.after).toBe(at)
        at = frame.sequence
      }
      expect(at).toBe(153)
    }
  })

  it('CON-7 a pull answers each stream in turn and in order, however large, and says when it is done', async () => {
    const alice = await arrive('alice')
    const { id } = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
    const parts = Array.from({ length: 20 }, () => ({ mime_type: 'text/plain', body: 'x'.repeat(2_000) }))
    for (let n = 0; n < 30; n++) await alice.create('send-message', { conversation: id, parts })
    const streams = [
      { stream: `layer:///conversations/${id}` as never, after: 2 },
      { stream: randomUUID() as never, after: 5 },
      { stream: 'inbox' as const, after: 0 },
    ]
    alice.say({ type: 'pull', id: 9, streams })
    const answers = []
    do answers.push(await alice.hear('rows'))
    while (!answers.at(-1)!.last)
    const own = answers.filter(({ stream }) => stream === streams[0]!.stream)
    expect(own.length).toBeGreaterThan(3)
    expect(own.flatMap(({ rows }) => rows.map(({ sequence }) => sequence))).toEqual(
      Array.from({ length: 31 }, (_, index) => index + 3),
    )
    for (const frame of own) {
      expect(JSON.stringify(frame).length).toBeLessThan(400_000)
      expect(frame.sequence).toBe(frame.rows.at(-1)!.sequence)
    }
    expect(own.map(({ more }) => more)).toEqual([...own.slice(1).map(() => true), false])
    expect(answers.at(-2)).toMatchObject({ rows: [], sequence: 0, more: false, last: false })
    expect(answers.at(-1)).toMatchObject({ stream: 'inbox', more: false, last: true })
  }, 30_000)

  it('CON-8 pages lead from the newest message to the first, however large, and a pull goes on from there', async () => {
    const alice = await arrive('alice')
    const { id } = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
    const parts = Array.from({ length: 25 }, () => ({ mime_type: 'text/plain', body: 'y'.repeat(2_000) }))
    for (let n = 0; n < 20; n++) await alice.create('send-message', { conversation: id, parts })
    const positions: number[] = []
    let before: number | null = null
    let sequence = 0
    for (;;) {
      alice.say({ type: 'page', id: 1, conversation: id as never, before, limit: 250 })
      const page = await alice.hear('rows')
      if (before === null) {
        sequence = page.sequence
        expect(page.rows.slice(0, 3).map(({ type }) => type)).toEqual(['conversation', 'participant', 'participant'])
      }
      const messages = page.rows.flatMap((row) => (row.type === 'message' ? [row.position] : []))
      positions.push(...messages)
      before = messages.at(-1)!
      if (!page.more) break
    }
    expect(positions).toEqual(Array.from({ length: 20 }, (_, index) => 20 - index))
    alice.say({ type: 'pull', id: 2, streams: [{ stream: id as never, after: sequence }] })
    expect(await alice.hear('rows')).toMatchObject({ rows: [], sequence: 23, last: true })
  }, 30_000)

  it('CON-11 nineteen frames that are none are refused, the twentieth ends it', async () => {
    const person = await arrive('alice')
    const bad = ['', '{', '[]', 'null', '7', '"hello"', '{}', '{"type":"nonsense"}', '{"type":7}', '{"type":"pull"}']
    for (let n = 0; n < 19; n++) {
      person.socket.send(bad[n % bad.length]!)
      const { error } = await person.hear('refusal')
      expect(error).toMatchObject({
        id: expect.stringMatching(/^(invalid_request|invalid_property|missing_property)$/),
      })
    }
    person.say({ type: 'ping' })
    await person.hear('pong')
    person.socket.send('{')
    expect(await person.hear('goodbye')).toMatchObject({ reason: 'protocol_error' })
    expect(await person.closed()).toBe(4400)
  })

  it('CON-11 a frame that is not text ends it with a goodbye', async () => {
    for (const person of [await open(), await arrive('alice')]) {
      person.socket.send(Buffer.from('{"type":"ping"}'), { binary: true })
      expect(await person.hear('goodbye')).toMatchObject({ reason: 'protocol_error' })
      expect(await person.closed()).toBe(4400)
    }
  })

  it('CON-11 a frame that is too large closes with 1009, one that is not UTF-8 with 1007', async () => {
    const person = await arrive('alice')
    person.socket.send(`"${'x'.repeat(65_536)}"`)
    expect(await person.closed()).toBe(1009)
    const peer = await RawPeer.open(home)
    peer.tcp.write(Buffer.concat([Buffer.from([0x81, 0x82, 0, 0, 0, 0]), Buffer.from([0xc3, 0x28])]))
    await peer.until(() => peer.frames.length > 0)
    expect(peer.types()).toEqual(['close 1007'])
    peer.tcp.destroy()
  })

  it('who ends their side without a word is gone, and what they said before is done', async () => {
    const ben = await arrive('ben')
    const { id: room } = await ben.create('create-conversation', { participants: ['alice'], distinct: false })
    const peer = await RawPeer.open(home)
    peer.tcp.write(clientFrame(JSON.stringify(hello(await home.signIn('alice')))))
    await peer.until(() => peer.types().includes('heads'))
    const id = randomUUID()
    const input = { id: `layer:///messages/${id}`, conversation: room, parts: text('bye') }
    peer.tcp.end(clientFrame(JSON.stringify({ type: 'operation', id, name: 'send-message', input })))
    await peer.closed()
    await ben.hear('change', (frame) => JSON.stringify(frame).includes(id))
  })

  it('OPR-1 the frame’s id and that of what it creates are the same', async () => {
    const alice = await arrive('alice')
    const input = { id: randomUUID(), participants: ['ben'], distinct: false }
    expect(await alice.ask('create-conversation', input)).toMatchObject({ refusal: { id: 'invalid_request' } })
    for (const name of [
      'nonsense',
      '__proto__',
      'constructor',
      'toString',
      'open-session',
      'use-nonce',
      'end-session',
    ]) {
      expect(await alice.ask(name, input)).toMatchObject({ refusal: { id: 'invalid_operation' } })
    }
  })

  it('a user with very many conversations is told of all of them', async () => {
    const store = openSqliteStore(storeFile(home.folder))
    const [app] = await store.apps.all()
    const token = await home.signIn('everybody')
    const count = 25_000
    await insertConversations(store, app!.key, 'everybody', count)
    const fresh = await serve(store, {})
    const person = await Person.open(fresh)
    person.say(hello(token))
    await person.hear('heads', (frame) => frame.cursor !== null)
    const named = person.heard.flatMap((frame) => (frame.type === 'heads' ? frame.streams : []))
    expect(named).toHaveLength(count + 1)
    person.close()
    await fresh.close({ drainMs: 0 })
  }, 30_000)
})

async function insertConversations(store: Store, app: AppKey, userId: string, count: number): Promise<void> {
  const profile = (await store.lists.profile(app, userId as never))!
  const ids = Array.from({ length: count }, () => randomUUID() as never)
  await store.log.commit({
    ...{ purged: [], sessions: [], nonces: [], operations: [], messages: [] },
    cursor: (await store.log.lastCursor()) + 1,
    at: 1,
    people: [{ app, profile, inboxSequence: count, isInboxMoved: true }],
    conversations: ids.map((id) => ({
      ...{ app, headSequence: 2, headPosition: 0, lastMessageAt: 1 },
      record: {
        ...{ id, createdAt: 1, createdBy: profile.userId, distinctKey: null, metadata: {}, deletedAt: null },
        ...{ sequence: 1, changedAt: 1 },
      },
    })),
    participants: ids.map((conversation, index) => ({
      ...{ app, conversation, userId: profile.userId, state: 'joined' as const, order: 1, joinedAt: 1 },
      ...{ absent: [], delivered: [], read: [], hidden: [], lastPosition: null },
      ...{ sequence: 2, inboxSequence: index + 1, changedAt: 1 },
    })),
  })
}

describe('a connection while the store is away', () => {
  it('OPR-5 nothing overtakes what was put off, not even what is under way; asked again in order, all goes through', async () => {
    let failures = 0
    const home = await startTestServer()
    const inner = openSqliteStore(storeFile(home.folder))
    const store: Store = {
      ...inner,
      log: {
        lastCursor: () => inner.log.lastCursor(),
        load: (wanted) => inner.log.load(wanted),
        prune: (before) => inner.log.prune(before),
        async commit(writes) {
          const isFirst = writes.messages.some(({ parts }) => parts[0]?.body === '0')
          if (isFirst && failures-- > 0) throw new StoreOutage('Disk full.')
          return inner.log.commit(writes)
        },
      },
    }
    const token = await home.signIn('alice')
    const shaky = await serve(store, {})
    const alice = await Person.connect(shaky, token)
    const { id: conversation } = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
    const ids = Array.from({ length: 6 }, () => randomUUID())
    const ask = (index: number) => {
      const input = { id: ids[index], conversation, parts: text(String(index)) }
      const after = index > 0 ? { after: ids[index - 1]! } : {}
      alice.say({ type: 'operation', id: ids[index]!, name: 'send-message', input, ...after } as never)
    }
    const answers = async (count: number) => {
      const heard = []
      for (let n = 0; n < count; n++) heard.push(await alice.hear('acknowledgement'))
      return heard
    }
    failures = 1
    // The first goes into a batch of its own; the rest is under way when it turns out to have failed.
    ask(0)
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
    for (let index = 1; index < ids.length; index++) ask(index)
    for (const answer of await answers(6)) {
      expect(answer).toMatchObject({ refusal: { id: 'service_unavailable' }, retry_after_ms: expect.any(Number) })
    }
    for (let index = 0; index < ids.length; index++) ask(index)
    expect((await answers(6)).map((answer) => ('result' in answer ? answer.result.position : answer))).toEqual([
      1, 2, 3, 4, 5, 6,
    ])
    alice.close()
    await shaky.close({ drainMs: 0 })
    await home.close()
  })

  it('OPR-6 a final refusal does not hold back what comes after it', async () => {
    const home = await startTestServer()
    const alice = await home.connect('alice')
    const { id: conversation } = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
    const [bad, good] = [randomUUID(), randomUUID()]
    const send = (id: string, to: string, after?: string) =>
      alice.say({
        ...{ type: 'operation', id, name: 'send-message', input: { id, conversation: to, parts: text('x') } },
        ...(after && { after }),
      } as never)
    send(bad, randomUUID())
    send(good, conversation, bad)
    expect(await alice.hear('acknowledgement')).toMatchObject({ id: bad, refusal: { id: 'not_found' } })
    expect(await alice.hear('acknowledgement')).toMatchObject({ id: good, result: { position: 1 } })
    alice.close()
    await home.close()
  })

  it('OPR-5 more operations than may be under way are put off, none is lost and none overtakes', async () => {
    const home = await startTestServer()
    const alice = await home.connect('alice')
    const { id: conversation } = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
    const ids = Array.from({ length: 400 }, () => randomUUID())
    const ask = (index: number) => {
      const id = ids[index]!
      const input = { id, conversation, parts: text(String(index)) }
      alice.say({
        type: 'operation',
        id,
        name: 'send-message',
        input,
        ...(index > 0 && { after: ids[index - 1]! }),
      } as never)
    }
    let next = 0
    const positions: number[] = []
    for (let round = 0; next < ids.length && round < 10; round++) {
      for (let index = next; index < ids.length; index++) ask(index)
      for (let index = next; index < ids.length; index++) {
        const answer = await alice.hear('acknowledgement')
        if ('result' in answer) positions.push(answer.result.position as number)
        else expect(answer.refusal.id).toMatch(/^(rate_limit_exceeded|service_unavailable)$/)
      }
      next = positions.length
    }
    expect(positions).toEqual(ids.map((_, index) => index + 1))
    alice.close()
    await home.close()
  })
})

describe('a peer that does not read', () => {
  it('CON-12 is cut at its bound, loses nothing, and disturbs nobody', async () => {
    const home = await startTestServer()
    const alice = await home.connect('alice')
    const ben = await home.connect('ben')
    const { id } = await alice.create('create-conversation', { participants: ['ben', 'sleepy'], distinct: false })
    const sleepy = await RawPeer.open(home)
    const token = await home.signIn('sleepy')
    sleepy.tcp.write(clientFrame(JSON.stringify({ type: 'hello', session_token: token, cursor: null, epoch: null })))
    await sleepy.until(() => sleepy.types().includes('heads'))
    sleepy.tcp.pause()
    const parts = Array.from({ length: 25 }, () => ({ mime_type: 'text/plain', body: 'z'.repeat(2_000) }))
    // 20 MB: what the kernel takes for a sleeper is a few of them.
    const sent = 400
    for (let n = 0; n < sent; n++) {
      await alice.create('send-message', { conversation: id, parts })
      await ben.hear('change', (frame) => frame.rows[0]?.type === 'message')
    }
    sleepy.tcp.resume()
    await sleepy.closed()
    const changes = sleepy.frames.filter((frame) => 'type' in frame && frame.type === 'change')
    expect(changes.length).toBeLessThan(sent)
    const last = sleepy.frames.at(-1)
    if (last && 'closeCode' in last) expect(last.closeCode).toBe(4413)
    const back = await Person.connect(home.server, token)
    back.say({ type: 'pull', id: 1, streams: [{ stream: id as never, after: 0 }] })
    let rows = 0
    for (;;) {
      const frame = await back.hear('rows')
      rows += frame.rows.length
      if (frame.last) break
    }
    expect(rows).toBe(sent + 4)
    for (const person of [alice, ben, back]) person.close()
    await home.close()
  }, 60_000)
})
