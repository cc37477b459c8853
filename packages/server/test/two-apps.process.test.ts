/** Two apps through the doors of one server: the same people, conversations, messages; not a byte of one reaches the other. */
import { randomUUID } from 'node:crypto'
import { type CreatedApp, openAdministration } from '@parley/server'
import { createIdentityTokenMinter } from '@parley/token'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { conversationUri, identityUri } from './layer/support/rest.ts'
import { LayerSocket } from './layer/support/socket.ts'
import { Person, startTestServer, type TestServer, text } from './support.ts'

const CANARY = 'canary-8f1c'
const conversation = randomUUID()
const distinct = randomUUID()
const message = randomUUID()
const operation = randomUUID()

/** Somebody of an app, with every door open. */
interface Somebody {
  readonly token: string
  readonly native: Person
  readonly layer: LayerSocket
}

let home: TestServer
let other: CreatedApp
const here = {} as Record<'alice' | 'ben', Somebody>
const there = {} as Record<'alice' | 'ben', Somebody>

async function enter(app: CreatedApp, userId: string, name: string): Promise<Somebody> {
  const minter = createIdentityTokenMinter({ ...app, privateKey: app.privateKeyPem })
  const { nonce } = (await home.request('POST', '/nonces')).body as { nonce: string }
  const claims = { display_name: name, avatar_url: `https://example.org/${name}` }
  const body = { identity_token: await minter.mint({ userId, nonce, claims }), app_id: app.appId }
  const { session_token: token } = (await home.request('POST', '/sessions', { body })).body as { session_token: string }
  return {
    token,
    native: await Person.connect(home.server, token),
    layer: await LayerSocket.connect(home.server, token),
  }
}

beforeAll(async () => {
  home = await startTestServer()
  const administration = await openAdministration(home.folder)
  other = await administration.createApp({ algorithm: 'ES256', name: CANARY })
  await administration.close()
  for (const name of ['alice', 'ben'] as const) {
    here[name] = await enter(home.app, name, name)
    there[name] = await enter(other, name, `${name} ${CANARY}`)
  }
})
afterAll(async () => {
  for (const { native, layer } of [...Object.values(here), ...Object.values(there)]) {
    native.close()
    layer.close()
  }
  await home.close()
})

/** A day in an app, by every door. The same ids each time; `word` is in everything that can hold a word. */
async function live({ alice, ben }: typeof here, word: string): Promise<readonly string[]> {
  const said: string[] = []
  const note = (answer: object) => said.push(JSON.stringify(answer))
  const ask = async (who: Somebody, name: string, input: object, id: string = randomUUID()) =>
    note(await who.native.ask(name, input, id))
  const rest = async (who: Somebody, method: string, path: string, body?: unknown) => {
    const answer = await home.request(method, path, { token: who.token, ...(body !== undefined && { body }) })
    note([method, path, answer.status, answer.body ?? null])
  }
  for (const { layer } of [alice, ben]) note(await layer.request('Presence.subscribe'))
  const metadata = { title: word, secret: { of: word } }
  await ask(
    alice,
    'create-conversation',
    { id: conversation, participants: ['ben'], distinct: false, metadata },
    conversation,
  )
  await ask(alice, 'create-conversation', { id: distinct, participants: ['ben'], distinct: true, metadata }, distinct)
  const found = randomUUID()
  await ask(ben, 'create-conversation', { id: found, participants: ['alice'], distinct: true }, found)
  await ask(alice, 'send-message', { id: message, conversation, parts: text(word) }, message)
  alice.native.say({ type: 'typing', conversation: conversation as never, action: 'started' })
  ben.layer.say({
    type: 'signal',
    body: { type: 'typing_indicator', object: { id: conversationUri(conversation) }, data: { action: 'started' } },
  })
  note(await ben.layer.request('Message.create', { parts: text(`${word} by Layer`) }, conversationUri(conversation)))
  await rest(ben, 'POST', `/messages/${message}/receipts`, { type: 'read' })
  await rest(alice, 'POST', `/conversations/${conversation}/messages`, { parts: text(`${word} by REST`) })
  await ask(ben, 'mark-messages', { conversation, receipt: 'read', position: 3 }, operation)
  const patch = [{ operation: 'set', property: 'metadata.colour', value: word }]
  await ask(ben, 'update-conversation', { conversation, patch })
  await ask(alice, 'update-conversation', {
    conversation,
    patch: [{ operation: 'add', property: 'participants', id: word }],
  })
  note(await ben.layer.request('Presence.update', [{ operation: 'set', property: 'status', value: 'busy' }]))
  note(await alice.layer.request('Presence.sync', { ids: ['alice', 'ben', 'carol'].map(identityUri) }))
  note(await alice.layer.request('Event.replay', { from_timestamp: '2020-01-01T00:00:00.000Z' }))
  for (const path of [
    '/conversations',
    `/conversations/${conversation}`,
    `/conversations/${conversation}/messages`,
    `/messages/${message}`,
    '/identities',
    '/identities/ben',
    `/identities/${word}`,
  ]) {
    await rest(alice, 'GET', path)
  }
  for (const { native } of [alice, ben]) {
    native.say({
      type: 'pull',
      id: 1,
      streams: [
        { stream: 'inbox', after: 0 },
        { stream: conversation as never, after: 0 },
      ],
    })
    note(await native.hear('rows', (frame) => frame.last === true))
    native.say({ type: 'page', id: 2, conversation: distinct as never, before: null, limit: 9 })
    note(await native.hear('rows', (frame) => frame.id === 2))
  }
  await ask(alice, 'delete-message', { conversation, message, mode: 'all_participants' })
  await ask(ben, 'delete-conversation', { conversation: distinct, mode: 'my_devices' })
  return said
}

