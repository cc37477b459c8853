/** What an operator shuts while the server runs: one person, a whole app, or the pages of an origin. */
import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { type Administration, openAdministration } from '@parley/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LayerSocket } from './layer/support/socket.ts'
import { Person, startTestServer, type TestServer, text } from './support.ts'

let home: TestServer
let administration: Administration
let appId: string
beforeAll(async () => {
  home = await startTestServer()
  administration = await openAdministration(home.folder)
  appId = home.app.appId
})
afterAll(async () => {
  await administration.close()
  await home.close()
})

const conversations = async (token: string) => (await home.request('GET', '/conversations', { token })).status
async function signIn(userId: string): Promise<{ status: number; body: { id?: string; data?: { reason?: string } } }> {
  const { nonce } = (await home.request('POST', '/nonces')).body as { nonce: string }
  const identity_token = await home.minter.mint({ userId, nonce })
  return home.request('POST', '/sessions', { body: { identity_token, app_id: appId } })
}
/** The server looks at its store anew by itself: nobody is told to come back. */
async function outcome(person: Person, name: string, input: object, id: string = randomUUID()): Promise<string> {
  const answer = await person.ask(name, input, id)
  return 'refusal' in answer ? answer.refusal.id : 'done'
}

describe('AUTH-46 a person who is suspended', () => {
  it('is out within moments, on every device and by every door, and does not get in again', async () => {
    const [phone, laptop] = [await home.connect('mallory'), await home.connect('mallory')]
    const layer = await LayerSocket.connect(home.server, phone.token)
    const ben = await home.connect('ben')
    const { id: conversation } = await phone.create('create-conversation', { participants: ['ben'], distinct: false })
    expect(await administration.suspendUser(appId, 'mallory')).toBe(2)
    expect(await Promise.all([phone.closed(), laptop.closed(), layer.closed()])).toEqual([4401, 4401, 4401])
    expect(phone.heard.at(-1)).toMatchObject({ type: 'goodbye', reason: 'session_ended' })
    expect([await conversations(phone.token), await conversations(laptop.token)]).toEqual([401, 401])
    expect(await signIn('mallory')).toMatchObject({
      status: 403,
      body: { id: 'user_suspended', data: { reason: 'eit_user_suspended' } },
    })
    // Who is not suspended goes on, in the same conversation.
    const id = randomUUID()
    expect(await outcome(ben, 'send-message', { id, conversation, parts: text('where are you?') }, id)).toBe('done')
    ben.close()
  })

  it('does nothing more on a connection that was not closed yet', async () => {
    const eve = await home.connect('eve')
    const { id: conversation } = await eve.create('create-conversation', { participants: ['ben'], distinct: false })
    await administration.suspendUser(appId, 'eve')
    const outcomes: string[] = []
    for (let nth = 0; nth < 5 && eve.closeCode === undefined; nth++) {
      const id = randomUUID()
      const input = { id, conversation, parts: text('still here') }
      outcomes.push(await outcome(eve, 'send-message', input, id).catch(() => 'closed'))
    }
    expect(outcomes.filter((one) => one === 'done')).toEqual([])
    expect(await eve.closed()).toBe(4401)
  })

  it('may be suspended before they ever came', async () => {
    expect(await administration.suspendUser(appId, 'not yet here')).toBe(0)
    expect(await signIn('not yet here')).toMatchObject({ status: 403, body: { id: 'user_suspended' } })
  })

  it('comes back when they are resumed, to what was there', async () => {
    await administration.resumeUser(appId, 'mallory')
    await administration.resumeUser(appId, 'mallory')
    expect((await signIn('mallory')).status).toBe(201)
    const back = await home.connect('mallory')
    const listed = (await home.request('GET', '/conversations', { token: back.token })).body as unknown as object[]
    expect(listed).toHaveLength(1)
    back.close()
  })

  it('stays suspended whatever else is written at the same time, and nothing of that is lost', async () => {
    const alice = await home.connect('alice')
    const { id: conversation } = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
    let isOver = false
    let sent = 0
    const load = (async () => {
      while (!isOver) {
        const id = randomUUID()
        expect(await outcome(alice, 'send-message', { id, conversation, parts: text(String(sent)) }, id)).toBe('done')
        sent++
      }
    })()
    for (let nth = 0; nth < 10; nth++) await administration.suspendUser(appId, `troll ${nth}`)
    isOver = true
    await load
    for (let nth = 0; nth < 10; nth++) expect((await signIn(`troll ${nth}`)).body.id).toBe('user_suspended')
    alice.say({ type: 'page', id: 1, conversation: conversation as never, before: null, limit: 250 })
    const { rows } = await alice.hear('rows')
    const positions = rows.flatMap((row) => (row.type === 'message' ? [row.position] : []))
    expect(positions.sort((a, b) => a - b)).toEqual(
      Array.from({ length: positions.length }, (_, nth) => nth + 1 + sent - positions.length),
    )
    alice.close()
  })
})

