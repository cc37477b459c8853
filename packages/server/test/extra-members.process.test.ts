/** Members that nobody asked for, values of other types than asked for, and names that prototypes know. */
import { randomUUID } from 'node:crypto'
import type { OperationName } from '@parley/protocol'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { operations } from '../src/operations/table.ts'
import { Caller } from './layer/support/rest.ts'
import { LayerSocket } from './layer/support/socket.ts'
import { Person, startTestServer, type TestServer, text } from './support.ts'

let home: TestServer
let alice: Person
let rest: Caller
let layer: LayerSocket
beforeAll(async () => {
  home = await startTestServer()
  rest = await Caller.signIn(home, 'alice')
  alice = await Person.connect(home.server, rest.token)
  layer = await LayerSocket.connect(home.server, rest.token)
})
afterAll(async () => {
  alice.close()
  layer.close()
  await home.close()
})

/** What somebody would like to set, and is the server's to say. */
const wishes = {
  sender: 'admin',
  sender_id: 'admin',
  creator: 'admin',
  created_by: 'admin',
  user_id: 'admin',
  userId: 'admin',
  position: 99,
  sequence: 99,
  app: 2,
  app_id: 'layer:///apps/staging/00000000-0000-4000-8000-000000000002',
  is_admin: true,
  isAdmin: true,
  role: 'owner',
  deleted_at: '2020-01-01T00:00:00.000Z',
  deletedAt: 1,
  sent_at: '2020-01-01T00:00:00.000Z',
  created_at: '2020-01-01T00:00:00.000Z',
  distinct_key: 'x',
  recipient_status: { 'layer:///identities/ben': 'read' },
  is_unread: false,
  unread_message_count: 0,
  session: 'x',
  asking: { userId: 'admin' },
  operationId: randomUUID(),
  isHeldBack: true,
}
const polluted = () =>
  JSON.parse(
    `{"__proto__":{"isAdmin":true,"sender":"admin"},"constructor":{"prototype":{"isAdmin":true}},"prototype":{"isAdmin":true}}`,
  )

type Input = Readonly<Record<string, unknown>>

/** A good input for each operation; a verb without one does not compile. */
const good: { readonly [Name in OperationName]: (conversation: string, message: string) => Input } = {
  'create-conversation': () => ({ id: randomUUID(), participants: ['ben'], distinct: false, metadata: { a: 'b' } }),
  'send-message': (conversation) => ({ id: randomUUID(), conversation, parts: text('hello') }),
  'mark-messages': (conversation) => ({ conversation, receipt: 'read', position: 1 }),
  'update-conversation': (conversation) => ({
    conversation,
    patch: [{ operation: 'set', property: 'metadata.a', value: 'b' }],
  }),
  'delete-conversation': (conversation) => ({ conversation, mode: 'my_devices' }),
  'delete-message': (conversation, message) => ({ conversation, message, mode: 'my_devices' }),
}

async function target(): Promise<[string, string]> {
  const { id: conversation } = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
  const { id: message } = await alice.create('send-message', { conversation, parts: text('hello') })
  return [conversation, message]
}

/** Everything the owner sees of a conversation, and nothing that differs by itself. */
async function seen(conversation: string): Promise<string> {
  alice.say({ type: 'page', id: 7, conversation: conversation as never, before: null, limit: 50 })
  const { rows } = await alice.hear('rows', (frame) => frame.id === 7)
  return JSON.stringify(rows)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'id')
    .replaceAll(/"\w+_at":"[^"]*"/g, '"at":"…"')
}

const names = Object.keys(operations) as OperationName[]

it.each(names)('124 %s: members that nobody asked for change nothing of what it does', async (name) => {
  const outcomes: string[] = []
  for (const extra of [{}, wishes, polluted()]) {
    const [conversation, message] = await target()
    const plain = good[name](conversation, message)
    // By text: a member called `__proto__` is one only for a parser of JSON.
    const merged = `${JSON.stringify(plain).slice(0, -1)}${Object.keys(extra).length > 0 ? ',' : ''}${JSON.stringify(extra).slice(1)}`
    const input = JSON.parse(merged) as Record<string, unknown>
    const id = String(plain.id ?? randomUUID())
    const frame = {
      type: 'operation',
      id,
      name,
      input,
      ...(extra === wishes && { sender: 'admin', session: 'x', is_admin: true }),
    }
    alice.say(frame as never)
    const answer = await alice.hear('acknowledgement', (one) => one.id === id)
    const made = name === 'create-conversation' ? String(plain.id) : conversation
    outcomes.push(`${'refusal' in answer ? answer.refusal.id : 'done'} ${await seen(made)}`)
  }
  expect(outcomes[0]).toMatch(/^done/)
  expect(outcomes.slice(1)).toEqual([outcomes[0], outcomes[0]])
  expect(outcomes[0]).not.toContain('admin')
})

