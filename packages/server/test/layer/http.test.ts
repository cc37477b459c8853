import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../support.ts'
import { Caller } from './support/rest.ts'

describe('the rest of Layer’s Client API over HTTP', () => {
  let home: TestServer
  let alice: Caller
  beforeAll(async () => {
    home = await startTestServer()
    alice = await Caller.signIn(home, 'alice')
  })
  afterAll(() => home.close())

  it('LAY-18 lists of what is not there are empty, and its members absent', async () => {
    for (const path of ['/announcements', '/channels']) {
      const { status, headers, body } = await alice.get(`${path}?page_size=100`)
      expect([path, status, body, headers.get('layer-count')]).toEqual([path, 200, [], '0'])
      expect(headers.get('content-type')).toMatch(/^application\/json/)
      expect((await alice.get(`${path}/${randomUUID()}`)).body).toMatchObject({ id: 'not_found', code: 102 })
    }
    const channel = `/channels/${randomUUID()}`
    for (const [method, path] of [
      ['PATCH', channel],
      ['DELETE', `${channel}?`],
      ['GET', `${channel}/messages`],
      ['GET', `${channel}/members`],
      ['PUT', `${channel}/members/ben`],
      ['DELETE', `/announcements/${randomUUID()}`],
      ['POST', `/announcements/${randomUUID()}/receipts`],
      ['GET', `/content/${randomUUID()}`],
    ] as const) {
      expect([path, (await alice.call(method, path)).status]).toEqual([path, 404])
    }
  })

  it('LAY-18 push tokens are accepted, rich content is refused plainly', async () => {
    const token = { token: 'abc', type: 'apns', device_id: 'phone' }
    expect((await alice.call('POST', '/push_tokens', token)).status).toBe(202)
    expect((await alice.call('POST', '/push_tokens', { ...token, type: 'pigeon' })).body).toMatchObject({
      data: { property: 'type' },
    })
    expect((await alice.call('POST', '/push_tokens', { type: 'apns' })).body).toMatchObject({
      id: 'missing_property',
      data: { property: 'token' },
    })
    expect((await alice.call('DELETE', '/push_tokens/phone')).status).toBe(202)
    const content = await alice.call('POST', '/content', undefined, { headers: { 'upload-content-length': '9' } })
    expect([content.status, content.body]).toMatchObject([422, { id: 'invalid_operation', code: 9 }])
  })

  it('LAY-19 without a session every address answers with a challenge', async () => {
    const id = randomUUID()
    for (const [method, path] of [
      ['GET', '/conversations'],
      ['POST', '/conversations'],
      ['GET', `/conversations/${id}`],
      ['PATCH', `/conversations/${id}`],
      ['DELETE', `/conversations/${id}?mode=all_participants`],
      ['GET', `/conversations/${id}/messages`],
      ['POST', `/conversations/${id}/messages`],
      ['POST', `/conversations/${id}/mark_all_read`],
      ['GET', `/messages/${id}`],
      ['DELETE', `/messages/${id}?mode=all_participants`],
      ['POST', `/messages/${id}/receipts`],
      ['GET', '/identities'],
      ['GET', '/identities/alice'],
      ['GET', '/following'],
      ['GET', '/announcements'],
      ['GET', '/channels'],
      ['POST', '/push_tokens'],
      ['POST', '/content'],
    ] as const) {
      const { status, body } = await home.request(method, path, method === 'POST' ? { body: {} } : {})
      expect([path, status, body]).toMatchObject([
        path,
        401,
        { id: 'authentication_required', code: 4, data: { nonce: expect.any(String) } },
      ])
    }
  })

  it('LAY-19 what is not offered is an unknown endpoint or method; what names nothing is not found', async () => {
    const call = async (method: string, path: string) => {
      const { status, body } = await alice.call(method, path)
      return [status, (body as { id: string }).id]
    }
    expect(await call('GET', '/nowhere')).toEqual([404, 'invalid_endpoint'])
    expect(await call('PUT', '/conversations')).toEqual([405, 'method_not_allowed'])
    expect(await call('PUT', `/messages/${randomUUID()}`)).toEqual([405, 'method_not_allowed'])
    expect(await call('GET', '/conversations/not-a-uuid')).toEqual([404, 'not_found'])
    expect(await call('GET', '/messages/not-a-uuid')).toEqual([404, 'not_found'])
    expect(await call('GET', '/identities/%E0%A4%A')).toEqual([404, 'invalid_endpoint'])
    const version = await alice.call('GET', '/conversations', undefined, { headers: { accept: 'application/json' } })
    expect([version.status, version.body]).toMatchObject([
      406,
      { id: 'invalid_header', code: 107, data: { header: 'Accept' } },
    ])
  })

  it('LAY-19 ids in capitals are the same ids', async () => {
    const id = await alice.start('ben')
    expect((await alice.get(`/conversations/${id.toUpperCase()}`)).body).toMatchObject({
      id: `layer:///conversations/${id}`,
    })
  })

  it('LAY-19 bodies that are no bodies are refused, and the server lives', async () => {
    const id = await alice.start('ben')
    const nested = JSON.parse('['.repeat(40) + ']'.repeat(40)) as unknown
    const statuses = await Promise.all(
      [null, 7, 'text', [], nested, { participants: nested }, { participants: {} }, { participants: [7] }].map(
        async (body) => (await alice.call('POST', '/conversations', JSON.stringify(body))).status,
      ),
    )
    expect(statuses).toEqual([400, 400, 400, 400, 400, 400, 422, 422])
    const missing = await alice.call('POST', '/conversations', {})
    expect([missing.status, missing.body]).toMatchObject([
      422,
      { id: 'missing_property', data: { property: 'participants' } },
    ])
    expect((await alice.call('PATCH', `/conversations/${id}`, { operation: 'set' })).status).toBe(400)
    expect(
      (await alice.call('PATCH', `/conversations/${id}`, [{ operation: 'hop', property: 'metadata' }])).status,
    ).toBe(422)
    expect((await alice.get(`/conversations/${id}`)).status).toBe(200)
    expect(home.logged).toEqual([])
  })
})
