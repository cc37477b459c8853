/** Two servers on one PostgreSQL and one NATS are one service to whoever speaks to either of them. */
import { randomUUID } from 'node:crypto'
import { conversationId } from '@parley/protocol'
import { until } from '@parley/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openNodeSdk } from '../layer/support/node-sdk.ts'
import { type Person, text } from '../support.ts'
import { Cluster } from './cluster.ts'

/** Told from one server to the other, in fine weather on a busy machine. */
const PROMPT_MS = 1_000

describe('two servers on one store', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await Cluster.start(2)
  })
  afterEach(() => cluster.leave())
  afterAll(() => cluster?.close())

  const chat = async (ann: Person, ...participants: string[]) =>
    (await ann.create('create-conversation', { participants, distinct: false })).id

  /** The texts that somebody was told live, in order, with the sequences around them. */
  const told = (person: Person, chatId: string) =>
    person.heard.flatMap((frame) =>
      frame.type === 'change' && frame.stream === conversationId(chatId as never)
        ? frame.rows.flatMap((row) => (row.type === 'message' ? [row.parts[0]!.body] : []))
        : [],
    )

  it('what one commits is told at the other, in order, without a hole', async () => {
    const [ann, ben] = [await cluster.connect(cluster.node(0), 'ann'), await cluster.connect(cluster.node(1), 'ben')]
    const id = await chat(ann, 'ben')
    const texts = Array.from({ length: 40 }, (_, n) => `m${n}`)
    for (const body of texts) {
      const from = body.length % 2 === 0 ? ann : ben
      await from.create('send-message', { conversation: id, parts: text(body) })
    }
    for (const person of [ann, ben]) {
      await until(() => told(person, id).length === texts.length, 'everything was told', PROMPT_MS)
      expect(told(person, id)).toEqual(texts)
      let reached = 0
      for (const frame of person.heard) {
        if (frame.type !== 'change' || frame.stream === 'inbox') continue
        if (frame.stream !== conversationId(id as never)) continue
        expect(frame.after).toBe(reached)
        reached = frame.sequence
      }
    }
  })

  it('what was acknowledged at one is there at the other: on a socket, by its cursor, and over HTTP', async () => {
    const ann = await cluster.connect(cluster.node(0), 'ann 2')
    const id = await chat(ann, 'ben 2')
    const welcome = ann.heard.find((frame) => frame.type === 'welcome')!
    const { token } = ann
    for (let n = 1; n <= 10; n++) {
      const from = cluster.node(n % 2)
      const to = cluster.node((n + 1) % 2)
      const here = await cluster.connect(from, 'ann 2', { token })
      const heads = await here.hear('heads', ({ cursor }) => cursor !== null)
      const sent = await here.create('send-message', { conversation: id, parts: text(`m${n}`) })
      const rest = await cluster.request(to, 'GET', `/messages/${sent.id}`, { token })
      expect(rest.status).toBe(200)
      const there = await cluster.connect(to, 'ann 2', { token, cursor: heads.cursor!, epoch: welcome.epoch })
      const moved = await there.hear('heads', ({ cursor }) => cursor !== null)
      expect(moved.streams).toContainEqual({ stream: conversationId(id as never), sequence: sent.answer.sequence })
    }
  })

  it('nobody is refused for what a server remembers and another one changed', async () => {
    const [ann, ben] = [
      await cluster.connect(cluster.node(0), 'ann 3'),
      await cluster.connect(cluster.node(1), 'ben 3'),
    ]
    const id = await chat(ann, 'ben 3')
    const people = (operation: 'add' | 'remove') =>
      ann.ask('update-conversation', {
        conversation: id,
        patch: [{ operation, property: 'participants', id: 'ben 3' }],
      })
    for (let n = 0; n < 10; n++) {
      await ben.create('send-message', { conversation: id, parts: text(`in ${n}`) })
      await people('remove')
      const late = { id: randomUUID(), conversation: id, parts: text('late') }
      expect(await ben.ask('send-message', late, late.id)).toHaveProperty('refusal')
      await people('add')
      await ben.create('send-message', { conversation: id, parts: text(`again ${n}`) })
    }
  })

  it('signing out at one closes the sockets at the other at once, and its token opens nothing there', async () => {
    const ann = await cluster.connect(cluster.node(0), 'ann 4')
    const { token } = ann
    const there = await cluster.connect(cluster.node(1), 'ann 4', { token })
    expect((await cluster.request(cluster.node(1), 'GET', '/conversations', { token })).status).toBe(200)
    const from = performance.now()
    expect((await cluster.request(cluster.node(0), 'DELETE', '/sessions/current', { token })).status).toBe(204)
    await there.closed()
    console.log(`closed at the other server after ${Math.round(performance.now() - from)} ms`)
    expect((await cluster.request(cluster.node(1), 'GET', '/conversations', { token })).status).toBe(401)
  })

  it('54 an unmodified client of Layer at one talks with one of ours at the other', async () => {
    const { node, app, minter } = { ...cluster, node: cluster.node(1) }
    const ada = await openNodeSdk({
      ...{ url: node.url, websocketUrl: node.websocketUrl, appId: app.appId },
      identityToken: (nonce) => minter.mint({ userId: 'ada', nonce, claims: { display_name: 'ADA' } }),
    })
    try {
      const cleo = await cluster.connect(cluster.node(0), 'c.leo')
      await ada.run((sdk) => sdk.client.connect('ada'))
      await ada.until((sdk) => sdk.client.isReady)
      // The SDK forgets what no query holds.
      await ada.run((sdk) => {
        const { Conversation } = sdk.layer.Query
        sdk.queries.conversations = sdk.client.createQuery({ model: Conversation, paginationWindow: 100 })
      })
      const id = await chat(cleo, 'ada')
      const uri = `layer:///conversations/${id}`
      await ada.until((sdk, name) => Boolean(sdk.client.getConversation(name)), uri)
      for (let n = 0; n < 5; n++) {
        const sent = await cleo.create('send-message', { conversation: id, parts: text(`to ada ${n}`) })
        await ada.until(
          (sdk, given) => {
            const conversation = sdk.client.getConversation(given.uri)
            const last = conversation?.lastMessage
            return last && last.parts[0]!.body === given.body && conversation.unreadCount === given.unread
          },
          { uri, body: `to ada ${n}`, unread: 1 },
        )
        await ada.run((sdk, message) => {
          sdk.client.getMessage(message)!.isRead = true
        }, `layer:///messages/${sent.id}`)
        await cleo.hear('change', ({ rows }) =>
          rows.some((row) => row.type === 'participant' && row.identity.user_id === 'ada' && row.read.length > 0),
        )
        await ada.run((sdk, given) => void sdk.client.getConversation(given.uri)!.createMessage(given.body).send(), {
          ...{ uri, body: `to cleo ${n}` },
        })
        await cleo.hear('change', ({ rows }) =>
          rows.some((row) => row.type === 'message' && row.parts[0]!.body === `to cleo ${n}`),
        )
      }
      const { result } = await cleo.create('send-message', { conversation: id, parts: text('read this') })
      const last = await ada.until((sdk, name) => {
        const message = sdk.client.getConversation(name)?.lastMessage
        return message && message.parts[0]!.body === 'read this' ? message.id : undefined
      }, uri)
      expect(last).toMatch(/^layer:\/\/\/messages\//)
      await ada.run((sdk, name) => void sdk.client.getConversation(name)!.createMessage('read me').send(), uri)
      await cleo.hear('change', ({ rows }) =>
        rows.some((row) => row.type === 'message' && row.parts[0]!.body === 'read me'),
      )
      await cleo.ask('mark-messages', {
        conversation: id,
        receipt: 'read',
        position: Number(result.position) + 1,
        only: false,
      })
      await ada.until((sdk, name) => sdk.client.getConversation(name)?.lastMessage?.readStatus === 'ALL', uri)
    } finally {
      await ada.close()
    }
  })
})
