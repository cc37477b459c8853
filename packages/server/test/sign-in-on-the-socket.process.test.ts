/** CON-16: the whole sign-in on the socket that then is the session's, and what peers do with it that should not. */
import { randomUUID } from 'node:crypto'
import type { GoodbyeFrame, UpFrame, WireError } from '@parley/protocol'
import { type Administration, openAdministration } from '@parley/server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CrankedClock } from './cranked-clock.ts'
import { Person, startTestServer, type TestServer } from './support.ts'

let clock: CrankedClock
let home: TestServer
let administration: Administration
let appId: string
const people: Person[] = []
beforeAll(async () => {
  clock = new CrankedClock()
  home = await startTestServer({ clock })
  administration = await openAdministration(home.folder)
  appId = home.app.appId
})
afterEach(() => {
  for (const person of people.splice(0)) person.close()
})
afterAll(async () => {
  await administration.close()
  await home.close()
})

async function open(origin?: string): Promise<Person> {
  const person = await Person.open(home.server, '', origin)
  people.push(person)
  return person
}

async function nonceOn(person: Person, app = appId): Promise<string> {
  person.say({ type: 'nonce', app_id: app })
  return (await person.hear('nonce')).nonce
}

const nonceOverHttp = async () => ((await home.request('POST', '/nonces')).body as { nonce: string }).nonce

const hello = (identityToken: string, app = appId) =>
  ({ type: 'hello', identity_token: identityToken, app_id: app, cursor: null, epoch: null }) as const

const mint = (nonce: string, userId = 'alice', claims?: Record<string, string>) =>
  home.minter.mint({ userId, nonce, expiresInSeconds: 86_400, ...(claims && { claims }) })

const overHttp = async (identityToken: string, app = appId) =>
  (await home.request('POST', '/sessions', { body: { identity_token: identityToken, app_id: app } })).body as WireError

const reasonOf = ({ error }: Pick<GoodbyeFrame, 'error'>) => (error?.data as { reason: string } | undefined)?.reason

/** What a socket is told that says this first; it is closed with it. */
async function refused(frame: UpFrame, origin?: string): Promise<WireError> {
  const person = await open(origin)
  person.say(frame)
  const goodbye = await person.hear('goodbye')
  expect(goodbye.reason).toBe('refused')
  expect(await person.closed()).toBe(4403)
  expect(person.heard).toHaveLength(1)
  return goodbye.error!
}

