import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../support.ts'
import { Caller, conversationUri, identityUri, messageUri } from './support/rest.ts'

type Listed = { readonly id: string }[]

describe('lists over HTTP', () => {
  let home: TestServer
  let alice: Caller
  const conversations: string[] = []
  const messages: string[] = []
  beforeAll(async () => {
    home = await startTestServer()
    alice = await Caller.signIn(home, 'alice')
    for (const name of ['ann', 'bo', 'cy', 'di', 'ed']) conversations.push(await alice.start(name))
    for (let i = 0; i < 5; i++) messages.push(await alice.send(conversations[1]!, `message ${i}`))
  })
  afterAll(() => home.close())

  const ids = async (path: string) => {
    const answer = await alice.get(path)
    expect(answer.status).toBe(200)
    return { ids: (answer.body as unknown as Listed).map(({ id }) => id), count: answer.headers.get('layer-count') }
  }

  it('LAY-13 a list is a bare array, with the count of all in a header on every page', async () => {
    const newestFirst = [...conversations].reverse().map(conversationUri)
    expect(await ids('/conversations')).toEqual({ ids: newestFirst, count: '5' })
    const first = await ids('/conversations?page_size=2&sort_by=created_at')
    expect(first).toEqual({ ids: newestFirst.slice(0, 2), count: '5' })
    const second = await ids(`/conversations?page_size=2&from_id=${first.ids[1]}`)
    expect(second).toEqual({ ids: newestFirst.slice(2, 4), count: '5' })
    const third = await ids(`/conversations?page_size=2&from_id=${second.ids[1]!.split('/').at(-1)}`)
    expect(third).toEqual({ ids: newestFirst.slice(4), count: '5' })
  })

  it('LAY-13 conversations are sorted by their last message when asked, by their creation if they have none', async () => {
    const { ids: sorted } = await ids('/conversations?sort_by=last_message')
    const [spoken, ...silent] = sorted
    expect(spoken).toBe(conversationUri(conversations[1]!))
    expect(silent).toEqual([4, 3, 2, 0].map((index) => conversationUri(conversations[index]!)))
  })

  it('LAY-13 messages come newest first, page by page', async () => {
    const path = `/conversations/${conversations[1]}/messages`
    const newestFirst = [...messages].reverse().map(messageUri)
    expect(await ids(`${path}?page_size=3`)).toEqual({ ids: newestFirst.slice(0, 3), count: '5' })
    expect(await ids(`${path}?page_size=3&from_id=${newestFirst[2]}`)).toEqual({
      ids: newestFirst.slice(3),
      count: '5',
    })
  })

  it('LAY-13 the item a page begins after may be gone by now', async () => {
    const gone = await alice.start('flo')
    const next = await alice.start('gil')
    await alice.call('DELETE', `/conversations/${gone}?mode=all_participants`)
    expect((await ids(`/conversations?page_size=1&from_id=${gone}`)).ids).toEqual([conversationUri(conversations[4]!)])
    await alice.call('DELETE', `/conversations/${next}?mode=all_participants`)
    const told = await alice.send(conversations[0]!, 'one')
    const deleted = await alice.send(conversations[0]!, 'two')
    await alice.call('DELETE', `/messages/${deleted}?mode=all_participants`)
    const path = `/conversations/${conversations[0]}/messages`
    expect(await ids(`${path}?from_id=${messageUri(deleted)}`)).toEqual({ ids: [messageUri(told)], count: '1' })
  })

  it('LAY-13 an unknown place in the list is its beginning; a page size has bounds', async () => {
    const all = (await ids('/conversations')).ids
    expect((await ids(`/conversations?from_id=${randomUUID()}`)).ids).toEqual(all)
    expect((await ids('/conversations?page_size=1000000')).ids).toEqual(all)
    for (const [query, property] of [
      ['page_size=0', 'page_size'],
      ['page_size=-1', 'page_size'],
      ['page_size=ten', 'page_size'],
      ['page_size=1&page_size=2', 'page_size'],
      ['from_id=nonsense', 'from_id'],
      ['sort_by=colour', 'sort_by'],
    ]) {
      const { status, body } = await alice.get(`/conversations?${query}`)
      expect([query, status, body]).toMatchObject([query, 422, { id: 'invalid_property', data: { property } }])
    }
  })

  it('LAY-16 identities are those one ever shared a conversation with, and their ids may hold anything', async () => {
    const ursula = await Caller.signIn(home, 'ursula')
    const odd = "a.b*c~d'e f/😀"
    const encoded = 'a.b*c%7Ed%27e%20f%2F%F0%9F%98%80'
    await ursula.start(encoded, 'x%2525y', 'zed')
    const all = await ursula.get('/identities')
    expect(all.headers.get('layer-count')).toBe('3')
    const people = all.body as unknown as { id: string; user_id: string; metadata: unknown; type: string }[]
    expect(new Set(people.map(({ id }) => id))).toEqual(
      new Set([identityUri(encoded), identityUri('x%2525y'), identityUri('zed')]),
    )
    for (const person of people) expect(person).toMatchObject({ metadata: {}, type: 'user', identity_type: 'user' })
    expect((await ursula.get(`/identities/${encoded}`)).body).toMatchObject({ id: identityUri(encoded), user_id: odd })
    expect((await ursula.get('/identities/x%2525y')).body).toMatchObject({ user_id: 'x%25y' })
    for (const from of people) {
      const index = people.indexOf(from)
      const rest = people.slice(index + 1).map(({ id }) => id)
      const byTheSdk = await ursula.get(`/identities?page_size=100&from_id=${from.id}`)
      const escaped = await ursula.get(`/identities?page_size=100&from_id=${encodeURIComponent(from.id)}`)
      for (const { body } of [byTheSdk, escaped]) expect((body as unknown as Listed).map(({ id }) => id)).toEqual(rest)
    }
  })

  it('LAY-16 one’s own identity is full; a stranger’s shows no more than a name', async () => {
    await Caller.signIn(home, 'vera', { display_name: 'Vera V.', first_name: 'Vera', public_key: 'key' })
    const walt = await Caller.signIn(home, 'walt', { first_name: 'Walt' })
    expect((await walt.get('/identities/walt')).body).toMatchObject({
      first_name: 'Walt',
      metadata: {},
      last_name: null,
    })
    const stranger = (await walt.get('/identities/vera')).body
    expect(stranger).toMatchObject({ display_name: 'Vera V.', first_name: null, public_key: null, metadata: {} })
    await walt.start('vera')
    expect((await walt.get('/identities/vera')).body).toMatchObject({ first_name: 'Vera', public_key: 'key' })
    expect((await walt.get('/identities/nobody')).body).toMatchObject({ id: 'not_found' })
    expect((await walt.get(`/identities/${'x'.repeat(200)}`)).status).toBe(404)
  })

  it('LAY-17 one follows whom one ever shared a conversation with', async () => {
    const gus = await Caller.signIn(home, 'gus')
    await Caller.signIn(home, 'hal')
    await gus.start('a%20b')
    const following = await gus.get('/following')
    expect([following.body, following.headers.get('layer-count')]).toEqual([[identityUri('a%20b')], '1'])
    const status = async (method: string, path: string, body?: unknown) => (await gus.call(method, path, body)).status
    expect(await status('GET', '/following/users/a%20b')).toBe(204)
    expect(await status('GET', '/following/users/hal')).toBe(404)
    expect(await status('PUT', '/following/users/hal')).toBe(204)
    expect(await status('PUT', '/following/users/nobody')).toBe(404)
    expect(await status('POST', '/following/users', ['hal', identityUri('a%20b')])).toBe(202)
    expect(await status('POST', '/following/users', { hal: true })).toBe(400)
    expect(await status('DELETE', '/following/users/hal')).toBe(204)
    expect(await status('DELETE', '/following/hal')).toBe(204)
  })
})
