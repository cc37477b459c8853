/** Messages that somebody sends faster than one is committed go to other servers together, and arrive as if alone. */
import { randomUUID } from 'node:crypto'
import type { DownFrame } from '@parley/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LayerSocket } from '../layer/support/socket.ts'
import { text } from '../support.ts'
import { Cluster } from './cluster.ts'

const MESSAGES = 120

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.start(2)
})
afterAll(() => cluster?.close())

type ChangeFrame = Extract<DownFrame, { type: 'change' }>
const messagesIn = (frames: readonly DownFrame[]) =>
  frames
    .filter((frame): frame is ChangeFrame => frame.type === 'change')
    .map(({ rows }) => rows.filter((row) => row.type === 'message'))
    .filter(({ length }) => length > 0)

it('LAY-33 messages sent at once at one server are told at another in order, each once, in both dialects', async () => {
  const ann = await cluster.connect(cluster.node(0), 'ann')
  const ben = await cluster.connect(cluster.node(1), 'ben')
  const token = await cluster.signIn(cluster.node(1), 'cleo')
  const cleo = await LayerSocket.connect(cluster.node(1) as never, token)
  try {
    const { id } = await ann.create('create-conversation', { participants: ['ben', 'cleo'], distinct: false })
    const conversation = `layer:///conversations/${id}`
    await cleo.hearChange('create Conversation')
    const ids = Array.from({ length: MESSAGES }, () => randomUUID())
    for (const [n, message] of ids.entries()) {
      const input = { id: message, conversation, parts: text(`No. ${n}, "quoted"`) }
      ann.say({ type: 'operation', id: message, name: 'send-message', input } as never)
    }
    const names = ids.map((message) => `layer:///messages/${message}`)
    const last = names[names.length - 1]!

    await ben.hear('change', ({ rows }) => rows.some((row) => row.type === 'message' && row.id === last))
    const frames = messagesIn(ben.heard)
    expect(frames.flat().map((row) => row.id)).toEqual(names)
    expect(frames.flat().map((row) => row.position)).toEqual(names.map((_, index) => index + 1))
    expect(frames.flat().map((row) => row.parts?.[0]?.body)).toEqual(names.map((_, n) => `No. ${n}, "quoted"`))
    // Otherwise this test would be about nothing.
    expect(frames.length).toBeLessThan(MESSAGES / 2)

    const isLast = ({ body }: (typeof cleo.heard)[number]) =>
      ((body.data ?? []) as readonly { property?: string; id?: string }[]).some?.(
        ({ property, id }) => property === 'last_message' && id === last,
      )
    await cleo.hear(isLast)
    const created = cleo.heard.filter(({ body }) => body.operation === 'create' && body.object?.type === 'Message')
    expect(created.map(({ body }) => body.object?.id)).toEqual(names)
    const { body } = await cluster.request(cluster.node(1), 'GET', `/conversations/${id}`, { token })
    expect(body).toMatchObject({ unread_message_count: MESSAGES, last_message: { id: last } })
    const counts = cleo.heard.flatMap(({ body }) =>
      Array.isArray(body.data)
        ? (body.data as readonly { property: string; value: number }[])
            .filter(({ property }) => property === 'unread_message_count')
            .map(({ value }) => value)
        : [],
    )
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts[counts.length - 1]).toBe(MESSAGES)
  } finally {
    cleo.close()
    cluster.leave()
  }
})
