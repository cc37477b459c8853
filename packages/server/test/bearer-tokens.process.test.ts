/**
 * Session tokens, the only bearer tokens there are as yet: stolen, revoked, cut, misspelt, and in places where no token
 * belongs. What the server keeps of them opens nothing.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CreatedApp, openAdministration } from '@parley/server'
import { createIdentityTokenMinter } from '@parley/token'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LayerSocket } from './layer/support/socket.ts'
import { Person, startTestServer, type TestServer } from './support.ts'

let home: TestServer
let other: CreatedApp
let token: string
beforeAll(async () => {
  home = await startTestServer()
  const administration = await openAdministration(home.folder)
  other = await administration.createApp({ algorithm: 'ES256' })
  await administration.close()
  token = await home.signIn('alice')
})
afterAll(() => home.close())

const conversations = (authorization: string, path = '/conversations') =>
  home.request('GET', path, { headers: { authorization } })
const header = (value: string) => `Layer session-token="${value}"`

it('125 a token has 256 random bits, and no two are alike', async () => {
  const tokens = [token, ...(await Promise.all(Array.from({ length: 20 }, () => home.signIn('alice'))))]
  for (const one of tokens) expect(one).toMatch(/^[A-Za-z0-9_-]{43}$/)
  expect(new Set(tokens).size).toBe(tokens.length)
})

it('125 it is shown once, and kept only as a hash that opens nothing', async () => {
  const hash = createHash('sha256').update(token).digest('base64url')
  const bytes = readdirSync(home.folder).map((name) => readFileSync(join(home.folder, name)))
  expect(bytes.some((file) => file.includes(hash))).toBe(true)
  expect(bytes.some((file) => file.includes(token))).toBe(false)
  expect((await conversations(header(hash))).status).toBe(401)
  const answers = await Promise.all(
    ['/conversations', '/identities', '/identities/alice'].map((path) => conversations(header(token), path)),
  )
  for (const answer of answers)
    expect([answer.status, JSON.stringify(answer.body).includes(token)]).toEqual([200, false])
})

const spoilt: Readonly<Record<string, (good: string) => string>> = {
  'without its last letter': (good) => good.slice(0, -1),
  'with a letter more': (good) => `${good}A`,
  'with one letter changed': (good) => `${good[0] === 'A' ? 'B' : 'A'}${good.slice(1)}`,
  // 43 letters carry two bits more than 32 bytes; another spelling of the same bytes is another token.
  'in another spelling of the same bytes': (good) => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    return good.slice(0, -1) + alphabet[alphabet.indexOf(good.at(-1)!) ^ 1]
  },
  'in capitals': (good) => good.toUpperCase(),
  'in small letters': (good) => good.toLowerCase(),
  'with a space before': (good) => ` ${good}`,
  'with a space behind': (good) => `${good} `,
  'with a tab inside': (good) => `${good.slice(0, 9)}\t${good.slice(9)}`,
  'with padding': (good) => `${good}=`,
  twice: (good) => `${good}${good}`,
  'twice, with a comma': (good) => `${good},${good}`,
  'as hexadecimal': (good) => Buffer.from(good, 'base64url').toString('hex'),
  'with a wildcard': (good) => `${good.slice(0, 20)}%`,
  'as SQL': (good) => `${good}' OR '1'='1`,
  'of nothing': () => '',
  'that names a prototype': () => '__proto__',
  'of a megabyte': () => 'x'.repeat(8_000),
}

it.each(Object.keys(spoilt))('125 a token %s opens nothing, by any door', async (kind) => {
  const bad = spoilt[kind]!(token)
  const answer = await conversations(header(bad))
  expect([answer.status, (answer.body as { id: string }).id]).toEqual([401, 'authentication_required'])
  const person = await Person.open(home.server)
  person.say({ type: 'hello', session_token: bad.slice(0, 128), cursor: null, epoch: null })
  expect(await person.closed()).toBe(4401)
  await expect(LayerSocket.connect(home.server, encodeURIComponent(bad))).rejects.toThrow('401')
})

it.each([
  ['in the address', (good: string) => [`/conversations?session_token=${good}`, {}]],
  [
    'in the address, under the header’s name',
    (good: string) => [`/conversations?authorization=${encodeURIComponent(header(good))}`, {}],
  ],
  ['in a cookie', (good: string) => ['/conversations', { cookie: `session_token=${good}; session-token=${good}` }]],
  ['as Bearer', (good: string) => ['/conversations', { authorization: `Bearer ${good}` }]],
  [
    'as Basic',
    (good: string) => ['/conversations', { authorization: `Basic ${Buffer.from(`${good}:`).toString('base64')}` }],
  ],
  ['alone', (good: string) => ['/conversations', { authorization: good }]],
  ['behind another scheme', (good: string) => ['/conversations', { authorization: `Basic x, ${header(good)}` }]],
  ['in a header of its own', (good: string) => ['/conversations', { 'x-session-token': good, 'session-token': good }]],
  [
    'in a header for proxies',
    (good: string) => [
      '/conversations',
      { 'x-forwarded-authorization': header(good), 'x-original-authorization': header(good) },
    ],
  ],
] as const)('125 a good token %s is no token over HTTP', async (_, place) => {
  const [path, headers] = place(token) as [string, Record<string, string>]
  expect((await home.request('GET', path, { headers })).status).toBe(401)
})

it('125 a token of another app speaks for that app alone: of this one it sees and ends nothing', async () => {
  const minter = createIdentityTokenMinter({ ...other, privateKey: other.privateKeyPem })
  const { nonce } = (await home.request('POST', '/nonces')).body as { nonce: string }
  const identity_token = await minter.mint({ userId: 'alice', nonce })
  const opened = await home.request('POST', '/sessions', { body: { identity_token, app_id: other.appId } })
  const foreign = (opened.body as { session_token: string }).session_token
  const person = await home.connect('alice')
  await person.create('create-conversation', { participants: ['ben'], distinct: false })
  person.close()
  expect((await home.request('GET', '/conversations', { token: foreign })).body).toEqual([])
  expect((await home.request('GET', '/identities/ben', { token: foreign })).status).toBe(404)
  expect((await home.request('DELETE', `/sessions/${token}`, { token: foreign })).status).toBe(404)
  expect((await home.request('GET', '/conversations', { token })).status).toBe(200)
})

it('125 somebody else of the same app cannot end it either, and who owns it can, at once and everywhere', async () => {
  const mine = await home.signIn('carol')
  const person = await Person.connect(home.server, mine)
  const layer = await LayerSocket.connect(home.server, mine)
  expect((await home.request('DELETE', `/sessions/${mine}`, { token: await home.signIn('mallory') })).status).toBe(404)
  expect((await home.request('DELETE', `/sessions/${mine}`, { token: mine })).status).toBe(204)
  expect([await person.closed(), await layer.closed()]).toEqual([4401, 4401])
  expect((await home.request('GET', '/conversations', { token: mine })).status).toBe(401)
  await expect(LayerSocket.connect(home.server, mine)).rejects.toThrow('401')
  expect((await home.request('DELETE', `/sessions/${mine}`, { token })).status).toBe(404)
})

it('125 what an operator revokes while the server runs is out within moments', async () => {
  const mine = await home.signIn('dora')
  const person = await Person.connect(home.server, mine)
  const administration = await openAdministration(home.folder)
  expect(await administration.revokeSessions(home.app.appId, 'dora')).toBe(1)
  await administration.close()
  expect(await person.closed()).toBe(4401)
  expect((await home.request('GET', '/conversations', { token: mine })).status).toBe(401)
})

const TRIES = 150
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

it('125 a token that is nearly right takes as long to refuse as one that is all wrong', async () => {
  const { createHmac } = await import('node:crypto')
  const wrong = (nth: number) => createHmac('sha256', 'x').update(String(nth)).digest('base64url')
  const near = (nth: number) => token.slice(0, 41) + wrong(nth).slice(0, 2)
  const took = { near: [] as number[], wrong: [] as number[] }
  let difference = Number.POSITIVE_INFINITY
  // Compared are hashes, by an index: what is looked for differs from what is there in its first bits already.
  for (let pass = 0; pass < 8 && difference > 0.05; pass++) {
    for (let nth = pass * TRIES; nth < (pass + 1) * TRIES; nth++) {
      const order = [
        ['near', near(nth)],
        ['wrong', wrong(nth)],
      ] as const
      for (const [kind, bad] of nth % 2 ? order : order.toReversed()) {
        const startedAt = performance.now()
        await conversations(header(bad))
        took[kind].push(performance.now() - startedAt)
      }
    }
    difference = Math.abs(median(took.near) / median(took.wrong) - 1)
  }
  console.log(`125 nearly right ${median(took.near).toFixed(2)} ms, wrong ${median(took.wrong).toFixed(2)} ms`)
  expect(difference).toBeLessThanOrEqual(0.05)
})
