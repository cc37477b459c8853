import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer, text } from '../support.ts'
import { conversationUri, identityUri, messageUri } from './support/rest.ts'
import { attend, enter, kindOf, kinds, LayerSocket } from './support/socket.ts'

describe('the socket of Layer’s clients', () => {
  let home: TestServer
  beforeAll(async () => {
    home = await startTestServer()
  })
  afterAll(() => home.close())

  it('LAY-30 every packet has the next number of its socket, the first 0, and the time', async () => {
    const { rest, socket } = await enter(home, 'alice')
    await socket.request('Presence.subscribe')
    const id = await rest.start('ben')
    await rest.send(id, 'Hello')
    await socket.hearChange('create Message')
    await socket.settle()
    expect(socket.heard.map(({ counter }) => counter)).toEqual(socket.heard.map((_packet, index) => index))
    for (const { timestamp } of socket.heard) expect(new Date(timestamp).toISOString()).toBe(timestamp)
    const second = await LayerSocket.connect(home.server, rest.token)
    await second.request('Presence.subscribe')
    expect(second.heard[0]).toMatchObject({ type: 'response', counter: 0 })
    for (const one of [socket, second]) one.close()
  })

  it('LAY-31 a conversation and a message are created, and the answers are whole', async () => {
    const { socket } = await enter(home, 'alice')
    const id = randomUUID()
    const created = await socket.request('Conversation.create', {
      id: conversationUri(id),
      participants: [identityUri('ben'), identityUri('alice')],
      distinct: false,
      metadata: null,
    })
    expect(created).toMatchObject({
      method: 'Conversation.create',
      success: true,
      data: { id: conversationUri(id), metadata: {}, participants: [{ user_id: 'alice' }, { user_id: 'ben' }] },
    })
    const message = randomUUID()
    const data = { id: messageUri(message), parts: text('Hello'), notification: { text: 'Hello' } }
    const sent = await socket.request('Message.create', data, conversationUri(id))
    expect(sent).toMatchObject({ success: true, data: { id: messageUri(message), position: 1, is_unread: false } })
    const again = await socket.request('Message.create', data, conversationUri(id))
    expect(again).toMatchObject({
      success: false,
      data: { id: 'id_in_use', code: 111, data: { id: messageUri(message), position: 1 } },
    })
    socket.close()
  })

  it('LAY-10 the three outcomes of a distinct conversation over the socket', async () => {
    const { socket } = await enter(home, 'alice')
    const ask = (metadata: object | null, id = randomUUID()) =>
      socket.request('Conversation.create', {
        id: conversationUri(id),
        participants: [identityUri('dora')],
        distinct: true,
        metadata,
      })
    const first = randomUUID()
    expect(await ask({ a: '1' }, first)).toMatchObject({ success: true, data: { id: conversationUri(first) } })
    expect(await ask({ a: '1' })).toMatchObject({ success: true, data: { id: conversationUri(first) } })
    expect(await ask({ a: '2' })).toMatchObject({
      success: false,
      data: { id: 'conflict', code: 108, data: { id: conversationUri(first), metadata: { a: '1' } } },
    })
    expect(await ask({ a: '1' }, first)).toMatchObject({
      success: false,
      data: { id: 'id_in_use', data: { id: conversationUri(first) } },
    })
    socket.close()
  })

  it('LAY-31 what cannot be done is answered with the error, and the socket lives on', async () => {
    const { rest, socket } = await enter(home, 'alice')
    const id = await rest.start('ben')
    const error = async (method: string, data?: unknown, objectId?: string) => {
      const { success, data: told } = await socket.request(method, data, objectId)
      expect(success).toBe(false)
      return (told as { id: string }).id
    }
    expect(await error('Dance')).toBe('invalid_operation')
    expect(await error('Channel.create', { name: 'news', members: [] })).toBe('invalid_operation')
    expect(await error('Conversation.create')).toBe('invalid_request')
    expect(await error('Conversation.create', {})).toBe('missing_property')
    expect(await error('Conversation.create', { participants: [], metadata: { a: 1 } })).toBe('invalid_property')
    expect(await error('Message.create', { parts: text('x') })).toBe('not_found')
    expect(await error('Message.create', { parts: text('x') }, conversationUri(randomUUID()))).toBe('not_found')
    expect(await error('Message.create', { parts: text('x') }, `layer:///channels/${randomUUID()}`)).toBe('not_found')
    expect(await error('Message.create', { parts: [] }, conversationUri(id))).toBe('invalid_property')
    expect(await error('Message.create', undefined, conversationUri(id))).toBe('invalid_request')
    expect(await error('Presence.update', { status: 'auto' })).toBe('invalid_request')
    expect(await error('Presence.update', [{ operation: 'set', property: 'status', value: 'asleep' }])).toBe(
      'invalid_property',
    )
    expect(await error('Presence.sync', {})).toBe('invalid_property')
    expect(await error('Event.replay', {})).toBe('invalid_property')
    expect(await error('Event.replay', { from_timestamp: 'yesterday' })).toBe('invalid_property')
    socket.say({ type: 'request', body: { request_id: 'no spaces', method: 'Counter.read' } })
    expect(await socket.hear(({ body }) => body.request_id === 'no spaces')).toMatchObject({
      body: { success: false, data: { id: 'invalid_request_id', code: 3 } },
    })
    expect(await socket.request('Counter.read')).toMatchObject({ success: true })
    socket.close()
  })

  it('LAY-31 without a request id there is no answer, but the thing is done; answers keep the order of requests', async () => {
    const { rest, socket } = await enter(home, 'alice')
    const id = await rest.start('ben')
    socket.say({
      type: 'request',
      body: { method: 'Message.create', object_id: conversationUri(id), data: { parts: text('quiet') } },
    })
    await socket.hearChange('create Message')
    expect(socket.heard.filter(({ type }) => type === 'response')).toEqual([])
    for (let i = 0; i < 20; i++) {
      const [method, data] = i % 2 === 0 ? ['Counter.read', undefined] : ['Message.create', { parts: text(String(i)) }]
      socket.say({ type: 'request', body: { request_id: `n${i}`, method, object_id: conversationUri(id), data } })
    }
    await socket.hear(({ body }) => body.request_id === 'n19')
    const answered = socket.heard.flatMap(({ body }) => body.request_id ?? [])
    expect(answered).toEqual(Array.from({ length: 20 }, (_none, i) => `n${i}`))
    socket.close()
  })

  it('LAY-32 the answer to a request comes before the change it made', async () => {
    const { socket } = await enter(home, 'alice')
    const id = conversationUri(randomUUID())
    await socket.request('Conversation.create', { id, participants: [identityUri('ben')] })
    await socket.request('Message.create', { parts: text('Hello') }, id)
    await socket.hearChange('update Conversation')
    expect(kinds(socket.heard)).toEqual([
      'Conversation.create',
      'create Identity',
      'create Conversation',
      'Message.create',
      'create Message',
      'update Conversation',
    ])
    socket.close()
  })

  it('LAY-42 the counter told is that of the packet before the answer', async () => {
    const { socket } = await enter(home, 'alice')
    for (let i = 0; i < 3; i++) {
      socket.say({ type: 'request', body: { request_id: `c${i}`, method: 'Counter.read' } })
      const packet = await socket.hear(({ body }) => body.request_id === `c${i}`)
      expect([packet.counter, packet.body.data]).toEqual([i, { counter: i - 1 }])
    }
    socket.close()
  })

  it('LAY-44 when a session ends its sockets close, and the next request is challenged', async () => {
    const { rest, socket } = await enter(home, 'alice')
    const other = await enter(home, 'alice')
    expect((await rest.call('DELETE', `/sessions/${rest.token}`)).status).toBe(204)
    expect(await socket.closed()).toBe(4401)
    const validation = await rest.get('/?action=validateConnectionForWebsocket&client=3.4.18')
    expect([validation.status, validation.body]).toMatchObject([401, { data: { nonce: expect.any(String) } }])
    expect(await other.socket.request('Counter.read')).toMatchObject({ success: true })
    await expect(LayerSocket.connect(home.server, rest.token)).rejects.toThrow(/401/)
    other.socket.close()
  })

  it('LAY-45 a packet that is no packet is ignored; after twenty the socket is closed', async () => {
    const { socket } = await enter(home, 'alice')
    const nested = '['.repeat(100) + ']'.repeat(100)
    const bad = [
      ...['', 'hello', '{', '[]', 'null', '7', '{}', nested],
      ...[
        { type: 'request' },
        { type: 'request', body: [] },
        { type: 'dance', body: {} },
        { type: 'signal', body: {} },
      ],
      { type: 'request', body: { request_id: 7, method: 'Counter.read' } },
      { type: 'request', body: { request_id: 'x'.repeat(200), method: 'Counter.read' } },
      { type: 'signal', body: { type: 'typing_indicator', object: { id: 'nonsense' }, data: { action: 'started' } } },
      {
        type: 'signal',
        body: { type: 'typing_indicator', object: { id: conversationUri(randomUUID()) }, data: { action: 'x' } },
      },
      ...['a', 'b', 'c'],
    ]
    expect(bad).toHaveLength(19)
    for (const packet of bad) socket.say(packet)
    expect(await socket.request('Counter.read')).toMatchObject({ success: true })
    expect(socket.heard).toHaveLength(1)
    socket.say('the last straw')
    expect(await socket.closed()).toBe(4400)
  })

  it('LAY-40 typing is passed on to the others who are there, with who types', async () => {
    const [alice, ben, eve] = [
      await attend(home, 'alice', { display_name: 'Alice A.' }),
      await attend(home, 'ben'),
      await attend(home, 'eve'),
    ]
    const native = await home.connect('cleo')
    const id = await alice.rest.start('ben', 'cleo')
    const object = { id: conversationUri(id) }
    const type = (socket: LayerSocket, action: string) =>
      socket.say({ type: 'signal', body: { type: 'typing_indicator', object, data: { action } } })
    type(eve.socket, 'started')
    for (const action of ['started', 'paused', 'finished']) {
      type(alice.socket, action)
      const heard = await ben.socket.hear((packet) => packet.type === 'signal')
      expect(heard.body).toEqual({
        type: 'typing_indicator',
        object: { type: 'Conversation', id: object.id, url: `${home.server.url}/conversations/${id}` },
        data: { action, sender: expect.objectContaining({ id: identityUri('alice'), display_name: 'Alice A.' }) },
      })
      expect(await native.hear('typing')).toMatchObject({ action, conversation: object.id })
    }
    native.say({ type: 'typing', conversation: object.id as never, action: 'started' })
    const fromNative = await ben.socket.hear((packet) => packet.type === 'signal')
    expect(fromNative.body.data).toMatchObject({ sender: { id: identityUri('cleo') }, action: 'started' })
    await alice.socket.hear((packet) => packet.type === 'signal')
    expect(alice.socket.heard.filter(({ type: kind }) => kind === 'signal')).toHaveLength(1)
    expect(kindOf(alice.socket.heard[0]!.body)).toBeDefined()
    for (const { socket } of [alice, ben, eve]) socket.close()
    native.close()
  })
})