describe('AUTH-27 an app that is suspended', () => {
  it('lets nobody in, asks nobody for a token, and goes on when it is resumed', async () => {
    const [alice, ben] = [await home.connect('alice'), await home.connect('ben')]
    expect(await administration.suspendApp(appId)).toBeGreaterThanOrEqual(2)
    expect(await Promise.all([alice.closed(), ben.closed()])).toEqual([4401, 4401])
    expect(await conversations(alice.token)).toBe(401)
    expect(await signIn('alice')).toMatchObject({ status: 403, body: { id: 'app_suspended' } })
    const nonce = await home.request('POST', '/nonces', { body: { app_id: appId } })
    expect([nonce.status, (nonce.body as { id: string }).id]).toEqual([403, 'app_suspended'])
    await expect(LayerSocket.connect(home.server, alice.token)).rejects.toThrow('401')
    await administration.resumeApp(appId)
    expect((await signIn('alice')).status).toBe(201)
  })

  it('is none of the other apps’ business', async () => {
    const other = await administration.createApp({ algorithm: 'ES256' })
    const alice = await home.connect('alice')
    await administration.suspendApp(other.appId)
    expect(await conversations(alice.token)).toBe(200)
    expect(
      (await alice.ask('create-conversation', { id: randomUUID(), participants: ['ben'], distinct: true })).type,
    ).toBe('acknowledgement')
    alice.close()
  })
})

describe('119 an app that names the origins of its pages', () => {
  const GOOD = 'https://good.example'
  const EVIL = 'https://evil.example'
  let token: string
  beforeAll(async () => {
    token = await home.signIn('alice')
    await administration.allowOrigins(appId, [GOOD, 'http://localhost:3000'])
  })
  afterAll(() => administration.allowOrigins(appId, null))

  /** Opens a native socket as a page of an origin would, and says hello. */
  async function hello(origin: string | undefined): Promise<string> {
    const person = await Person.open(home.server, token, origin)
    person.say({ type: 'hello', session_token: token, cursor: null, epoch: null })
    const said = await person.hear('welcome').catch(() => person.heard.at(-1))
    const word = said?.type === 'goodbye' ? String(said.error?.id) : String(said?.type)
    if (said?.type === 'goodbye') expect(await person.closed()).toBe(4400)
    person.close()
    return word
  }

  it.each([
    [undefined, 'welcome'],
    [GOOD, 'welcome'],
    ['http://localhost:3000', 'welcome'],
    [EVIL, 'forbidden_origin'],
    ['null', 'forbidden_origin'],
    ['https://good.example.evil.example', 'forbidden_origin'],
    ['http://good.example', 'forbidden_origin'],
    ['https://good.example:8443', 'forbidden_origin'],
    ['HTTPS://GOOD.EXAMPLE', 'forbidden_origin'],
  ])('119 a page of %s that says hello hears: %s', async (origin, word) => {
    expect(await hello(origin)).toBe(word)
  })

  it.each([
    [undefined, 101],
    [GOOD, 101],
    [EVIL, 403],
    ['null', 403],
  ])('119 a Layer client of %s is answered %i', async (origin, status) => {
    const { port } = new URL(home.server.url)
    const answered = await new Promise<number>((resolve, reject) => {
      const asked = request({
        port,
        host: '127.0.0.1',
        path: `/?session_token=${token}`,
        headers: {
          ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
          ...{ 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'sec-websocket-protocol': 'layer-2.0' },
          ...(origin && { origin }),
        },
      })
      asked.on('response', (response) => resolve(response.resume().statusCode ?? 0))
      asked.on('upgrade', (_response, socket) => {
        socket.destroy()
        resolve(101)
      })
      asked.on('error', reject)
      asked.end()
    })
    expect(answered).toBe(status)
  })

  it('119 over HTTP a page of another origin reads nothing, does nothing and opens no session', async () => {
    const ask = async (method: string, path: string, body?: unknown) => {
      const answer = await home.request(method, path, {
        token,
        headers: { origin: EVIL },
        ...(body !== undefined && { body }),
      })
      return [answer.status, (answer.body as { id: string }).id]
    }
    expect(await ask('GET', '/conversations')).toEqual([403, 'forbidden_origin'])
    expect(await ask('POST', '/conversations', { participants: ['ben'] })).toEqual([403, 'forbidden_origin'])
    expect(await ask('DELETE', '/sessions/current')).toEqual([403, 'forbidden_origin'])
    const { nonce } = (await home.request('POST', '/nonces')).body as { nonce: string }
    const identity_token = await home.minter.mint({ userId: 'alice', nonce })
    expect(await ask('POST', '/sessions', { identity_token, app_id: appId })).toEqual([403, 'forbidden_origin'])
    // The nonce was not spent by that, and the page that may, may.
    const opened = await home.request('POST', '/sessions', {
      body: { identity_token, app_id: appId },
      headers: { origin: GOOD },
    })
    expect([opened.status, opened.headers.get('access-control-allow-origin')]).toEqual([201, GOOD])
    expect((await home.request('GET', '/conversations', { token, headers: { origin: GOOD } })).status).toBe(200)
  })

  it('what is no origin is not taken for one', async () => {
    for (const origin of ['good.example', 'https://good.example/', 'https://*.example', '*', 'null', 'ftp://x', '']) {
      await expect(administration.allowOrigins(appId, [origin])).rejects.toThrow('An origin looks like')
    }
  })
})