it('124 so it is over REST and on Layer’s socket: the sender is who is signed in, time and position are the server’s', async () => {
  const [conversation] = await target()
  const path = `/conversations/${conversation}/messages`
  const byRest = await rest.call('POST', path, {
    ...wishes,
    parts: [{ ...wishes, mime_type: 'text/plain', body: 'x' }],
  })
  const byLayer = await layer.request(
    'Message.create',
    { ...wishes, parts: text('x') },
    `layer:///conversations/${conversation}`,
  )
  for (const message of [byRest.body, byLayer.data] as Record<string, { user_id?: string }>[]) {
    expect(message).toMatchObject({ sender: { user_id: 'alice' } })
    expect(JSON.stringify(message)).not.toMatch(/admin|2020-01-01|"position":99/)
  }
  const created = await rest.call('POST', '/conversations', { ...wishes, participants: ['layer:///identities/ben'] })
  expect(created.body).toMatchObject({
    participants: expect.arrayContaining([expect.objectContaining({ user_id: 'alice' })]),
  })
  expect(JSON.stringify(created.body)).not.toMatch(/admin|2020-01-01/)
})

it('124 a sign-in with members that nobody asked for opens the session of the token and no other', async () => {
  const { nonce } = (await home.request('POST', '/nonces')).body as { nonce: string }
  const identity_token = await home.minter.mint({ userId: 'carol', nonce })
  const answer = await home.request('POST', '/sessions', {
    body: {
      ...wishes,
      ...polluted(),
      app_id: home.app.appId,
      identity_token,
      session_token: 'mine',
      expires_at: '9999-01-01T00:00:00Z',
    },
  })
  expect(answer.body).toMatchObject({ identity: { user_id: 'carol' } })
  expect((answer.body as { session_token: string }).session_token).not.toBe('mine')
  expect((answer.body as { expires_at: string }).expires_at < '9999').toBe(true)
})

/** Where one kind of value is meant, another. */
const confused: readonly unknown[] = [
  ...[null, true, false, 0, -1, 1.5, 2 ** 53, '', 'x', [], {}, ['x'], [[]], { $gt: '' }, { $ne: null }, { length: 1 }],
  ...[{ toString: 'x' }, { valueOf: 1 }, { toJSON: 'x' }, [null], { 0: 'x' }, polluted()],
]

it.each(names)(
  '124 %s: a value of another type in each of its members is refused, and nothing happens',
  async (name) => {
    const [conversation, message] = await target()
    const before = await seen(conversation)
    for (const member of Object.keys(good[name](conversation, message))) {
      const allowed = new Set<unknown>(member === 'metadata' ? [null, {}] : member === 'distinct' ? [true, false] : [])
      for (const value of confused) {
        const isAllowed =
          [...allowed].some((one) => JSON.stringify(one) === JSON.stringify(value)) || isMeant(name, member, value)
        if (isAllowed) continue
        const input: Input = { ...good[name](conversation, message), [member]: value }
        const id = typeof input.id === 'string' && input.id.length === 36 ? input.id : randomUUID()
        const answer = await alice.ask(name, input, id)
        const said = 'refusal' in answer ? answer.refusal.id : 'done'
        expect([member, JSON.stringify(value), said]).toEqual([
          member,
          JSON.stringify(value),
          expect.stringMatching(/^(invalid_property|invalid_request|missing_property)$/),
        ])
      }
    }
    expect(await seen(conversation)).toBe(before)
  },
)

/** An empty list of participants, parts or patches is a matter of its own, and lists may hold names. */
const isMeant = (name: OperationName, member: string, value: unknown): boolean =>
  (Array.isArray(value) &&
    ((member === 'participants' && value.every((one) => typeof one === 'string')) ||
      (member === 'patch' && value.length === 0))) ||
  (name === 'create-conversation' && member === 'metadata' && JSON.stringify(value) !== undefined && isTree(value))
const isTree = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(
    ([key, one]) => /^[A-Za-z0-9_-]+$/.test(key) && key !== '__proto__' && (typeof one === 'string' || isTree(one)),
  )

it('124 no prototype knows anything it did not know before', () => {
  for (const name of ['isAdmin', 'sender', 'is_admin', 'app', 'position'])
    expect(({} as Record<string, unknown>)[name]).toBeUndefined()
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(home.logged).toEqual([])
})
