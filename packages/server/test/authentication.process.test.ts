/** Signing in, over real HTTP and real sockets: the flow, sessions and their ends. */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { DownFrame } from '@parley/protocol'
import { type Administration, openAdministration, openSqliteStore, storeFile } from '@parley/server'
import { createIdentityTokenMinter, generateProviderKey, type SigningAlgorithm } from '@parley/token'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CrankedClock } from './cranked-clock.ts'
import { Person, startTestServer, type TestServer, text } from './support.ts'

interface Opened {
  readonly session_token: string
  readonly session_id: string
  readonly expires_at: string
}

const nonceOf = async (home: TestServer, body?: unknown): Promise<string> =>
  ((await home.request('POST', '/nonces', { body })).body as { nonce: string }).nonce

const openSession = (home: TestServer, identityToken: string, appId = home.app.appId) =>
  home.request('POST', '/sessions', { body: { identity_token: identityToken, app_id: appId } })

async function open(home: TestServer, userId: string, expiresInSeconds = 3600): Promise<Opened> {
  const identityToken = await home.minter.mint({ userId, nonce: await nonceOf(home), expiresInSeconds })
  const answer = await openSession(home, identityToken)
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body))
  return answer.body as Opened
}

const isLive = async (home: TestServer, token: string) => (await home.request('GET', '/', { token })).status === 200

async function administer<T>(home: TestServer, work: (administration: Administration) => Promise<T>): Promise<T> {
  const administration = await openAdministration(home.folder)
  try {
    return await work(administration)
  } finally {
    await administration.close()
  }
}

const minterFor = (app: { providerId: string; keyId: string; privateKeyPem: string }) =>
  createIdentityTokenMinter({ providerId: app.providerId, keyId: app.keyId, privateKey: app.privateKeyPem })

type ChangeFrame = Extract<DownFrame, { type: 'change' }>

/** The change that brought a message; for its sender it may have come before the acknowledgement. */
async function heardMessage(person: Person): Promise<ChangeFrame> {
  const isIt = (frame: DownFrame): frame is ChangeFrame => frame.type === 'change' && frame.rows[0]?.type === 'message'
  return person.heard.find(isIt) ?? (await person.hear('change', isIt))
}

