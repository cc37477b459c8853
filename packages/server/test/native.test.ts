import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Person, startTestServer, type TestServer, text } from './support.ts'

describe('a server and people who speak the native protocol', () => {
  let home: TestServer
  beforeAll(async () => {
    home = await startTestServer()
  })
  afterAll(() => home.close())

  it('OPR-2 a message is acknowledged with its position and reaches the others', async () => {
    const alice = await home.connect('alice')
    const ben = await home.connect('ben')
    const conversation = await alice.create('create-conversation', { participants: ['ben'], distinct: true })
    expect(conversation.result).toMatchObject({ outcome: 'created' })
    const sent = await alice.create('send-message', { conversation: conversation.id, parts: text('Hello') })
    expect(sent.result).toMatchObject({ position: 1 })
    const change = await ben.hear('change', (frame) => frame.rows[0]?.type === 'message')
    expect(change.rows[0]).toMatchObject({ position: 1, parts: text('Hello'), sender: 'layer:///identities/alice' })
    alice.close()
    ben.close()
  })

  it('OPR-1 a message repeated on another connection keeps its position and is there once', async () => {
    const alice = await home.connect('alice')
    const conversation = await alice.create('create-conversation', { participants: ['cleo'], distinct: false })
    const first = await alice.create('send-message', { conversation: conversation.id, parts: text('Once') })
    const again = await Person.connect(home.server, alice.token)
    const second = await again.create('send-message', { conversation: conversation.id, parts: text('Once') }, first.id)
    expect(second.result).toEqual(first.result)
    again.say({ type: 'page', id: 1, conversation: conversation.id as never, before: null, limit: 50 })
    const page = await again.hear('rows')
    expect(page.rows.filter((row) => row.type === 'message')).toHaveLength(1)
    alice.close()
    again.close()
  })

  it('CON-2 a device that was away hears which streams moved and pulls what it missed', async () => {
    const alice = await home.connect('alice')
    const dana = await home.connect('dana')
    const heads = await dana.hear('heads')
    const { epoch } = dana.heard.find((frame) => frame.type === 'welcome') as { epoch: string }
    dana.close()
    await dana.closed()
    const conversation = await alice.create('create-conversation', { participants: ['dana'], distinct: false })
    for (const body of ['one', 'two', 'three']) {
      await alice.create('send-message', { conversation: conversation.id, parts: text(body) })
    }
    const back = await Person.connect(home.server, dana.token, heads.cursor, epoch)
    const moved = await back.hear('heads')
    const stream = `layer:///conversations/${conversation.id}` as never
    expect(moved.streams).toEqual(
      expect.arrayContaining([
        { stream: 'inbox', sequence: 1 },
        { stream, sequence: 6 },
      ]),
    )
    back.say({ type: 'pull', id: 7, streams: [{ stream, after: 0 }] })
    const rows = await back.hear('rows')
    expect(rows).toMatchObject({ id: 7, sequence: 6, more: false, last: true })
    expect(rows.rows.map((row) => row.sequence)).toEqual([1, 2, 3, 4, 5, 6])
    alice.close()
    back.close()
  })

  it('CON-9 a stranger’s pull looks as if there were nothing', async () => {
    const alice = await home.connect('alice')
    const conversation = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
    const eve = await home.connect('eve')
    for (const [id, uuid] of [conversation.id, randomUUID()].entries()) {
      eve.say({ type: 'pull', id, streams: [{ stream: uuid as never, after: 0 }] })
      expect(await eve.hear('rows')).toMatchObject({ id, rows: [], sequence: 0, more: false, last: true })
      eve.say({ type: 'page', id, conversation: uuid as never, before: null, limit: 10 })
      expect(await eve.hear('rows')).toMatchObject({ id, rows: [], sequence: 0, more: false, last: true })
    }
    alice.close()
    eve.close()
  })

  it('OPR-3 two hundred operations of one connection keep their order in few transactions', async () => {
    const alice = await home.connect('alice')
    const conversation = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
    const ids = Array.from({ length: 200 }, () => randomUUID())
    for (const [index, id] of ids.entries()) {
      const input = { id, conversation: conversation.id, parts: text(String(index)) }
      alice.say({ type: 'operation', id, name: 'send-message', input: input as never })
    }
    for (const [index, id] of ids.entries()) {
      expect(await alice.hear('acknowledgement')).toMatchObject({ id, result: { position: index + 1 } })
    }
    alice.close()
  })
})