describe('CON-16 signing in on the socket', () => {
  it('nonce, identity token, welcome with the session: it is one like any other', async () => {
    const person = await open()
    person.say(hello(await mint(await nonceOn(person), 'ada', { display_name: 'Ada' })))
    const { session, identity, epoch } = await person.hear('welcome')
    expect(identity).toMatchObject({ user_id: 'ada', display_name: 'Ada' })
    expect(session.token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(await person.hear('heads')).toMatchObject({ streams: [] })
    await person.create('create-conversation', { participants: ['ben'], distinct: false })
    expect((await home.request('GET', '/conversations', { token: session.token! })).status).toBe(200)
    const again = await open()
    again.say({ type: 'hello', session_token: session.token!, cursor: null, epoch })
    const welcome = await again.hear('welcome')
    expect(welcome.session).toEqual({ id: session.id, expires_at: session.expires_at })
    expect((await again.hear('heads')).streams).toHaveLength(2)
    expect((await home.request('DELETE', '/sessions/current', { token: session.token! })).status).toBe(204)
    expect(await Promise.all([person.closed(), again.closed()])).toEqual([4401, 4401])
  })

  it('all of it may come in one piece, and is answered in its order', async () => {
    const nonce = await nonceOverHttp()
    const person = await open()
    person.say({ type: 'nonce', app_id: appId })
    person.say(hello(await mint(nonce)))
    person.say({ type: 'ping' })
    await person.hear('pong')
    expect(person.heard.map(({ type }) => type)).toEqual(['nonce', 'welcome', 'heads', 'pong'])
  })

  it('a nonce is one wherever it came from, and waits for whoever types a password', async () => {
    const person = await open()
    const nonce = await nonceOn(person)
    person.close()
    clock.advance(9 * 60_000)
    const later = await open()
    later.say(hello(await mint(nonce)))
    await later.hear('welcome')
    const other = await open()
    expect(await overHttp(await mint(await nonceOn(other)))).toHaveProperty('session_token')
    const third = await open()
    third.say(hello(await mint(await nonceOverHttp())))
    await third.hear('welcome')
  })

  it('AUTH-29 of fifty who use one nonce at the same moment, by both doors, exactly one gets in', async () => {
    const token = await mint(await nonceOverHttp())
    const sockets = await Promise.all(Array.from({ length: 25 }, () => open()))
    const outcomes = await Promise.all([
      ...sockets.map(async (person) => {
        person.say(hello(token))
        return person.hear('welcome').then(
          () => 'in',
          () => reasonOf(person.heard[0] as GoodbyeFrame),
        )
      }),
      ...sockets.map(async () => {
        const answer = await overHttp(token)
        return 'session_token' in answer ? 'in' : reasonOf({ error: answer })
      }),
    ])
    expect(outcomes.filter((outcome) => outcome === 'in')).toHaveLength(1)
    expect(new Set(outcomes)).toEqual(new Set(['in', 'eit_nonce_not_found']))
  })

  it('a hello that is refused is refused in the words of HTTP', async () => {
    const other = await administration.createApp({ algorithm: 'ES256' })
    const foreignNonce = (await home.request('POST', '/nonces', { body: { app_id: other.appId } })).body as {
      nonce: string
    }
    const used = await mint(await nonceOverHttp())
    await overHttp(used)
    await home.signIn('banned')
    await administration.suspendUser(appId, 'banned')
    const cases: [token: string, app: string][] = [
      ['', appId],
      ['nonsense', appId],
      ['x'.repeat(20_000), appId],
      [used, appId],
      [await mint(foreignNonce.nonce), appId],
      [await mint(await nonceOverHttp()), other.appId],
      [await mint(await nonceOverHttp()), randomUUID()],
      [await mint(await nonceOverHttp()), 'no app'],
      [await mint(await nonceOverHttp()), ''],
    ]
    for (const [token, app] of cases) expect(await refused(hello(token, app))).toEqual(await overHttp(token, app))
    // The nonce of somebody who is suspended is spent.
    expect(await refused(hello(await mint(await nonceOverHttp(), 'banned')))).toEqual(
      await overHttp(await mint(await nonceOverHttp(), 'banned')),
    )
  })

  it('an app that is not there, or suspended, is said so before anybody asks for a token', async () => {
    const other = await administration.createApp({ algorithm: 'ES256' })
    await administration.suspendApp(other.appId)
    for (const app of [randomUUID(), '', 'no app', other.appId]) {
      const overHttp = await home.request('POST', '/nonces', { body: { app_id: app } })
      expect(await refused({ type: 'nonce', app_id: app })).toEqual(overHttp.body)
    }
  })

  it('119 a page of a foreign origin gets no session, and does not spend the nonce', async () => {
    await administration.allowOrigins(appId, ['https://good.example'])
    const token = await mint(await nonceOverHttp())
    for (const origin of ['https://evil.example', 'null', 'https://good.example.evil.example']) {
      expect(await refused(hello(token), origin)).toMatchObject({ id: 'forbidden_origin' })
    }
    const page = await open('https://good.example')
    page.say(hello(token))
    await page.hear('welcome')
    await administration.allowOrigins(appId, null)
  })

  it('120 no token or nonce is logged, and a refusal repeats none', async () => {
    const nonce = await nonceOverHttp()
    const token = await mint(nonce)
    await refused(hello(token, randomUUID()))
    const person = await open()
    person.say(hello(token))
    const { session } = await person.hear('welcome')
    const said = JSON.stringify([home.logged, await refused(hello(token))])
    for (const secret of [nonce, token, token.split('.')[2]!, session.token!]) expect(said).not.toContain(secret)
  })

  it('130 whoever has a nonce has ten seconds for the hello, and no more by asking again', async () => {
    const [silent, asking] = [await open(), await open()]
    clock.advance(9_999)
    const nonce = await nonceOn(asking)
    clock.advance(1)
    expect(await silent.closed()).toBe(4408)
    clock.advance(9_998)
    asking.say({ type: 'nonce', app_id: appId })
    expect(await asking.hear('refusal')).toMatchObject({ error: { id: 'invalid_request' } })
    expect(asking.closeCode).toBeUndefined()
    clock.advance(1)
    expect(await asking.closed()).toBe(4408)
    expect(asking.heard.filter(({ type }) => type === 'nonce')).toHaveLength(1)
    const back = await open()
    back.say(hello(await mint(nonce)))
    await back.hear('welcome')
  })

  it('127 CON-11 hellos with two tokens, with none, or with half of it are none, and twenty end it', async () => {
    const token = await mint(await nonceOverHttp())
    const session_token = await home.signIn('alice')
    const person = await open()
    const odd = [
      { session_token, identity_token: token, app_id: appId },
      { session_token, identity_token: token },
      { identity_token: token },
      { identity_token: token, app_id: 7 },
      { identity_token: 7, app_id: appId },
      { identity_token: null, session_token: null },
      {},
    ]
    for (const members of odd) {
      person.say({ type: 'hello', cursor: null, epoch: null, ...members } as never)
      await person.hear('refusal')
    }
    for (const app_id of [undefined, null, 7, []]) {
      person.say({ type: 'nonce', app_id } as never)
      await person.hear('refusal')
    }
    for (let more = odd.length + 4; more < 20; more++) person.say({ type: 'nonce' } as never)
    expect(await person.closed()).toBe(4400)
    // None of them was taken for one.
    const good = await open()
    good.say(hello(token))
    await good.hear('welcome')
  })

  it('after the hello there is no nonce and no second one', async () => {
    const person = await open()
    person.say(hello(await mint(await nonceOn(person))))
    await person.hear('heads')
    const second = await mint(await nonceOverHttp(), 'ben')
    for (const frame of [{ type: 'nonce', app_id: appId } as const, hello(second)]) {
      person.say(frame)
      expect(await person.hear('refusal')).toMatchObject({
        error: { id: 'invalid_request', message: 'Hello was said before.' },
      })
    }
    expect(await overHttp(second)).toHaveProperty('session_token')
  })
})
