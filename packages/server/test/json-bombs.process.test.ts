/** JSON made to hurt is refused before it has cost anything; text that is only odd comes back as it was. */
import { randomUUID } from 'node:crypto'
import { limits, type OperationName, upFrame } from '@parley/protocol'
import { openSqliteStore, serve, storeFile } from '@parley/server'
import { jsonBombs, oddTexts, unstorableTexts } from '@parley/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decodeJson, parseInput } from '../src/edge/json-input.ts'
import { operations } from '../src/operations/table.ts'
import { Caller } from './layer/support/rest.ts'
import { Person, startTestServer, type TestServer, text } from './support.ts'

let home: TestServer
let alice: Person
beforeAll(async () => {
  home = await startTestServer()
  alice = await home.connect('alice')
})
afterAll(async () => {
  alice.close()
  await home.close()
})

/** What the edge does with a frame before anything else hears of it: the refusal's id, or nothing. */
function look(json: string): string | undefined {
  const decoded = decodeJson(json)
  if ('refusal' in decoded) return decoded.refusal.id
  const frame = parseInput(upFrame, decoded.value)
  if ('refusal' in frame) return frame.refusal.id
  if (frame.input.type !== 'operation') return undefined
  const { schema } = operations[frame.input.name as OperationName]
  const input = parseInput(schema, frame.input.input)
  return 'refusal' in input ? input.refusal.id : undefined
}

/** What it takes when nobody disturbs: others use the machine as well. */
const undisturbed = (values: readonly number[]) => Math.min(...values)

it.each(Object.entries(jsonBombs))('128 %s is refused within 5 ms', async (name, json) => {
  expect(json.length).toBeLessThanOrEqual(limits.maxFrameBytes)
  const took = Array.from({ length: 15 }, () => {
    const startedAt = performance.now()
    expect(look(json)).toMatch(/^(invalid_request|invalid_property|missing_property)$/)
    return performance.now() - startedAt
  })
  console.log(`128 ${name}: ${undisturbed(took).toFixed(2)} ms`)
  expect(undisturbed(took)).toBeLessThan(5)
  // So it is through the door, and the socket goes on.
  const before = alice.heard.length
  alice.socket.send(json)
  alice.say({ type: 'ping' })
  await alice.hear('pong')
  const said = alice.heard
    .slice(before)
    .map((frame) => ('error' in frame ? frame.error : 'refusal' in frame ? frame.refusal : undefined))
  expect(said.filter(Boolean)).toMatchObject([{ id: look(json) }])
  // One socket may send twenty frames that are none; here each bomb gets a fresh count.
  alice.close()
  alice = await home.connect('alice')
})

it('128 nothing of it has touched a prototype, or was logged', () => {
  expect(({} as Record<string, unknown>).a).toBeUndefined()
  expect(home.logged).toEqual([])
})

it.each(Object.entries(unstorableTexts))('128 %s is refused wherever text may be', async (_, odd) => {
  const conversation = randomUUID()
  const ask = async (name: string, input: object, id = randomUUID()) => {
    const answer = await alice.ask(name, input, id)
    return 'refusal' in answer ? answer.refusal.id : 'done'
  }
  expect(
    await ask('create-conversation', { id: conversation, participants: [odd], distinct: false }, conversation),
  ).toBe('invalid_property')
  expect(
    await ask(
      'create-conversation',
      { id: conversation, participants: ['ben'], distinct: false, metadata: { a: odd } },
      conversation,
    ),
  ).toBe('invalid_property')
  expect(
    await ask('create-conversation', { id: conversation, participants: ['ben'], distinct: false }, conversation),
  ).toBe('done')
  const id = randomUUID()
  expect(await ask('send-message', { id, conversation, parts: text(odd) }, id)).toBe('invalid_property')
  expect(
    await ask('send-message', { id, conversation, parts: [{ mime_type: `text/plain;${odd}`, body: '' }] }, id),
  ).toBe('invalid_property')
})

it('128 what is accepted comes back as it was: live, by page, over REST, and after a restart', async () => {
  const texts = Object.values(oddTexts)
  const people = texts.filter((one) => one !== '' && one.length <= 128)
  const mine = await Caller.signIn(home, 'odd', { display_name: oddTexts['families, flags and skins']! })
  const odd = await Person.connect(home.server, mine.token)
  const conversation = randomUUID()
  const metadata = Object.fromEntries(texts.map((one, nth) => [`k${nth}`, one]))
  await odd.create(
    'create-conversation',
    { participants: people.slice(0, 20), distinct: false, metadata },
    conversation,
  )
  for (const one of texts)
    await odd.create('send-message', {
      conversation,
      parts: [{ mime_type: `text/plain; x="${one.slice(0, 20)}"`, body: one }],
    })
  const live = odd.heard.flatMap((frame) => (frame.type === 'change' ? frame.rows : []))
  const bodies = (rows: readonly unknown[]) =>
    (rows as { type: string; position: number; parts: { body: string; mime_type: string }[] }[])
      .filter(({ type }) => type === 'message')
      .sort((a, b) => a.position - b.position)
      .map(({ parts }) => parts[0]!.body)
  expect(bodies(live)).toEqual(texts)
  const check = async (person: Person, rest: Caller['call']) => {
    person.say({ type: 'page', id: 1, conversation: conversation as never, before: null, limit: 250 })
    const { rows } = await person.hear('rows')
    expect(bodies(rows)).toEqual(texts)
    expect(rows.find(({ type }) => type === 'conversation')).toMatchObject({ metadata })
    const names = rows.flatMap((row) => (row.type === 'participant' ? [row.identity.user_id] : []))
    expect(new Set(names)).toEqual(new Set(['odd', ...people.slice(0, 20)]))
    const messages = (await rest('GET', `/conversations/${conversation}/messages`)).body as unknown as {
      parts: { body: string }[]
    }[]
    expect(messages.map(({ parts }) => parts[0]!.body).reverse()).toEqual(texts)
    expect((await rest('GET', `/conversations/${conversation}`)).body).toMatchObject({ metadata })
  }
  await check(odd, (method, path) => mine.call(method, path))
  odd.close()
  const again = await serve(openSqliteStore(storeFile(home.folder)), { development: true })
  const rest: Caller['call'] = async (method, path) => {
    const headers = {
      accept: 'application/vnd.layer+json; version=2.0',
      authorization: `Layer session-token="${mine.token}"`,
    }
    const answer = await fetch(again.url + path, { method, headers })
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as never }
  }
  const back = await Person.connect(again, mine.token)
  await check(back, rest)
  back.close()
  await again.close({ drainMs: 0 })
})
