import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer, text } from '../support.ts'
import { Caller, conversationUri, identityUri, messageUri } from './support/rest.ts'

describe('messages over HTTP, as Layer’s clients know them', () => {
  let home: TestServer
  let alice: Caller
  let ben: Caller
  let conversation: string
  beforeAll(async () => {
    home = await startTestServer()
    alice = await Caller.signIn(home, 'alice', { display_name: 'Alice A.' })
    ben = await Caller.signIn(home, 'b.en')
    conversation = await alice.start('b.en')
  })
  afterAll(() => home.close())

  it('LAY-3 a message is whole, from the perspective of whoever looks', async () => {
    const id = randomUUID()
    const sent = await alice.call('POST', `/conversations/${conversation}/messages`, {
      id: messageUri(id),
      parts: [
        { mime_type: 'text/plain', body: 'Grüße' },
        { mime_type: 'image/gif', body: 'R0lGODlh', encoding: 'base64' },
      ],
      notification: { text: 'Alice: Grüße' },
    })
    const url = `${home.server.url}/messages/${id}`
    expect(sent.status).toBe(201)
    const whole = {
      id: messageUri(id),
      url,
      receipts_url: `${url}/receipts`,
      position: 1,
      conversation: { id: conversationUri(conversation), url: `${home.server.url}/conversations/${conversation}` },
      parts: [
        {
          id: `${messageUri(id)}/parts/0`,
          mime_type: 'text/plain',
          body: 'Grüße',
          encoding: null,
          content: null,
          size: 7,
        },
        {
          id: `${messageUri(id)}/parts/1`,
          mime_type: 'image/gif',
          body: 'R0lGODlh',
          encoding: 'base64',
          content: null,
          size: 6,
        },
      ],
      sent_at: expect.stringMatching(/Z$/),
      received_at: expect.stringMatching(/Z$/),
      sender: {
        id: identityUri('alice'),
        url: `${home.server.url}/identities/alice`,
        user_id: 'alice',
        display_name: 'Alice A.',
        avatar_url: null,
        identity_type: 'user',
      },
      is_unread: false,
      recipient_status: { [identityUri('alice')]: 'read', [identityUri('b.en')]: 'sent' },
    }
    expect(sent.body).toEqual(whole)
    expect((await alice.get(`/messages/${id}`)).body).toEqual(whole)
    expect((await ben.get(`/messages/${id}`)).body).toEqual({ ...whole, is_unread: true, received_at: null })
  })

  it('LAY-14 an id used before is answered with the message that bears it, to its sender only', async () => {
    const id = await alice.send(conversation, 'once')
    const again = await alice.call('POST', `/conversations/${conversation}/messages`, { id, parts: text('twice') })
    expect(again.status).toBe(409)
    expect(again.body).toMatchObject({ id: 'id_in_use', data: { id: messageUri(id), parts: text('once') } })
    const other = await ben.call('POST', `/conversations/${conversation}/messages`, { id, parts: text('mine') })
    expect(other.status).toBe(409)
    expect(other.body).not.toHaveProperty('data')
  })

  it('LAY-14 what is no message is refused with the property at fault', async () => {
    const post = async (body: unknown) => {
      const answer = await alice.call('POST', `/conversations/${conversation}/messages`, body)
      const { id, data } = answer.body as { id: string; data?: { property?: string } }
      return [answer.status, id, data?.property]
    }
    const part = { mime_type: 'text/plain', body: 'x' }
    expect(await post({})).toEqual([422, 'missing_property', 'parts'])
    expect(await post({ parts: [] })).toEqual([422, 'invalid_property', 'parts'])
    expect(await post({ parts: 'text' })).toEqual([422, 'invalid_property', 'parts'])
    expect(await post({ parts: [{ body: 'x' }] })).toEqual([422, 'missing_property', 'parts.0.mime_type'])
    expect(await post({ parts: [part, { mime_type: 'text/plain' }] })).toEqual([
      422,
      'missing_property',
      'parts.1.body',
    ])
    expect(await post({ parts: [{ ...part, body: 'x'.repeat(2049) }] })).toEqual([422, 'invalid_property', 'parts.0'])
    expect(await post({ parts: [{ ...part, encoding: 'base64', body: '!' }] })).toEqual([
      422,
      'invalid_property',
      'parts.0',
    ])
    expect(await post({ id: 'nonsense', parts: [part] })).toEqual([422, 'invalid_property', 'id'])
    expect(await post([part])).toEqual([400, 'invalid_request', undefined])
    expect(await post('{"parts":')).toEqual([400, 'invalid_request', undefined])
    const rich = { mime_type: 'image/png', content: { id: `layer:///content/${randomUUID()}`, size: 9 } }
    expect(await post({ parts: [rich] })).toEqual([422, 'invalid_operation', undefined])
  })

  it('LAY-15 receipts raise a recipient’s status and never lower it', async () => {
    const id = await alice.send(conversation, 'read me')
    const status = async () => {
      const { body } = await alice.get(`/messages/${id}`)
      return (body as { recipient_status: Record<string, string> }).recipient_status[identityUri('b.en')]
    }
    const receipt = async (type: string) => (await ben.call('POST', `/messages/${id}/receipts`, { type })).status
    expect(await status()).toBe('sent')
    expect(await receipt('delivery')).toBe(204)
    expect(await status()).toBe('delivered')
    expect((await ben.get(`/messages/${id}`)).body).toMatchObject({ received_at: expect.any(String), is_unread: true })
    expect(await receipt('read')).toBe(204)
    expect(await status()).toBe('read')
    expect(await receipt('delivered')).toBe(204)
    expect(await status()).toBe('read')
    expect((await ben.get(`/messages/${id}`)).body).toMatchObject({ is_unread: false })
    const wrong = await ben.call('POST', `/messages/${id}/receipts`, { type: 'eaten' })
    expect([wrong.status, wrong.body]).toMatchObject([422, { data: { property: 'type' } }])
    expect((await ben.call('POST', `/messages/${id}/receipts`)).status).toBe(400)
    expect((await ben.call('POST', `/messages/${randomUUID()}/receipts`, { type: 'read' })).status).toBe(404)
    const eve = await Caller.signIn(home, 'eve')
    expect((await eve.call('POST', `/messages/${id}/receipts`, { type: 'read' })).status).toBe(404)
  })

  it('LAY-15 all up to a position, or all there is, is read at once', async () => {
    const id = await alice.start('b.en')
    for (const body of ['one', 'two', 'three']) await alice.send(id, body)
    const unread = async () =>
      ((await ben.get(`/conversations/${id}`)).body as { unread_message_count: number }).unread_message_count
    const mark = (body: unknown) => ben.call('POST', `/conversations/${id}/mark_all_read`, body)
    expect(await unread()).toBe(3)
    expect((await mark({ position: 2 })).status).toBe(202)
    expect(await unread()).toBe(1)
    expect((await mark({ position: null })).status).toBe(202)
    expect(await unread()).toBe(0)
    for (const position of [0, -1, 1.5, '2']) {
      expect((await mark({ position })).body).toMatchObject({ id: 'invalid_property', data: { property: 'position' } })
    }
  })

  it('LAY-12 a message is deleted for all, or from one’s own devices', async () => {
    const id = await alice.start('b.en')
    const [first, second] = [await alice.send(id, 'first'), await alice.send(id, 'second')]
    expect((await ben.call('DELETE', `/messages/${second}?mode=my_devices`)).status).toBe(204)
    expect((await ben.get(`/messages/${second}`)).status).toBe(404)
    expect([await ben.texts(id), await alice.texts(id)]).toEqual([['first'], ['first', 'second']])
    expect((await ben.get(`/conversations/${id}`)).body).toMatchObject({
      unread_message_count: 1,
      total_message_count: 1,
      last_message: { id: messageUri(first) },
    })
    expect((await ben.call('DELETE', `/messages/${first}?mode=all_participants`)).status).toBe(204)
    expect([await ben.texts(id), await alice.texts(id)]).toEqual([[], ['second']])
    expect((await ben.get(`/conversations/${id}`)).body).toMatchObject({ unread_message_count: 0, last_message: null })
    expect((await ben.call('DELETE', `/messages/${second}`)).body).toMatchObject({ id: 'missing_property' })
    const eve = await Caller.signIn(home, 'eve')
    expect((await eve.call('DELETE', `/messages/${second}?mode=all_participants`)).status).toBe(404)
  })

  it('LAY-20 whoever joins later sees what was said before, read, and is no recipient of it', async () => {
    const id = await alice.start('b.en')
    const message = await alice.send(id, 'before cleo')
    await alice.call('PATCH', `/conversations/${id}`, [
      { operation: 'add', property: 'participants', id: identityUri('cleo') },
    ])
    const cleo = await Caller.signIn(home, 'cleo')
    const seen = (await cleo.get(`/messages/${message}`)).body as { is_unread: boolean; recipient_status: object }
    expect(seen.is_unread).toBe(false)
    expect(Object.keys(seen.recipient_status)).toEqual([identityUri('alice'), identityUri('b.en')])
    await alice.call('PATCH', `/conversations/${id}`, [
      { operation: 'remove', property: 'participants', id: identityUri('b.en') },
    ])
    const later = (await cleo.get(`/messages/${await alice.send(id, 'after ben')}`)).body as typeof seen
    expect(later).toMatchObject({ is_unread: true })
    expect(Object.keys(later.recipient_status)).toEqual([identityUri('alice'), identityUri('cleo')])
  })
})
