/** What a real server tells Prometheus of what real people did. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp, type ParleyApp, type ParleyServer, parley, startParley } from '@parley/testkit'
import { createIdentityTokenMinter, type IdentityTokenMinter } from '@parley/token'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ACCEPT, Person, text } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-metrics-'))
let server: ParleyServer
let app: ParleyApp
let minter: IdentityTokenMinter
const people: Person[] = []
let figures: Map<string, number>

beforeAll(async () => {
  server = await startParley({ dataFolder: folder, args: ['--metrics-port', '0'] })
  app = await createApp(folder)
  const { providerId, keyId, privateKeyPem: privateKey } = app
  minter = await createIdentityTokenMinter({ providerId, keyId, privateKey })
  await talk()
  figures = await scrape(server)
})
afterAll(async () => {
  for (const person of people) person.close()
  await server?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Everything a scrape says, by name and labels as they are written. */
async function scrape({ metricsUrl }: ParleyServer): Promise<Map<string, number>> {
  const answer = await (await fetch(metricsUrl!)).text()
  const lines = answer.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

async function post(path: string, body: unknown) {
  const headers = { accept: ACCEPT, 'content-type': 'application/json' }
  const answer = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await answer.json()) as Record<string, string>
}

async function signIn(userId: string, alter = (token: string) => token) {
  const { nonce = '' } = await post('/nonces', {})
  const identityToken = alter(await minter.mint({ userId, nonce }))
  const { session_token: token } = await post('/sessions', { identity_token: identityToken, app_id: app.appId })
  return token
}

async function connect(userId: string) {
  const person = await Person.connect(server as never, (await signIn(userId))!)
  people.push(person)
  return person
}

/** Two people: a conversation, seven messages, one of them sent twice, one to nowhere, a look back, and another device. */
async function talk() {
  await signIn('mallory', (token) => `${token.slice(0, -6)}AAAAAA`)
  const alice = await connect('alice')
  const ben = await connect('ben')
  const { id: conversation } = await alice.create('create-conversation', { participants: ['ben'], distinct: false })
  const say = (body: string, id?: string) => alice.create('send-message', { conversation, parts: text(body) }, id)
  for (const body of ['1', '2', '3', '4', '5', '6']) await say(body)
  const { id } = await say('7')
  await say('7', id)
  const nowhere = crypto.randomUUID()
  await alice.ask('send-message', { id: nowhere, conversation: crypto.randomUUID(), parts: text('lost') }, nowhere)
  ben.say({ type: 'pull', id: 1, streams: [{ stream: `layer:///conversations/${conversation}` as never, after: 0 }] })
  await ben.hear('rows')
  people.push(await Person.connect(server as never, ben.token))
}

describe('figures of a server after a conversation', () => {
  it.each([
    ['parley_ready', 1],
    ['parley_connections{dialect="native"}', 3],
    ['parley_connections_opened_total{dialect="native"}', 3],
    ['parley_connections{dialect="layer"}', 0],
    ['parley_sign_ins_total{outcome="opened"}', 2],
    ['parley_sign_ins_total{outcome="eit_signature_verification_failed"}', 1],
    ['parley_operations_total{operation="open-session",outcome="unchanged"}', 2],
    ['parley_operations_total{operation="create-conversation",outcome="done"}', 1],
    ['parley_operations_total{operation="send-message",outcome="done"}', 7],
    ['parley_operations_total{operation="send-message",outcome="unchanged"}', 1],
    ['parley_operations_total{operation="send-message",outcome="not_found"}', 1],
    ['parley_operation_seconds_count', 12],
    ['parley_batch_operations_sum', 12],
    ['parley_catch_up_reads_total{kind="pull"}', 1],
    ['parley_http_requests_total{method="POST",route="/sessions",status="201"}', 2],
    ['parley_operations_turned_away_total', 0],
    ['parley_lane_waiting', 0],
    ['parley_lane_oldest_wait_seconds', 0],
    ['parley_store_calls_under_way', 0],
  ])('%s is %d', (name, value) => {
    expect(figures.get(name)).toBe(value)
  })

  it.each(['grafana/parley.json', 'prometheus/alerts.yml'])('has every figure that deploy/%s names', async (file) => {
    const named = readFileSync(new URL(`../../../deploy/${file}`, import.meta.url), 'utf8')
    const names = new Set(named.match(/\b(parley|nodejs|process)_[a-z0-9_]+/g))
    expect(names.size).toBeGreaterThan(10)
    const shown = await (await fetch(server.metricsUrl!)).text()
    const families = new Map([...shown.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]))
    const isShown = (name: string) =>
      families.has(name) || families.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram'
    expect([...names].filter((name) => !isShown(name))).toEqual([])
  })

  it('the one who came back was told what moved', () => {
    const told = ['memory', 'store'].map((from) => figures.get(`parley_arrivals_total{from="${from}"}`) ?? 0)
    expect(told.sort()).toEqual([0, 1])
  })

  it('both people heard of each message, and both threads of the store were at work', () => {
    expect(figures.get('parley_changes_delivered_total')).toBeGreaterThanOrEqual(14)
    expect(figures.get('parley_store_call_seconds_count{call="log.commit"}')).toBeGreaterThanOrEqual(10)
    expect(figures.get('parley_store_thread_busy_seconds_total{thread="writer"}')).toBeGreaterThan(0)
    expect(figures.get('parley_store_thread_busy_seconds_total{thread="reader"}')).toBeGreaterThan(0)
    expect(figures.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(figures.has('nodejs_eventloop_lag_p99_seconds')).toBe(true)
  })

  it('no label holds anybody’s id', () => {
    const labels = [...figures.keys()].join('\n')
    const appId = app.appId.split('/').at(-1)!
    for (const secret of ['alice', 'ben', 'mallory', appId, ...people.map(({ token }) => token)]) {
      expect(labels).not.toContain(secret)
    }
    expect(labels).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/)
  })

  it('the public door shows none', async () => {
    expect((await fetch(`${server.url}/metrics`, { headers: { accept: ACCEPT } })).status).toBe(404)
    expect(new URL(server.metricsUrl!).hostname).toBe('127.0.0.1')
    expect((await fetch(new URL('/', server.metricsUrl))).status).toBe(404)
  })
})

it('a port for figures that is taken is told in one sentence', async () => {
  const port = new URL(server.metricsUrl!).port
  const second = parley(['serve', '--port', '0', '--data', join(folder, 'other'), '--metrics-port', port])
  expect((await second.exit).code).toBe(1)
  expect(second.lines).toEqual([`parley: Port ${port} of 127.0.0.1 is taken. Choose another: --metrics-port.`])
})
