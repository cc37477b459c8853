import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../support.ts'
import { Caller, conversationUri, identityUri, messageUri } from './support/rest.ts'
import { attend, enter, type HeardPacket, kindOf, LayerSocket } from './support/socket.ts'

describe('a Layer client that was away', () => {
  let home: TestServer
  /** Far enough from the present to lie outside the margin that every replay has. */
  let skew = 0
  beforeAll(async () => {
    const clock = {
      now: () => Date.now() + skew,
      after(ms: number, callback: () => void) {
        const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1))
        timer.unref()
        return () => clearTimeout(timer)
      },
    }
    home = await startTestServer({ clock, sessionSeconds: 30_000_000 })
  })
  afterAll(() => home.close())

  const pass = (ms: number) => {
    skew += ms
  }

  /** Asks for what happened since; answers the packets before the answer. */
  async function replayed(token: string, since: string): Promise<HeardPacket[]> {
    const socket = await LayerSocket.connect(home.server, token)
    expect(await socket.request('Event.replay', { from_timestamp: since })).toMatchObject({ success: true })
    socket.close()
    const answer = socket.heard.at(-1)!
    expect(socket.heard.map(({ counter }) => counter)).toEqual(socket.heard.map((_packet, index) => index))
    for (const packet of socket.heard.slice(0, -1)) expect(packet.timestamp).toBe(since)
    expect(Date.parse(answer.timestamp)).toBeGreaterThan(Date.parse(since))
    return socket.heard.slice(0, -1)
  }

  const about = (packets: readonly HeardPacket[], id: string) =>
    packets.filter(({ body }) => body.object?.id === id).map(({ body }) => kindOf(body))
  const now = () => new Date(Date.now() + skew).toISOString()

  it('LAY-43 hears of new conversations, messages in order, who read them, and nothing older', async () => {
    const alice = await Caller.signIn(home, 'alice')
    const ben = await Caller.signIn(home, 'ben')
    const quiet = await alice.start('ben')
    await alice.send(quiet, 'long ago')
    const busy = await alice.start('ben')
    const old = await ben.send(busy, 'old')
    pass(60_000)
    const since = now()
    pass(60_000)
    const fresh = [await alice.send(busy, 'one'), await alice.send(busy, 'two')]
    const started = await alice.start('ben', 'cleo')
    const inIt = await alice.send(started, 'hello cleo')
    await alice.call('POST', `/messages/${old}/receipts`, { type: 'read' })
    const packets = await replayed(ben.token, since)
    expect(about(packets, conversationUri(quiet))).toEqual([])
    const sent = packets.flatMap(({ body }) => (kindOf(body) === 'create Message' ? body.object!.id : []))
    expect(sent.filter((one) => one !== messageUri(inIt))).toEqual(fresh.map(messageUri))
    expect(sent).toContain(messageUri(inIt))
    expect(about(packets, conversationUri(started))).toEqual(['create Conversation', 'update Conversation'])
    const readByAlice = packets.find(
      ({ body }) => body.object?.id === conversationUri(busy) && body.method === 'Conversation.mark_all_read',
    )
    expect(readByAlice?.body.data).toMatchObject({ position: 1, identity: { id: identityUri('alice') } })
    const last = packets.findLast(({ body }) => body.object?.id === conversationUri(busy))
    expect(last?.body.data).toMatchObject([
      { property: 'last_message', id: messageUri(fresh[1]!), value: { position: 3 } },
      { property: 'unread_message_count', value: 2 },
    ])
    // A conversation is told before its messages, and these before they are the last.
    const order = packets.map(({ body }) => `${kindOf(body)} ${body.object?.id}`)
    expect(order.indexOf(`create Conversation ${conversationUri(busy)}`)).toBeLessThan(
      order.indexOf(`create Message ${messageUri(fresh[0]!)}`),
    )
    pass(60_000)
    expect(await replayed(ben.token, now())).toEqual([])
  })

  it('LAY-43 hears of what was deleted, left, removed and hidden', async () => {
    const alice = await Caller.signIn(home, 'alice')
    const ben = await Caller.signIn(home, 'ben')
    const second = await enter(home, 'ben')
    const [gone, hidden, left, removed, kept] = await Promise.all(Array.from({ length: 5 }, () => alice.start('ben')))
    const [first, other] = [await alice.send(kept!, 'one'), await alice.send(kept!, 'two')]
    await alice.send(kept!, 'three')
    await alice.send(hidden!, 'old')
    pass(60_000)
    const since = now()
    pass(60_000)
    await alice.call('DELETE', `/conversations/${gone}?mode=all_participants`)
    await ben.call('DELETE', `/conversations/${hidden}?mode=my_devices`)
    await ben.call('DELETE', `/conversations/${left}?mode=my_devices&leave=true`)
    await alice.call('PATCH', `/conversations/${removed}`, [
      { operation: 'remove', property: 'participants', id: identityUri('ben') },
    ])
    await alice.call('DELETE', `/messages/${first}?mode=all_participants`)
    await ben.call('DELETE', `/messages/${other}?mode=my_devices`)
    const packets = await replayed(ben.token, since)
    const told = (id: string) =>
      packets.filter(({ body }) => body.object?.id === id).map(({ body }) => [kindOf(body), body.data])
    expect(told(conversationUri(gone!))).toEqual([
      ['delete Conversation', { mode: 'all_participants', from_position: null }],
    ])
    for (const id of [hidden, left]) {
      expect(told(conversationUri(id!))).toEqual([['delete Conversation', { mode: 'my_devices', from_position: null }]])
    }
    expect(told(conversationUri(removed!))[0]).toMatchObject(['create Conversation', { participants: [] }])
    expect(told(messageUri(first))).toEqual([['delete Message', { mode: 'all_participants' }]])
    expect(told(messageUri(other))).toEqual([['delete Message', { mode: 'my_devices' }]])
    await alice.send(hidden!, 'new')
    const later = await replayed(ben.token, since)
    expect(
      later
        .filter(({ body }) => body.object?.id === conversationUri(hidden!))
        .map(({ body }) => [kindOf(body), body.data]),
    ).toMatchObject([
      ['delete Conversation', { mode: 'my_devices', from_position: 1 }],
      ['create Conversation', { participants: [{}, {}] }],
      ['update Conversation', [{ value: { position: 2 } }, { value: 1 }]],
    ])
    second.socket.close()
  })

  it('LAY-43 hears of single receipts of messages it knew', async () => {
    const alice = await Caller.signIn(home, 'alice')
    const ben = await Caller.signIn(home, 'ben')
    const id = await alice.start('ben', 'c.leo')
    const cleo = await Caller.signIn(home, 'c.leo')
    const [first, second] = [await alice.send(id, 'one'), await alice.send(id, 'two')]
    pass(60_000)
    const since = now()
    pass(60_000)
    await cleo.call('POST', `/messages/${second}/receipts`, { type: 'read' })
    await ben.call('POST', `/messages/${first}/receipts`, { type: 'delivery' })
    const packets = await replayed(alice.token, since)
    const patches = packets.flatMap(({ body }) =>
      kindOf(body) === 'update Message' ? [[body.object!.id, body.data]] : [],
    )
    expect(patches).toEqual([
      [
        messageUri(second),
        [{ operation: 'set', property: 'recipient_status.layer:///identities/c\\.leo', value: 'read' }],
      ],
      [
        messageUri(first),
        [{ operation: 'set', property: 'recipient_status.layer:///identities/ben', value: 'delivered' }],
      ],
    ])
  })

  it('LAY-43 hears of as many messages as there are, and of what happens meanwhile afterwards', async () => {
    const alice = await Caller.signIn(home, 'alice')
    const ben = await Caller.signIn(home, 'ben')
    const id = await alice.start('ben')
    pass(60_000)
    const since = now()
    pass(60_000)
    const sent: string[] = []
    for (let i = 0; i < 10; i++) {
      sent.push(...(await Promise.all(Array.from({ length: 45 }, (_none, j) => alice.send(id, `${i} ${j}`)))))
    }
    const socket = await LayerSocket.connect(home.server, ben.token)
    socket.say({
      type: 'request',
      body: { request_id: 'replay', method: 'Event.replay', data: { from_timestamp: since } },
    })
    const live = await alice.send(id, 'meanwhile')
    await socket.hear(({ body }) => body.object?.id === messageUri(live) && body.operation === 'create')
    await socket.settle()
    const heard = socket.heard.flatMap(({ body }) => (kindOf(body) === 'create Message' ? [body.object!.id] : []))
    expect(new Set(heard)).toEqual(new Set([...sent, live].map(messageUri)))
    const positions = socket.heard.flatMap(({ body }) =>
      kindOf(body) === 'create Message' ? [(body.data as { position: number }).position] : [],
    )
    expect(positions.slice(0, 450)).toEqual(Array.from({ length: 450 }, (_none, i) => i + 1))
    socket.close()
  })

  it('LAY-43 hears of what it missed before anything else, or a loss in between would be a hole', async () => {
    const alice = await Caller.signIn(home, 'alice')
    const other = await attend(home, 'ben')
    const id = await alice.start('ben')
    pass(60_000)
    const since = now()
    pass(60_000)
    const missed = await alice.send(id, 'missed')
    const socket = await LayerSocket.connect(home.server, other.rest.token)
    const live = await alice.send(id, 'live')
    const isLive = ({ body }: HeardPacket) => body.object?.id === messageUri(live) && body.operation === 'create'
    await other.socket.hear(isLive)
    await socket.request('Event.replay', { from_timestamp: since })
    expect(await socket.hear(isLive)).toBeDefined()
    const [first] = socket.heard
    expect([first?.timestamp, first?.counter]).toEqual([since, 0])
    const told = socket.heard.filter(({ body }) => kindOf(body) === 'create Message').map(({ body }) => body.object!.id)
    expect(told).toEqual([missed, live, live].map(messageUri))
    for (const one of [socket, other.socket]) one.close()
  })

  it('LAY-43 who never asks for anything hears of what happens a little later', async () => {
    const alice = await Caller.signIn(home, 'alice')
    const ben = await Caller.signIn(home, 'ben')
    const id = await alice.start('ben')
    const socket = await LayerSocket.connect(home.server, ben.token)
    const sent = [await alice.send(id, 'one'), await alice.send(id, 'two')]
    for (const message of sent) {
      expect((await socket.hearChange('create Message')).object?.id).toBe(messageUri(message))
    }
    socket.close()
  })
})