const heardBy = ({ alice, ben }: typeof here): string =>
  JSON.stringify([alice, ben].flatMap(({ native, layer }) => [...native.heard, ...layer.heard]))
const settle = async () => {
  for (const { native, layer } of [...Object.values(here), ...Object.values(there)]) {
    native.say({ type: 'ping' })
    await native.hear('pong')
    await layer.settle()
  }
}
/** Without what differs by itself. */
const plain = (said: readonly string[]) =>
  said.map((line) =>
    line
      .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) =>
        [conversation, distinct, message].some((one) => one === id) ? id : 'id',
      )
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'then')
      .replaceAll(/"(cursor|counter|timestamp|nonce)":("[^"]*"|\d+)/g, '"$1":0'),
  )

it('126 a day in one app: nobody in the other hears a byte of it, on any socket', async () => {
  const [before, quiet] = [
    heardBy(here),
    Object.values(here).map(({ native, layer }) => [native.heard.length, layer.heard.length]),
  ]
  expect(before).not.toContain(CANARY)
  await live(there, CANARY)
  await settle()
  expect(heardBy(there).split(CANARY).length).toBeGreaterThan(20)
  expect(heardBy(here)).not.toContain(CANARY)
  // Not even that something happened: a pong, and the answer to each one's own question.
  const after = Object.values(here).map(({ native, layer }) => [native.heard.length, layer.heard.length])
  expect(after).toEqual(quiet.map(([native = 0, layer = 0]) => [native + 1, layer + 1]))
})

it('126 the same day in the other app, with the same ids: everything is new there, and nothing was there before', async () => {
  const said = await live(here, 'harmless')
  await settle()
  expect(said.join()).not.toContain(CANARY)
  expect(heardBy(here)).not.toContain(CANARY)
  expect(heardBy(there)).not.toContain('harmless')
  // The ids were free, the distinct set not taken, the operation id not used before.
  expect(said.filter((line) => /"refusal"|id_in_use|internal/.test(line))).toEqual([])
})

it('126 asked again, each app answers as it did, whatever the other has done in the meantime', async () => {
  const look = async ({ alice }: typeof here) => {
    const answers: string[] = []
    for (const path of [
      '/conversations',
      `/conversations/${conversation}`,
      `/conversations/${conversation}/messages`,
      '/identities',
    ]) {
      const { status, body } = await home.request('GET', path, { token: alice.token })
      answers.push(`${status} ${JSON.stringify(body)}`)
    }
    return plain(answers)
  }
  const before = await look(here)
  expect(before.join()).toContain('harmless')
  const ask = (who: Somebody, name: string, input: object) => who.native.ask(name, input)
  await ask(there.alice, 'update-conversation', {
    conversation,
    patch: [{ operation: 'remove', property: 'participants', id: 'ben' }],
  })
  await ask(there.alice, 'delete-conversation', { conversation, mode: 'all_participants' })
  expect((await home.request('GET', `/conversations/${conversation}`, { token: there.alice.token })).status).toBe(404)
  expect(await look(here)).toEqual(before)
})

it('126 nothing of either is in the log', () => {
  expect(JSON.stringify(home.logged)).not.toMatch(new RegExp(`${CANARY}|harmless`))
})
