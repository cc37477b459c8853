import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../support.ts'
import { Caller, conversationUri, identityUri, messageUri } from './support/rest.ts'

const PATCH_BY_POST = {
  headers: { 'x-http-method-override': 'PATCH', 'content-type': 'application/vnd.layer-patch+json' },
}

describe('conversations over HTTP, as Layer’s clients know them', () => {
  let home: TestServer
  let alice: Caller
  let ben: Caller
  beforeAll(async () => {
    home = await startTestServer()
    alice = await Caller.signIn(home, 'alice', { display_name: 'Alice A.' })
    ben = await Caller.signIn(home, 'ben', { display_name: 'Ben B.', avatar_url: 'https://img.example/ben.png' })
  })
  afterAll(() => home.close())

  it('LAY-2 a conversation is whole, from the perspective of whoever looks', async () => {
    const id = randomUUID()
    const created = await alice.call('POST', '/conversations', {
      id: conversationUri(id),
      participants: [identityUri('ben')],
      distinct: false,
      metadata: { title: 'Lunch', theme: { color: 'red' } },
    })
    const url = `${home.server.url}/conversations/${id}`
    expect(created.status).toBe(201)
    expect(created.headers.get('location')).toBe(url)
    expect(created.body).toEqual({
      id: conversationUri(id),
      url,
      messages_url: `${url}/messages`,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      participants: [
        {
          id: identityUri('alice'),
          url: `${home.server.url}/identities/alice`,
          user_id: 'alice',
          display_name: 'Alice A.',
          avatar_url: null,
          identity_type: 'user',
        },
        {
          id: identityUri('ben'),
          url: `${home.server.url}/identities/ben`,
          user_id: 'ben',
          display_name: 'Ben B.',
          avatar_url: 'https://img.example/ben.png',
          identity_type: 'user',
        },
      ],
      distinct: false,
      metadata: { title: 'Lunch', theme: { color: 'red' } },
      unread_message_count: 0,
      total_message_count: 0,
      last_message: null,
    })
    const message = await alice.send(id, 'Noon?')
    const [seenByAlice, seenByBen] = [
      (await alice.get(`/conversations/${id}`)).body,
      (await ben.get(`/conversations/${id}`)).body,
    ]
    expect(seenByAlice).toMatchObject({
      unread_message_count: 0,
      last_message: { id: messageUri(message), is_unread: false },
    })
    expect(seenByBen).toMatchObject({
      unread_message_count: 1,
      last_message: { id: messageUri(message), is_unread: true },
    })
  })

  it('LAY-10 a distinct conversation is created once, found with the same metadata, and a conflict with other', async () => {
    const body = { participants: [identityUri('cleo'), identityUri('ben')], distinct: true, metadata: { a: '1' } }
    const first = await alice.call('POST', '/conversations', body)
    expect(first.status).toBe(201)
    for (const metadata of [{ a: '1' }, null, undefined]) {
      const found = await ben.call('POST', '/conversations', {
        participants: [identityUri('alice'), identityUri('cleo')],
        distinct: true,
        metadata,
      })
      expect(found.status).toBe(200)
      expect(found.body).toMatchObject({ id: (first.body as { id: string }).id, metadata: { a: '1' } })
    }
    const conflict = await alice.call('POST', '/conversations', { ...body, metadata: { a: '2' } })
    expect(conflict.status).toBe(409)
    expect(conflict.body).toMatchObject({
      id: 'conflict',
      code: 108,
      data: { id: (first.body as { id: string }).id, metadata: { a: '1' }, participants: expect.any(Array) },
    })
  })

  it('LAY-10 an id used before is answered with what bears it, to its maker only', async () => {
    const id = await alice.start('ben')
    const again = await alice.call('POST', '/conversations', { id, participants: [identityUri('ben')] })
    expect(again.status).toBe(409)
    expect(again.body).toMatchObject({ id: 'id_in_use', code: 111, data: { id: conversationUri(id) } })
    const stranger = await (await Caller.signIn(home, 'eve')).call('POST', '/conversations', { id, participants: [] })
    expect(stranger.status).toBe(409)
    expect(stranger.body).toMatchObject({ id: 'id_in_use' })
    expect(stranger.body).not.toHaveProperty('data')
  })

  it('LAY-10 people nobody heard of come into being; a conversation with oneself is one', async () => {
    const created = await alice.call('POST', '/conversations', { participants: [identityUri('never-seen')] })
    expect(created.status).toBe(201)
    expect((await alice.get('/identities/never-seen')).body).toMatchObject({ user_id: 'never-seen', metadata: {} })
    const alone = await alice.call('POST', '/conversations', { participants: [] })
    expect(alone.status).toBe(201)
    expect(alone.body).toMatchObject({ distinct: false, participants: [{ user_id: 'alice' }] })
  })

  it('LAY-11 a patch changes participants and metadata, all of it or nothing', async () => {
    const id = await alice.start('ben')
    const patched = await alice.call('PATCH', `/conversations/${id}`, [
      { operation: 'add', property: 'participants', id: identityUri('cleo') },
      { operation: 'remove', property: 'participants', id: identityUri('ben') },
      { operation: 'set', property: 'metadata.theme.color', value: 'red' },
      { operation: 'set', property: 'metadata.title', value: 'Lunch' },
    ])
    expect(patched.status).toBe(204)
    const seen = (await alice.get(`/conversations/${id}`)).body
    expect(seen).toMatchObject({
      participants: [{ user_id: 'alice' }, { user_id: 'cleo' }],
      metadata: { theme: { color: 'red' }, title: 'Lunch' },
    })
    const refused = await alice.call('PATCH', `/conversations/${id}`, [
      { operation: 'delete', property: 'metadata.title' },
      { operation: 'set', property: 'metadata.count', value: 7 },
    ])
    expect([refused.status, refused.body]).toMatchObject([
      422,
      { id: 'invalid_property', data: { property: 'metadata.count' } },
    ])
    expect((await alice.get(`/conversations/${id}`)).body).toMatchObject({ metadata: { title: 'Lunch' } })
  })

  it('LAY-11 those who cannot send PATCH send POST and say so', async () => {
    const id = await alice.start('ben')
    const patch = [{ operation: 'set', property: 'metadata', value: { a: 'b' } }]
    expect((await alice.call('POST', `/conversations/${id}`, patch, PATCH_BY_POST)).status).toBe(204)
    expect((await alice.get(`/conversations/${id}`)).body).toMatchObject({ metadata: { a: 'b' } })
    expect((await alice.call('POST', `/conversations/${id}`, patch)).body).toMatchObject({ id: 'method_not_allowed' })
    const header = { headers: { 'x-http-method-override': 'PATCH', 'content-type': 'application/json' } }
    const wrong = await alice.call('POST', `/conversations/${id}`, patch, header)
    expect([wrong.status, wrong.body]).toMatchObject([406, { id: 'invalid_header', data: { header: 'Content-Type' } }])
  })

  it('LAY-11 a change of participants makes a distinct conversation an ordinary one', async () => {
    const made = await alice.call('POST', '/conversations', { participants: [identityUri('dana')], distinct: true })
    const path = `/conversations/${(made.body as { id: string }).id.split('/').at(-1)}`
    await alice.call('PATCH', path, [{ operation: 'add', property: 'participants', id: identityUri('ben') }])
    expect((await alice.get(path)).body).toMatchObject({ distinct: false })
  })

  it('LAY-12 deleted for all, a conversation is gone for everybody', async () => {
    for (const query of ['mode=all_participants', 'destroy=true']) {
      const id = await alice.start('ben')
      await alice.send(id, 'gone soon')
      expect((await ben.call('DELETE', `/conversations/${id}?${query}`)).status).toBe(204)
      for (const person of [alice, ben]) expect((await person.get(`/conversations/${id}`)).status).toBe(404)
    }
  })

  it('LAY-12 deleted from one’s devices, it returns with its next message, which is all its history', async () => {
    const id = await alice.start('ben')
    await alice.send(id, 'old')
    expect((await ben.call('DELETE', `/conversations/${id}?mode=my_devices&leave=false`)).status).toBe(204)
    expect((await ben.get(`/conversations/${id}`)).status).toBe(404)
    expect((await ben.get(`/conversations/${id}/messages`)).status).toBe(404)
    expect(await alice.texts(id)).toEqual(['old'])
    await alice.send(id, 'new')
    expect(await ben.texts(id)).toEqual(['new'])
    expect((await ben.get(`/conversations/${id}`)).body).toMatchObject({
      unread_message_count: 1,
      total_message_count: 1,
    })
    expect((await ben.get(`/conversations/${id}`)).body).toMatchObject({ participants: [{}, { user_id: 'ben' }] })
  })

  it('LAY-12 left, it is gone for whoever left, and they for the others', async () => {
    const id = await alice.start('ben', 'cleo')
    expect((await ben.call('DELETE', `/conversations/${id}?mode=my_devices&leave=true`)).status).toBe(204)
    expect((await ben.get(`/conversations/${id}`)).status).toBe(404)
    expect((await alice.get(`/conversations/${id}`)).body).toMatchObject({
      participants: [{ user_id: 'alice' }, { user_id: 'cleo' }],
    })
  })

  it('LAY-12 without a mode, or with one that is none, nothing is deleted', async () => {
    const id = await alice.start('ben')
    const without = await alice.call('DELETE', `/conversations/${id}`)
    expect([without.status, without.body]).toMatchObject([422, { id: 'missing_property', data: { property: 'mode' } }])
    const wrong = await alice.call('DELETE', `/conversations/${id}?mode=everywhere`)
    expect([wrong.status, wrong.body]).toMatchObject([422, { id: 'invalid_property', data: { property: 'mode' } }])
    const leave = await alice.call('DELETE', `/conversations/${id}?mode=my_devices&leave=perhaps`)
    expect([leave.status, leave.body]).toMatchObject([422, { data: { property: 'leave' } }])
    expect((await alice.get(`/conversations/${id}`)).status).toBe(200)
  })

  it('LAY-20 a stranger’s conversation looks absent; whoever was removed sees what was, alone, and may do nothing', async () => {
    const id = await alice.start('ben')
    await alice.send(id, 'before')
    const eve = await Caller.signIn(home, 'eve')
    expect([
      (await eve.get(`/conversations/${id}`)).status,
      (await eve.get(`/conversations/${randomUUID()}`)).status,
    ]).toEqual([404, 404])
    expect((await eve.call('PATCH', `/conversations/${id}`, [])).status).toBe(404)
    await alice.call('PATCH', `/conversations/${id}`, [
      { operation: 'remove', property: 'participants', id: identityUri('ben') },
    ])
    await alice.send(id, 'after')
    expect((await ben.get(`/conversations/${id}`)).body).toMatchObject({
      participants: [],
      last_message: { position: 1 },
    })
    expect(await ben.texts(id)).toEqual(['before'])
    const refused = await ben.call('PATCH', `/conversations/${id}`, [])
    expect([refused.status, refused.body]).toMatchObject([403, { id: 'access_denied', code: 101 }])
  })
})
