import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Person, startTestServer, type TestServer, text } from '../support.ts'
import { conversationUri, identityUri, messageUri } from './support/rest.ts'
import { attend, type Both, kinds } from './support/socket.ts'

const dataOf = (packet: { readonly body: { readonly data: unknown } } | undefined) => packet?.body.data

describe('what Layer’s clients are told of changes', () => {
  let home: TestServer
  let alice: Both
  let ben: Both
  beforeAll(async () => {
    home = await startTestServer()
  })
  beforeEach(async () => {
    alice = await attend(home, 'alice', { display_name: 'Alice A.' })
    ben = await attend(home, 'b.en', { display_name: 'Ben B.' })
  })
  afterEach(() => {
    alice.socket.close()
    ben.socket.close()
  })
  afterAll(() => home.close())

  /** A conversation of alice and ben that both have heard of. */
  async function conversation(...others: string[]): Promise<string> {
    const id = await alice.rest.start('b.en', ...others)
    for (const { socket } of [alice, ben]) await socket.hear(({ body }) => body.object?.id === conversationUri(id))
    return id
  }

  it('LAY-34 a new conversation is told to everybody in it, after who the others are', async () => {
    const id = randomUUID()
    const participants = [identityUri('b.en'), identityUri('cleo')]
    await alice.rest.call('POST', '/conversations', { id, participants, metadata: { title: 'Lunch' } })
    const told = await ben.socket.settle()
    expect(kinds(told)).toEqual(['create Identity', 'create Identity', 'create Conversation'])
    expect(told.slice(0, 2).map((packet) => dataOf(packet))).toMatchObject([
      { user_id: 'alice', display_name: 'Alice A.', metadata: {} },
      { user_id: 'cleo', metadata: {} },
    ])
    expect(dataOf(told[2])).toEqual((await ben.rest.get(`/conversations/${id}`)).body)
  })

  it('LAY-33 a message is told before it is the last one, with the count of those for whom it is unread', async () => {
    const id = await conversation()
    for (const count of [1, 2, 3]) {
      const message = await alice.rest.send(id, `message ${count}`)
      const [toBen, toAlice] = [await ben.socket.settle(), await alice.socket.settle()]
      expect([kinds(toBen), kinds(toAlice)]).toEqual(Array(2).fill(['create Message', 'update Conversation']))
      expect(dataOf(toBen[0])).toEqual((await ben.rest.get(`/messages/${message}`)).body)
      expect(dataOf(toAlice[0])).toEqual((await alice.rest.get(`/messages/${message}`)).body)
      const last = { operation: 'set', property: 'last_message', id: messageUri(message) }
      expect(dataOf(toBen[1])).toEqual([last, { operation: 'set', property: 'unread_message_count', value: count }])
      expect(dataOf(toAlice[1])).toEqual([last])
    }
  })

  it('LAY-33 counts are right whatever was read, deleted and sent in between, on every device', async () => {
    const id = await conversation('cleo')
    const second = await attend(home, 'b.en')
    const native = await home.connect('cleo')
    const counts = async () => {
      const packets = [...(await ben.socket.settle())].flatMap(({ body }) =>
        body.operation === 'update' ? body.data : [],
      )
      return (packets as { property: string; value: number }[]).findLast(
        ({ property }) => property === 'unread_message_count',
      )?.value
    }
    const stored = async () =>
      ((await ben.rest.get(`/conversations/${id}`)).body as { unread_message_count: number }).unread_message_count
    const sent: string[] = []
    for (let i = 0; i < 5; i++) sent.push(await alice.rest.send(id, String(i)))
    expect([await counts(), await stored()]).toEqual([5, 5])
    await ben.rest.call('POST', `/messages/${sent[2]}/receipts`, { type: 'read' })
    expect([await counts(), await stored()]).toEqual([4, 4])
    await alice.rest.call('DELETE', `/messages/${sent[0]}?mode=all_participants`)
    expect([await counts(), await stored()]).toEqual([3, 3])
    await second.rest.call('DELETE', `/messages/${sent[1]}?mode=my_devices`)
    expect([await counts(), await stored()]).toEqual([2, 2])
    await native.create('send-message', { conversation: id, parts: text('from cleo') })
    expect([await counts(), await stored()]).toEqual([3, 3])
    await ben.rest.send(id, 'my own')
    expect([await counts(), await stored()]).toEqual([undefined, 3])
    await alice.rest.call('DELETE', `/messages/${sent[2]}?mode=all_participants`)
    expect([await counts(), await stored()]).toEqual([undefined, 3])
    await second.rest.call('POST', `/conversations/${id}/mark_all_read`, { position: 4 })
    expect([await counts(), await stored()]).toEqual([2, 2])
    await alice.rest.send(id, 'one more')
    expect([await counts(), await stored()]).toEqual([3, 3])
    await ben.rest.call('POST', `/conversations/${id}/mark_all_read`, { position: null })
    expect([await counts(), await stored()]).toEqual([0, 0])
    await alice.rest.send(id, 'and another')
    expect([await counts(), await stored()]).toEqual([1, 1])
    second.socket.close()
    native.close()
  })

  it('LAY-33 a burst from many hands ends with the count there is', async () => {
    const id = await conversation('cleo')
    const native = await home.connect('cleo')
    const sending = Array.from({ length: 40 }, (_none, i) => alice.rest.send(id, String(i)))
    for (let i = 0; i < 20; i++) {
      const message = randomUUID()
      const input = { id: message, conversation: id, parts: text(`native ${i}`) }
      native.say({ type: 'operation', id: message, name: 'send-message', input: input as never })
    }
    await Promise.all(sending)
    await native.create('send-message', { conversation: id, parts: text('the last') })
    const updates = (await ben.socket.settle()).filter(({ body }) => body.operation === 'update')
    const counts = updates.map(({ body }) => (body.data as { value?: number }[])[1]!.value!)
    const { unread_message_count: stored } = (await ben.rest.get(`/conversations/${id}`)).body as {
      unread_message_count: number
    }
    expect(counts.at(-1)).toBe(stored)
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    native.close()
  })

  it('LAY-35 deleted from one’s devices it goes there, and returns with the next message, emptied and whole', async () => {
    const id = await conversation()
    for (const body of ['one', 'two']) await alice.rest.send(id, body)
    await ben.socket.settle()
    await ben.rest.call('DELETE', `/conversations/${id}?mode=my_devices&leave=false`)
    const gone = await ben.socket.settle()
    expect(gone.map(({ body }) => body)).toEqual([
      {
        operation: 'delete',
        object: { type: 'Conversation', id: conversationUri(id), url: `${home.server.url}/conversations/${id}` },
        data: { mode: 'my_devices', from_position: null },
      },
    ])
    await alice.rest.call('PATCH', `/conversations/${id}`, [{ operation: 'set', property: 'metadata.a', value: 'b' }])
    expect(await ben.socket.settle()).toEqual([])
    await alice.socket.settle()
    const message = await alice.rest.send(id, 'three')
    const back = await ben.socket.settle()
    expect(kinds(back)).toEqual(['delete Conversation', 'create Conversation', 'create Message', 'update Conversation'])
    expect(dataOf(back[0])).toEqual({ mode: 'my_devices', from_position: 2 })
    expect(dataOf(back[1])).toMatchObject({
      id: conversationUri(id),
      metadata: { a: 'b' },
      participants: [{}, {}],
      last_message: null,
    })
    expect(dataOf(back[3])).toMatchObject([{ id: messageUri(message) }, { property: 'unread_message_count', value: 1 }])
    expect(kinds(await alice.socket.settle())).toEqual(['create Message', 'update Conversation'])
  })

  it('LAY-35 found again by its participants, a distinct conversation returns at once', async () => {
    const body = { participants: [identityUri('b.en')], distinct: true }
    const made = (await alice.rest.call('POST', '/conversations', body)).body as { id: string }
    await alice.rest.call('DELETE', `/conversations/${made.id.split('/').at(-1)}?mode=my_devices`)
    await alice.socket.settle()
    expect((await alice.rest.call('POST', '/conversations', body)).body).toMatchObject({ id: made.id })
    const told = await alice.socket.settle()
    expect([kinds(told), dataOf(told[0])]).toMatchObject([['create Conversation'], { id: made.id }])
  })

  it('LAY-36 a patch is told as the same patch, participants with id and value', async () => {
    const made = await alice.rest.call('POST', '/conversations', {
      participants: [identityUri('b.en'), identityUri('c')],
      distinct: true,
    })
    const id = (made.body as { id: string }).id.split('/').at(-1)!
    await ben.socket.settle()
    await alice.rest.call('PATCH', `/conversations/${id}`, [
      { operation: 'set', property: 'metadata.a.b', value: 'c' },
      { operation: 'delete', property: 'metadata.gone' },
    ])
    expect((await ben.socket.settle()).map((packet) => dataOf(packet))).toEqual([
      [
        { operation: 'set', property: 'metadata.a.b', value: 'c' },
        { operation: 'delete', property: 'metadata.gone' },
      ],
    ])
    await alice.rest.call('PATCH', `/conversations/${id}`, [
      { operation: 'add', property: 'participants', id: identityUri('cleo') },
      { operation: 'remove', property: 'participants', id: identityUri('c') },
    ])
    const told = await ben.socket.settle()
    expect(kinds(told)).toEqual(['create Identity', 'update Conversation'])
    const patch = dataOf(told[1]) as unknown as { operation: string }[]
    expect(patch.sort((a, b) => a.operation.localeCompare(b.operation))).toEqual([
      {
        operation: 'add',
        property: 'participants',
        id: identityUri('cleo'),
        value: expect.objectContaining({ id: identityUri('cleo'), user_id: 'cleo', url: expect.any(String) }),
      },
      { operation: 'remove', property: 'participants', id: identityUri('c') },
      { operation: 'set', property: 'distinct', value: false },
    ])
  })

  it('LAY-36 whoever is added is told the whole, whoever is removed that nobody is there, whoever leaves that it is gone', async () => {
    const cleo = await attend(home, 'cleo')
    const id = await conversation()
    const message = await alice.rest.send(id, 'before cleo')
    await alice.rest.call('PATCH', `/conversations/${id}`, [
      { operation: 'add', property: 'participants', id: identityUri('cleo') },
    ])
    const added = await cleo.socket.settle()
    expect(kinds(added)).toEqual(['create Identity', 'create Identity', 'create Conversation'])
    expect(dataOf(added[2])).toMatchObject({
      last_message: { id: messageUri(message) },
      total_message_count: 1,
      unread_message_count: 0,
    })
    await ben.socket.settle()
    await alice.rest.call('PATCH', `/conversations/${id}`, [
      { operation: 'remove', property: 'participants', id: identityUri('b.en') },
    ])
    const removed = await ben.socket.settle()
    expect(removed.map(({ body }) => [body.operation, body.data])).toEqual([
      ['update', [{ operation: 'set', property: 'participants', value: [] }]],
    ])
    await alice.rest.send(id, 'without ben')
    expect(await ben.socket.settle()).toEqual([])
    await alice.socket.settle()
    await cleo.rest.call('DELETE', `/conversations/${id}?mode=my_devices&leave=true`)
    const left = (await cleo.socket.settle()).at(-1)
    expect(left?.body).toMatchObject({ operation: 'delete', data: { mode: 'my_devices', from_position: null } })
    expect((await alice.socket.settle()).map((packet) => dataOf(packet))).toEqual([
      [{ operation: 'remove', property: 'participants', id: identityUri('cleo') }],
    ])
    cleo.socket.close()
  })

  it('LAY-37 a receipt is told as the status of its message, dots in the identity’s id escaped', async () => {
    const id = await conversation()
    const message = await alice.rest.send(id, 'Hello')
    await alice.socket.settle()
    await ben.socket.settle()
    const property = 'recipient_status.layer:///identities/b\\.en'
    for (const [type, value] of [
      ['delivery', 'delivered'],
      ['read', 'read'],
    ] as const) {
      await ben.rest.call('POST', `/messages/${message}/receipts`, { type })
      const [toAlice, toBen] = [await alice.socket.settle(), await ben.socket.settle()]
      expect(toAlice.map(({ body }) => body)).toEqual([
        {
          operation: 'update',
          object: { type: 'Message', id: messageUri(message), url: `${home.server.url}/messages/${message}` },
          data: [{ operation: 'set', property, value }],
        },
      ])
      expect(kinds(toBen)).toEqual(type === 'read' ? ['update Message', 'update Conversation'] : ['update Message'])
    }
    await ben.rest.call('POST', `/messages/${message}/receipts`, { type: 'delivery' })
    expect(await alice.socket.settle()).toEqual([])
  })

  it('LAY-37 everything up to a position is told as one operation, and the reader hears the count', async () => {
    const id = await conversation()
    for (const body of ['one', 'two', 'three']) await alice.rest.send(id, body)
    await alice.socket.settle()
    await ben.socket.settle()
    await ben.rest.call('POST', `/conversations/${id}/mark_all_read`, { position: 2 })
    const operation = {
      type: 'operation',
      body: {
        method: 'Conversation.mark_all_read',
        object: { type: 'Conversation', id: conversationUri(id) },
        data: { position: 2, identity: { id: identityUri('b.en'), user_id: 'b.en', display_name: 'Ben B.' } },
      },
    }
    expect(await alice.socket.settle()).toMatchObject([operation])
    const toBen = await ben.socket.settle()
    expect(toBen).toMatchObject([operation, { type: 'change' }])
    expect(dataOf(toBen[1])).toEqual([{ operation: 'set', property: 'unread_message_count', value: 1 }])
    await ben.rest.call('POST', `/conversations/${id}/mark_all_read`, { position: 2 })
    expect(await alice.socket.settle()).toEqual([])
  })

  it('LAY-37 receipts of our own clients are told too: a mark up to a position, and a single one', async () => {
    const native: Person = await home.connect('cleo')
    const id = await conversation('cleo')
    const sent = [await alice.rest.send(id, 'one'), await alice.rest.send(id, 'two'), await ben.rest.send(id, 'three')]
    await alice.socket.settle()
    await native.ask('mark-messages', { conversation: id, receipt: 'delivery', position: 3 })
    const delivered = await alice.socket.settle()
    expect(delivered.map(({ body }) => [body.object?.id, (body.data as { value: string }[])[0]!.value])).toEqual(
      [...sent].reverse().map((message) => [messageUri(message), 'delivered']),
    )
    await native.ask('mark-messages', { conversation: id, receipt: 'read', position: 2, only: true })
    const read = await alice.socket.settle()
    expect(read.map(({ body }) => [body.object?.id, (body.data as { value: string }[])[0]!.value])).toEqual([
      [messageUri(sent[1]!), 'read'],
    ])
    await native.ask('mark-messages', { conversation: id, receipt: 'read', position: 3 })
    expect(kinds(await alice.socket.settle())).toEqual(['Conversation.mark_all_read'])
    native.close()
  })

  it('LAY-37 receipts of messages sent long ago are told, though nobody here remembers them', async () => {
    const id = await conversation()
    const first = await alice.rest.send(id, 'the first')
    for (let i = 0; i < 70; i++) await alice.rest.send(id, String(i))
    await alice.socket.settle()
    await ben.rest.call('POST', `/messages/${first}/receipts`, { type: 'read' })
    expect((await alice.socket.settle()).map(({ body }) => body.object?.id)).toEqual([messageUri(first)])
    const native = await home.connect('b.en')
    await native.ask('mark-messages', { conversation: id, receipt: 'delivery', position: 71 })
    const told = await alice.socket.settle()
    expect(new Set(told.map(({ body }) => body.object?.id)).size).toBe(70)
    native.close()
  })

  it('LAY-38 a message deleted for all goes everywhere, and another is the last', async () => {
    const id = await conversation()
    const [first, second] = [await alice.rest.send(id, 'one'), await alice.rest.send(id, 'two')]
    await ben.socket.settle()
    await alice.rest.call('DELETE', `/messages/${second}?mode=all_participants`)
    const told = await ben.socket.settle()
    expect(told.map(({ body }) => body)).toMatchObject([
      { operation: 'delete', object: { type: 'Message', id: messageUri(second) }, data: { mode: 'all_participants' } },
      {
        operation: 'update',
        data: [
          { property: 'last_message', id: messageUri(first), value: { id: messageUri(first), parts: text('one') } },
          { property: 'unread_message_count', value: 1 },
        ],
      },
    ])
    await alice.rest.call('DELETE', `/messages/${first}?mode=all_participants`)
    expect(dataOf((await ben.socket.settle())[1])).toMatchObject([
      { property: 'last_message', value: null },
      { property: 'unread_message_count', value: 0 },
    ])
  })

  it('LAY-38 a message deleted from one’s devices goes there only', async () => {
    const id = await conversation()
    const [first, second] = [await alice.rest.send(id, 'one'), await alice.rest.send(id, 'two')]
    await alice.socket.settle()
    await ben.socket.settle()
    await ben.rest.call('DELETE', `/messages/${first}?mode=my_devices`)
    expect((await ben.socket.settle()).map(({ body }) => [body.operation, body.data])).toEqual([
      ['delete', { mode: 'my_devices' }],
      ['update', [{ operation: 'set', property: 'unread_message_count', value: 1 }]],
    ])
    expect(await alice.socket.settle()).toEqual([])
    await alice.rest.call('DELETE', `/messages/${second}?mode=my_devices`)
    expect((await alice.socket.settle()).map(({ body }) => [body.operation, body.data])).toMatchObject([
      ['delete', { mode: 'my_devices' }],
      ['update', [{ property: 'last_message', id: messageUri(first) }]],
    ])
    expect(await ben.socket.settle()).toEqual([])
  })

  it('LAY-38 a conversation deleted for all goes everywhere', async () => {
    const id = await conversation()
    await ben.rest.call('DELETE', `/conversations/${id}?mode=all_participants`)
    for (const { socket } of [alice, ben]) {
      expect((await socket.settle()).map(({ body }) => [body.operation, body.data])).toEqual([
        ['delete', { mode: 'all_participants', from_position: null }],
      ])
    }
  })

  it('LAY-39 a changed profile is told to those who share a conversation', async () => {
    await conversation()
    await home.signIn('b.en', { claims: { display_name: 'Benedict', first_name: 'Ben' } })
    const told = await alice.socket.hearChange('update Identity')
    expect(told).toMatchObject({ object: { id: identityUri('b.en') } })
    expect(told.data).toEqual(
      expect.arrayContaining([
        { operation: 'set', property: 'display_name', value: 'Benedict' },
        { operation: 'set', property: 'first_name', value: 'Ben' },
        { operation: 'set', property: 'metadata', value: {} },
      ]),
    )
  })
})
