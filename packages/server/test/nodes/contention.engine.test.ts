/** Several servers that write to one conversation: each has to take note of what the others wrote before it may go on. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { query } from '../fresh-databases.ts'
import { type Person, text } from '../support.ts'
import { Cluster, sleep } from './cluster.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.start(3)
})
afterAll(() => cluster?.close())

interface Sent {
  readonly body: string
  /** Where it was put; undefined if nobody said so. */
  readonly position: number | undefined
  readonly tookMs: number
  /** How often it was told to ask again later. */
  readonly putOff: number
}

/** Sends one after the other, each until it is acknowledged or its server is gone, as a device would. */
async function sends(person: Person, name: string, conversation: string, count: number): Promise<Sent[]> {
  const sent: Sent[] = []
  for (let n = 0; n < count && person.closeCode === undefined; n++) {
    const [id, body, from] = [randomUUID(), `${name} ${n}`, performance.now()]
    let position: number | undefined
    let putOff = 0
    while (position === undefined) {
      const answer = await person
        .ask('send-message', { id, conversation, parts: text(body) }, id)
        .catch(() => undefined)
      if (!answer) break
      if ('result' in answer) position = Number((answer.result as { position: number }).position)
      else {
        putOff++
        await sleep(Number((answer.refusal as { retry_after_ms?: number }).retry_after_ms ?? 100))
      }
    }
    sent.push({ body, position, tookMs: performance.now() - from, putOff })
    if (position === undefined) break
  }
  return sent
}

/** All messages of a conversation, oldest first, as the store has them. */
async function stored(conversation: string): Promise<readonly string[]> {
  const rows = await query(
    cluster.url,
    `SELECT m.parts->0->>'body' AS body FROM parley.messages m WHERE m.conversation = '${conversation}' ORDER BY m.position`,
  )
  return rows.map(({ body }) => String(body))
}

/** Everything that was acknowledged is there once, in each sender's order; nothing is there that nobody sent. */
function check(bodies: readonly string[], by: ReadonlyMap<string, readonly Sent[]>): void {
  expect(new Set(bodies).size).toBe(bodies.length)
  for (const [name, sent] of by) {
    const there = bodies.filter((body) => body.startsWith(`${name} `))
    const acknowledged = sent.filter(({ position }) => position !== undefined)
    expect(there.slice(0, acknowledged.length)).toEqual(acknowledged.map(({ body }) => body))
    // The last one may have been committed though nobody could say so any more.
    expect(sent.length - acknowledged.length).toBeLessThanOrEqual(1)
    expect(there.length).toBeLessThanOrEqual(sent.length)
    const positions = acknowledged.map(({ position }) => position!)
    expect(positions).toEqual([...positions].sort((a, b) => a - b))
  }
}

const quantile = (sent: readonly Sent[], q: number) => {
  const times = sent.map(({ tookMs }) => tookMs).sort((a, b) => a - b)
  return Math.round(times[Math.floor(q * (times.length - 1))]!)
}

async function room(names: readonly string[]) {
  const people = await Promise.all(names.map((name, n) => cluster.connect(cluster.node(n % 3), name)))
  const { id } = await people[0]!.create('create-conversation', { participants: names.slice(1), distinct: false })
  return { people, id }
}

it('36 two servers contend for one conversation: nothing is lost, doubled or reordered, and neither starves', async () => {
  const crowd = Array.from({ length: 8 }, (_, n) => `crowd-${n}`)
  const people = await Promise.all(crowd.map((name) => cluster.connect(cluster.node(0), name)))
  const single = await cluster.connect(cluster.node(1), 'single')
  const participants = [...crowd.slice(1), 'single']
  const { id } = await people[0]!.create('create-conversation', { participants, distinct: false })
  const by = new Map<string, Sent[]>()
  await Promise.all([
    ...people.map(async (person, n) => by.set(crowd[n]!, await sends(person, crowd[n]!, id, 250))),
    sends(single, 'single', id, 200).then((sent) => by.set('single', sent)),
  ])
  check(await stored(id), by)
  const [many, one] = [crowd.flatMap((name) => by.get(name)!), by.get('single')!]
  for (const [name, sent] of Object.entries({ many, one })) {
    const putOff = sent.reduce((sum, each) => sum + each.putOff, 0)
    const [p50, p99, max] = [0.5, 0.99, 1].map((q) => quantile(sent, q))
    console.log(`${name}: ${sent.length} sends, p50 ${p50} ms, p99 ${p99} ms, max ${max} ms, put off ${putOff} times`)
  }
  // Whoever is alone at a server may have to try again more often, but not without end.
  expect(quantile(one, 0.5)).toBeLessThan(5 * quantile(many, 0.5) + 100)
})

it('38 one of three servers is killed while people send at all of them: nothing acknowledged is lost', async () => {
  const names = ['kill-a', 'kill-b', 'kill-c', 'kill-d', 'kill-e', 'kill-f']
  const { people, id } = await room(names)
  const by = new Map<string, Sent[]>()
  const sending = Promise.all(
    people.map(async (person, n) => by.set(names[n]!, await sends(person, names[n]!, id, 200))),
  )
  await sleep(1_500)
  await cluster.node(2).kill()
  await sending
  // The others went on, all the way.
  for (const n of [0, 1, 3, 4])
    expect(by.get(names[n]!)!.filter(({ position }) => position !== undefined)).toHaveLength(200)
  // And those at the one that was killed were in the middle of it.
  expect(by.get(names[2]!)!.length).toBeLessThan(200)
  check(await stored(id), by)
})