describe('signing in', () => {
  let home: TestServer
  const people: Person[] = []
  beforeAll(async () => {
    home = await startTestServer()
  })
  afterEach(() => {
    for (const person of people.splice(0)) person.close()
  })
  afterAll(() => home.close())
  const arrive = async (token: string) => {
    const person = await Person.connect(home.server, token)
    people.push(person)
    return person
  }

  it('AUTH-1 AUTH-22 AUTH-23 AUTH-24 AUTH-25 AUTH-26 AUTH-27 AUTH-28 connect, ask, nonce, the app’s service, identity token, session, answer', async () => {
    const reached = await fetch(`${home.server.url}/ping`, { method: 'HEAD' })
    expect(reached.status).toBe(200)
    const asked = await home.request('POST', '/nonces')
    expect(asked.status).toBe(201)
    expect(asked.headers.get('cache-control')).toBe('no-store')
    const { nonce } = asked.body as { nonce: string }
    const identityToken = await home.minter.mint({ userId: 'alice', nonce, expiresInSeconds: 3600 })
    const answer = await openSession(home, identityToken)
    expect(answer.status).toBe(201)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toMatchObject({
      session_token: expect.stringMatching(/^[\w-]{43}$/),
      session_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      identity: { id: 'layer:///identities/alice', user_id: 'alice' },
    })
    const person = await arrive((answer.body as Opened).session_token)
    expect(person.heard[0]).toMatchObject({ type: 'welcome', identity: { user_id: 'alice' } })
    // AUTH-28: failure is told as well.
    expect((await openSession(home, identityToken)).body).toMatchObject({
      id: 'invalid_property',
      data: { property: 'identity_token', reason: 'eit_nonce_not_found' },
    })
  })

  it.each([
    'ada',
    '3F2504E0-4F89',
    '@handle',
    'ada@example.com',
    'https://social.example/u/1',
    'Ünï 😀',
    ' a b ',
    "o'h(a)r!~*",
  ])('AUTH-3 AUTH-4 AUTH-5 a user id of any scheme will do, and messages are attributed to it: %s', async (userId) => {
    const { session_token } = await open(home, userId)
    const person = await arrive(session_token)
    const { id } = await person.create('create-conversation', { participants: ['ben'], distinct: false })
    await person.create('send-message', { conversation: id, parts: text('x') })
    const [row] = (await heardMessage(person)).rows
    const encoded = row?.type === 'message' ? row.sender.slice('layer:///identities/'.length) : ''
    expect(decodeURIComponent(encoded)).toBe(userId)
    expect(encoded).toMatch(/^[\w.*%-]+$/)
  })

  it('AUTH-9 AUTH-10 one user on several devices: each hears of everything, and each is on its own', async () => {
    const tokens = [await open(home, 'many'), await open(home, 'many'), await open(home, 'many')]
    expect(new Set(tokens.map(({ session_id }) => session_id)).size).toBe(3)
    const devices = await Promise.all(tokens.map(({ session_token }) => arrive(session_token)))
    const { id } = await devices[0]!.create('create-conversation', { participants: ['ben'], distinct: false })
    await devices[1]!.create('send-message', { conversation: id, parts: text('hello, me') })
    for (const device of devices) {
      expect((await heardMessage(device)).rows[0]).toMatchObject({ parts: text('hello, me') })
    }
    await home.request('DELETE', `/sessions/${tokens[0]!.session_token}`, { token: tokens[0]!.session_token })
    expect(await devices[0]!.closed()).toBe(4401)
    devices[1]!.say({ type: 'ping' })
    await devices[1]!.hear('pong')
    expect(await isLive(home, tokens[2]!.session_token)).toBe(true)
  })

  it('AUTH-15 AUTH-2 whoever signs in again finds everything', async () => {
    const first = await open(home, 'returning')
    const person = await arrive(first.session_token)
    const { id } = await person.create('create-conversation', { participants: ['ben'], distinct: false })
    await person.create('send-message', { conversation: id, parts: text('still here') })
    await home.request('DELETE', '/sessions/current', { token: first.session_token })
    const again = await arrive((await open(home, 'returning')).session_token)
    expect((await again.hear('heads')).streams).toContainEqual({ stream: `layer:///conversations/${id}`, sequence: 4 })
  })

  it('AUTH-19 AUTH-20 AUTH-21 nobody gets in without a token of the app’s own service', async () => {
    for (const body of [
      {},
      { app_id: home.app.appId },
      { identity_token: 'x' },
      { app_id: home.app.appId, user: 'alice', password: 'parley' },
      { app_id: home.app.appId, identity_token: null },
      { app_id: home.app.appId, identity_token: { $gt: '' } },
      { app_id: home.app.appId, identity_token: ['a.b.c'] },
      { app_id: [home.app.appId], identity_token: 'a.b.c' },
      [],
      'null',
    ]) {
      const answer = await home.request('POST', '/sessions', { body })
      expect([body, answer.status]).toEqual([body, expect.toBeOneOf([400, 403, 422])])
    }
    for (const appId of ['x', crypto.randomUUID(), home.app.appId.replace('staging', 'production'), 'layer:///apps/']) {
      const token = await home.minter.mint({ userId: 'alice', nonce: await nonceOf(home) })
      expect((await openSession(home, token, appId)).body).toMatchObject({ id: 'invalid_app_id' })
    }
  })

  it.each(['RS256', 'ES256', 'EdDSA'] satisfies SigningAlgorithm[])(
    'AUTH-21 a key that signs with %s, among others of the same provider',
    async (algorithm) => {
      const added = await administer(home, (administration) => administration.addKey(home.app.appId, { algorithm }))
      expect(added.algorithm).toBe(algorithm)
      const minter = minterFor({ ...home.app, keyId: added.keyId, privateKeyPem: added.privateKeyPem! })
      const token = await minter.mint({ userId: 'alice', nonce: await nonceOf(home) })
      expect((await openSession(home, token)).status).toBe(201)
      expect((await open(home, 'alice')).session_token).toBeTruthy()
    },
  )

  it('AUTH-21 a public key that the app made itself, and one that is too weak', async () => {
    const pair = await generateProviderKey('EdDSA')
    const added = await administer(home, (administration) =>
      administration.addKey(home.app.appId, { publicKey: pair.publicKeyPem }),
    )
    expect(added.privateKeyPem).toBeNull()
    const minter = minterFor({ ...home.app, keyId: added.keyId, privateKeyPem: pair.privateKeyPem })
    const token = await minter.mint({ userId: 'alice', nonce: await nonceOf(home) })
    expect((await openSession(home, token)).status).toBe(201)
    const refused = administer(home, (administration) =>
      administration.addKey(home.app.appId, { publicKey: 'nonsense' }),
    )
    await expect(refused).rejects.toMatchObject({ code: 'invalid' })
  })

  it('AUTH-21 a disabled key is out at once, its sessions and the other keys go on', async () => {
    const added = await administer(home, (administration) =>
      administration.addKey(home.app.appId, { algorithm: 'ES256' }),
    )
    const minter = minterFor({ ...home.app, keyId: added.keyId, privateKeyPem: added.privateKeyPem! })
    const mint = async () => minter.mint({ userId: 'alice', nonce: await nonceOf(home) })
    const before = (await openSession(home, await mint())).body as Opened
    const pending = await mint()
    await administer(home, (administration) => administration.disableKey(added.keyId))
    expect((await openSession(home, pending)).body).toMatchObject({ data: { reason: 'eit_key_disabled' } })
    expect((await openSession(home, await mint())).body).toMatchObject({ data: { reason: 'eit_key_disabled' } })
    expect(await isLive(home, before.session_token)).toBe(true)
    expect((await open(home, 'alice')).session_token).toBeTruthy()
    await expect(
      administer(home, (administration) => administration.disableKey(crypto.randomUUID())),
    ).rejects.toMatchObject({ code: 'not_found' })
  })

  it('AUTH-21 keys that the provider publishes at an address', async () => {
    const [first, second] = [await generateProviderKey('ES256'), await generateProviderKey('RS256')]
    let asked = 0
    const keys = createServer((_request, response) => {
      asked++
      response.end(JSON.stringify({ keys: [first, second].map((key) => ({ ...key.publicJwk, kid: key.keyId })) }))
    })
    await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve))
    const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`
    const app = await administer(home, (administration) => administration.createApp({ algorithm: 'ES256', jwksUrl }))
    for (const key of [first, second]) {
      const minter = minterFor({ ...app, keyId: key.keyId, privateKeyPem: key.privateKeyPem })
      const token = await minter.mint({ userId: 'alice', nonce: await nonceOf(home) })
      expect((await openSession(home, token, app.appId)).status).toBe(201)
      // They speak for this app's provider and for no other.
      const elsewhere = await minterFor({ ...home.app, keyId: key.keyId, privateKeyPem: key.privateKeyPem }).mint({
        userId: 'alice',
        nonce: await nonceOf(home),
      })
      expect((await openSession(home, elsewhere)).body).toMatchObject({ data: { reason: 'eit_key_not_found' } })
    }
    expect(asked).toBe(1)
    for (const url of ['nonsense', 'ftp://x', 'https://user:pass@x.example/', 'javascript:alert(1)']) {
      const refused = administer(home, (administration) =>
        administration.createApp({ algorithm: 'EdDSA', jwksUrl: url }),
      )
      await expect(refused).rejects.toMatchObject({ code: 'invalid' })
    }
    keys.close()
  })

  it.each([29, 31_536_001, 0, -60, 59.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'a session length of %d seconds is refused',
    async (sessionSeconds) => {
      const made = administer(home, (administration) =>
        administration.createApp({ algorithm: 'EdDSA', sessionSeconds }),
      )
      await expect(made).rejects.toMatchObject({ code: 'invalid' })
    },
  )

  it.each([30, 3600, 31_536_000])(
    'an app may have sessions of %d seconds, whatever the token says',
    async (sessionSeconds) => {
      const app = await administer(home, (administration) =>
        administration.createApp({ algorithm: 'ES256', sessionSeconds }),
      )
      for (const expiresInSeconds of [60, 40 * 86_400]) {
        const token = await minterFor(app).mint({ userId: 'alice', nonce: await nonceOf(home), expiresInSeconds })
        const before = Date.now()
        const { expires_at } = (await openSession(home, token, app.appId)).body as Opened
        const left = Date.parse(expires_at) - before
        expect(left / 1000).toBeGreaterThanOrEqual(sessionSeconds)
        expect(left / 1000).toBeLessThan(sessionSeconds + 10)
      }
    },
  )

  it('AUTH-16 without a length of its own, a session ends with its identity token, and never later than a year', async () => {
    const nonces = [await nonceOf(home), await nonceOf(home)]
    const minted = await Promise.all(
      [600, 20 * 365 * 86_400].map((expiresInSeconds, index) =>
        home.minter.mint({ userId: 'alice', nonce: nonces[index]!, expiresInSeconds }),
      ),
    )
    const [short, long] = await Promise.all(
      minted.map(async (token) => (await openSession(home, token)).body as Opened),
    )
    const { exp } = JSON.parse(Buffer.from(minted[0]!.split('.')[1]!, 'base64url').toString()) as { exp: number }
    expect(Date.parse(short!.expires_at)).toBe(exp * 1000)
    expect(Date.parse(long!.expires_at) - Date.now()).toBeLessThanOrEqual(31_536_000_000)
  })

  it('AUTH-29 of 100 who use one nonce at the same moment exactly one gets in, 20 times over', async () => {
    for (let round = 0; round < 20; round++) {
      const nonce = await nonceOf(home)
      const tokens = await Promise.all(
        Array.from({ length: 100 }, (_, index) => home.minter.mint({ userId: `racer ${index % 3}`, nonce })),
      )
      const answers = await Promise.all(tokens.map((token) => openSession(home, token)))
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
      for (const { status, body } of answers) {
        if (status !== 201) expect(body).toMatchObject({ data: { reason: 'eit_nonce_not_found' } })
      }
    }
  }, 60_000)

  it('AUTH-29 a nonce that was asked for on behalf of an app is good for that app alone', async () => {
    const other = await administer(home, (administration) => administration.createApp({ algorithm: 'ES256' }))
    const bound = await nonceOf(home, { app_id: home.app.appId })
    const foreign = await minterFor(other).mint({ userId: 'alice', nonce: bound })
    expect((await openSession(home, foreign, other.appId)).body).toMatchObject({
      data: { reason: 'eit_nonce_not_found' },
    })
    const own = await home.minter.mint({ userId: 'alice', nonce: bound })
    expect((await openSession(home, own)).status).toBe(201)
    expect((await home.request('POST', '/nonces', { body: { app_id: crypto.randomUUID() } })).status).toBe(403)
    expect((await home.request('POST', '/nonces', { body: { app_id: 7 } })).status).toBe(422)
  })

  it('AUTH-27 sessions lie hashed in the store: no file of it holds a token, a nonce or a private key', async () => {
    const nonce = await nonceOf(home)
    const identityToken = await home.minter.mint({ userId: 'alice', nonce })
    const { session_token } = (await openSession(home, identityToken)).body as Opened
    const files = readdirSync(home.folder).map((name) => readFileSync(join(home.folder, name)).toString('latin1'))
    const all = files.join()
    expect(all).toContain('alice')
    for (const secret of [session_token, nonce, identityToken, identityToken.split('.')[2]!, 'PRIVATE KEY']) {
      expect(all.includes(secret)).toBe(false)
    }
    const [, body] = home.app.privateKeyPem.split('\n')
    expect(all.includes(body!)).toBe(false)
    expect(JSON.stringify(home.logged)).not.toContain(session_token)
  })

  it('AUTH-46 a suspended user is refused, after everything else was right', async () => {
    await open(home, 'banned')
    const administration = await openAdministration(home.folder)
    await administration.suspendUser(home.app.appId, 'banned')
    await administration.close()
    const token = await home.minter.mint({ userId: 'banned', nonce: await nonceOf(home) })
    const answer = await openSession(home, token)
    expect(answer.status).toBe(403)
    expect(answer.body).toMatchObject({ id: 'user_suspended', data: { reason: 'eit_user_suspended' } })
    const expired = await home.minter.mint({ userId: 'banned', nonce: 'unknown' })
    expect((await openSession(home, expired)).body).toMatchObject({ data: { reason: 'eit_nonce_not_found' } })
  })

  it('AUTH-30 AUTH-31 a 401 brings a nonce with which to sign in, whatever was asked', async () => {
    const paths = [
      ['GET', '/'],
      ['GET', '/conversations'],
      ['POST', '/conversations'],
      ['GET', `/conversations/${crypto.randomUUID()}`],
      ['DELETE', `/sessions/${'x'.repeat(43)}`],
      ['GET', '/identities'],
    ] as const
    for (const [method, path] of paths) {
      const answer = await home.request(method, path, {
        token: 'ended long ago',
        ...(method === 'POST' && { body: {} }),
      })
      expect([path, answer.status]).toEqual([path, 401])
      const { data } = answer.body as { data: { nonce: string } }
      const token = await home.minter.mint({ userId: 'alice', nonce: data.nonce })
      expect((await openSession(home, token)).status).toBe(201)
    }
  })

  it('AUTH-13 DELETE /sessions: one’s own session, another of one’s own, nobody else’s', async () => {
    const [alice, other, ben] = [await open(home, 'alice'), await open(home, 'alice'), await open(home, 'ben')]
    const remove = (token: string, by?: string) =>
      home.request('DELETE', `/sessions/${encodeURIComponent(token)}`, by === undefined ? {} : { token: by })
    expect((await remove(alice.session_token)).status).toBe(401)
    const foreign = await remove(ben.session_token, alice.session_token)
    const absent = await remove('x'.repeat(43), alice.session_token)
    expect(foreign.status).toBe(404)
    expect(foreign.body).toEqual(absent.body)
    expect(await isLive(home, ben.session_token)).toBe(true)
    expect((await remove(other.session_token, alice.session_token)).status).toBe(204)
    expect(await isLive(home, other.session_token)).toBe(false)
    expect((await remove(alice.session_token, alice.session_token)).status).toBe(204)
    expect((await remove(alice.session_token, alice.session_token)).status).toBe(401)
    for (const odd of ['%zz', '%00', '..%2f', 'x'.repeat(2000), '💥', '__proto__']) {
      const { status } = await home.request('DELETE', `/sessions/${odd}`, { token: ben.session_token })
      expect([odd, status]).toEqual([odd, expect.toBeOneOf([400, 404, 414])])
    }
  })

  it('AUTH-13 the end of a session closes all its connections at once, and nothing more is heard of it', async () => {
    const { session_token } = await open(home, 'alice')
    const devices = await Promise.all([arrive(session_token), arrive(session_token), arrive(session_token)])
    const other = await arrive((await open(home, 'alice')).session_token)
    expect((await home.request('DELETE', `/sessions/${session_token}`, { token: session_token })).status).toBe(204)
    for (const device of devices) {
      expect(await device.closed()).toBe(4401)
      expect(device.heard.at(-1)).toMatchObject({ type: 'goodbye', reason: 'session_ended' })
    }
    other.say({ type: 'ping' })
    await other.hear('pong')
    const late = await Person.open(home.server)
    late.say({ type: 'hello', session_token, cursor: null, epoch: null })
    expect(await late.hear('goodbye')).toMatchObject({ reason: 'authentication_required' })
  })

  it('AUTH-3 a profile in the token is taken over, and shown to those who know the user', async () => {
    const ben = await arrive((await open(home, 'watcher')).session_token)
    const { id } = await ben.create('create-conversation', { participants: ['named'], distinct: false })
    const deleted = await ben.create('create-conversation', { participants: ['named'], distinct: false })
    await ben.ask('delete-conversation', { conversation: deleted.id, mode: 'all_participants' })
    const token = await home.signIn('named', {
      claims: { display_name: `${'x'.repeat(127)}😀`, avatar_url: 'https://a' },
    })
    const change = await ben.hear('change', (frame) => frame.rows[0]?.type === 'participant')
    expect(change).toMatchObject({
      stream: `layer:///conversations/${id}`,
      rows: [{ identity: { user_id: 'named', display_name: 'x'.repeat(127), avatar_url: 'https://a' } }],
    })
    expect(await isLive(home, token)).toBe(true)
  })
})

describe('sessions in time', () => {
  async function cranked(options: { sessionSeconds?: number } = {}) {
    const clock = new CrankedClock()
    return { clock, home: await startTestServer({ clock, ...options }) }
  }

  it('AUTH-29 a nonce is good for ten minutes, and a clock that jumps back revives no used one', async () => {
    const { clock, home } = await cranked()
    const nonces = [await nonceOf(home), await nonceOf(home), await nonceOf(home)]
    const tokens = await Promise.all(
      nonces.map((nonce) => home.minter.mint({ userId: 'alice', nonce, expiresInSeconds: 90_000 })),
    )
    clock.advance(600_000)
    expect((await openSession(home, tokens[0]!)).status).toBe(201)
    clock.advance(1)
    expect((await openSession(home, tokens[1]!)).body).toMatchObject({ data: { reason: 'eit_nonce_not_found' } })
    clock.jump(-600_000)
    expect((await openSession(home, tokens[0]!)).body).toMatchObject({ data: { reason: 'eit_nonce_not_found' } })
    // It has expired by the clock once, and stays so (row 75).
    expect((await openSession(home, tokens[2]!)).body).toMatchObject({ data: { reason: 'eit_nonce_not_found' } })
    const fresh = await home.minter.mint({ userId: 'alice', nonce: await nonceOf(home), expiresInSeconds: 90_000 })
    expect((await openSession(home, fresh)).status).toBe(201)
    // Hours pass, what is old is pruned, and the clock jumps back to when the nonces were young.
    for (let hour = 0; hour < 12; hour++) clock.advance(3_600_000)
    await home.request('POST', '/nonces')
    clock.jump(-12 * 3_600_000)
    for (const token of [tokens[0]!, tokens[2]!]) {
      expect((await openSession(home, token)).body).toMatchObject({ data: { reason: 'eit_nonce_not_found' } })
    }
    await home.close()
  })

  it('AUTH-16 AUTH-31 the end comes at its time: challenged ahead of it, closed when no token comes', async () => {
    const { clock, home } = await cranked()
    const { session_token, expires_at } = await open(home, 'alice', 3_600)
    const alice = await Person.connect(home.server, session_token)
    const end = Date.parse(expires_at)
    clock.advance(end - 300_000 - clock.now() - 1)
    alice.say({ type: 'ping' })
    await alice.hear('pong')
    expect(alice.heard.some((frame) => frame.type === 'challenge')).toBe(false)
    clock.advance(1)
    expect(await alice.hear('challenge')).toMatchObject({ expires_at })
    clock.advance(299_999)
    expect(await isLive(home, session_token)).toBe(true)
    clock.advance(1)
    expect(await alice.closed()).toBe(4401)
    expect(alice.heard.at(-1)).toMatchObject({ type: 'goodbye', reason: 'session_ended' })
    expect(await isLive(home, session_token)).toBe(false)
    await home.close()
  })

  it('AUTH-31 AUTH-33 a token for the challenge prolongs the session in place, on all its connections', async () => {
    const { clock, home } = await cranked()
    const { session_token, session_id, expires_at } = await open(home, 'alice', 3_600)
    const [one, two] = [
      await Person.connect(home.server, session_token),
      await Person.connect(home.server, session_token),
    ]
    let end = Date.parse(expires_at)
    for (let renewal = 1; renewal <= 3; renewal++) {
      clock.advance(end - 300_000 - clock.now())
      const { nonce } = await one.hear('challenge')
      await two.hear('challenge')
      const token = await home.minter.mint({ userId: 'alice', nonce, expiresInSeconds: 3_600 * (renewal + 1) })
      one.say({ type: 'renew', identity_token: token })
      for (const person of [one, two]) {
        const { session } = await person.hear('renewed')
        expect(session.id).toBe(session_id)
        expect(Date.parse(session.expires_at)).toBeGreaterThan(end)
      }
      end = Date.parse(
        (one.heard.filter((frame) => frame.type === 'renewed').at(-1) as { session: { expires_at: string } }).session
          .expires_at,
      )
      expect(await isLive(home, session_token)).toBe(true)
    }
    for (const person of [one, two]) {
      person.say({ type: 'ping' })
      await person.hear('pong')
      expect(person.heard.filter((frame) => frame.type === 'welcome')).toHaveLength(1)
    }
    // The old end passes without a word; the new one is kept.
    clock.advance(end - clock.now() - 1)
    expect(await isLive(home, session_token)).toBe(true)
    clock.advance(1)
    expect([await one.closed(), await two.closed()]).toEqual([4401, 4401])
    await home.close()
  })

  it('AUTH-31 a renewal is refused for another user, a used nonce and nonsense; a new challenge comes, the session goes on', async () => {
    const { clock, home } = await cranked()
    const { session_token, expires_at } = await open(home, 'alice', 3_600)
    const alice = await Person.connect(home.server, session_token)
    const nonces: string[] = []
    const challenge = async () => {
      const { nonce } = await alice.hear('challenge')
      nonces.push(nonce)
      return nonce
    }
    alice.say({ type: 'challenge-me' })
    const forBen = await home.minter.mint({ userId: 'ben', nonce: await challenge(), expiresInSeconds: 90_000 })
    alice.say({ type: 'renew', identity_token: forBen })
    expect((await alice.hear('refusal')).error).toMatchObject({
      id: 'invalid_property',
      data: { property: 'identity_token' },
    })
    const used = await home.minter.mint({ userId: 'alice', nonce: nonces[0]!, expiresInSeconds: 90_000 })
    await challenge()
    alice.say({ type: 'renew', identity_token: used })
    expect((await alice.hear('refusal')).error).toMatchObject({ data: { reason: 'eit_nonce_not_found' } })
    await challenge()
    alice.say({ type: 'renew', identity_token: 'nonsense' })
    expect((await alice.hear('refusal')).error).toMatchObject({ data: { reason: 'eit_wrong_jws_part_count' } })
    const fresh = await challenge()
    alice.say({ type: 'ping' })
    await alice.hear('pong')
    const good = await home.minter.mint({ userId: 'alice', nonce: fresh, expiresInSeconds: 90_000 })
    alice.say({ type: 'renew', identity_token: good })
    expect(Date.parse((await alice.hear('renewed')).session.expires_at)).toBeGreaterThan(Date.parse(expires_at))
    clock.advance(0)
    alice.close()
    await home.close()
  })

  it('AUTH-31 a session that ended is not prolonged, however good the token', async () => {
    const { clock, home } = await cranked({ sessionSeconds: 60 })
    const { session_token } = await open(home, 'alice', 90_000)
    const alice = await Person.connect(home.server, session_token)
    const nonce = await nonceOf(home)
    const token = await home.minter.mint({ userId: 'alice', nonce, expiresInSeconds: 90_000 })
    await administer(home, (administration) => administration.revokeSessions(home.app.appId, 'alice'))
    alice.say({ type: 'renew', identity_token: token })
    expect((await alice.hear('refusal')).error).toMatchObject({ id: 'authentication_required' })
    clock.advance(1_000)
    expect(await alice.closed()).toBe(4401)
    expect(await isLive(home, session_token)).toBe(false)
    await home.close()
  })

  it('AUTH-31 what another process revoked is over within a second, on sockets and over HTTP', async () => {
    const { clock, home } = await cranked()
    const tokens = [await open(home, 'alice'), await open(home, 'alice'), await open(home, 'ben')]
    const people = await Promise.all(tokens.map(({ session_token }) => Person.connect(home.server, session_token)))
    for (const { session_token } of tokens) expect(await isLive(home, session_token)).toBe(true)
    expect(await administer(home, (administration) => administration.revokeSessions(home.app.appId, 'alice'))).toBe(2)
    clock.advance(1_000)
    expect([await people[0]!.closed(), await people[1]!.closed()]).toEqual([4401, 4401])
    expect(await isLive(home, tokens[0]!.session_token)).toBe(false)
    expect(await isLive(home, tokens[2]!.session_token)).toBe(true)
    expect(await administer(home, (administration) => administration.revokeSessions(home.app.appId, 'alice'))).toBe(0)
    for (const [appId, userId] of [
      [home.app.appId, ''],
      ['nonsense', 'alice'],
    ] as const) {
      await expect(administer(home, (one) => one.revokeSessions(appId, userId))).rejects.toMatchObject({
        name: 'AdministrationError',
      })
    }
    for (const person of people) person.close()
    await home.close()
  })

  it('AUTH-21 a token within the leeway of clocks opens a session that is not over already', async () => {
    const { clock, home } = await cranked()
    const token = await home.minter.mint({ userId: 'alice', nonce: await nonceOf(home), expiresInSeconds: 10 })
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as { exp: number }
    clock.advance(exp * 1000 + 3_000 - clock.now())
    const answer = await openSession(home, token)
    expect(answer.status).toBe(201)
    const { session_token } = answer.body as Opened
    expect(await isLive(home, session_token)).toBe(true)
    clock.advance(2_000)
    expect(await isLive(home, session_token)).toBe(false)
    await home.close()
  })

  it('AUTH-35 a session outlives the server’s restart', async () => {
    const first = await startTestServer()
    const { session_token } = await open(first, 'alice')
    const { serve } = await import('@parley/server')
    const again = await serve(openSqliteStore(storeFile(first.folder)), {})
    const alice = await Person.connect(again, session_token)
    expect(alice.heard[0]).toMatchObject({ type: 'welcome', identity: { user_id: 'alice' } })
    alice.close()
    await again.close({ drainMs: 0 })
    await first.close()
  })
})
