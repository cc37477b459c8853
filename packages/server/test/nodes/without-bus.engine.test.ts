/** What servers on one store do while they cannot hear each other: look into the store. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type Person, text } from '../support.ts'
import { Cluster, readiness, sleep } from './cluster.ts'

/** The longest that anybody may wait for what another server committed. */
const LATE_MS = 5_000

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.start(2)
})
afterEach(() => cluster.leave())
afterAll(() => cluster?.close())

async function talks(ann: Person, ben: Person, conversation: string, count: number): Promise<number> {
  let longest = 0
  for (let n = 0; n < count; n++) {
    const body = `m${n} ${Math.random()}`
    await ann.create('send-message', { conversation, parts: text(body) })
    const from = performance.now()
    await ben.hear('change', ({ rows }) => rows.some((row) => row.type === 'message' && row.parts[0]!.body === body))
    longest = Math.max(longest, performance.now() - from)
    await sleep(300)
  }
  return longest
}

it('29 NATS is killed: sends are acknowledged, others are told within 5 s, and at once when it is back', async () => {
  const [ann, ben] = [await cluster.connect(cluster.node(0), 'ann'), await cluster.connect(cluster.node(1), 'ben')]
  const { id } = await ann.create('create-conversation', { participants: ['ben'], distinct: false })
  await cluster.nats.kill()
  expect(await talks(ann, ben, id, 5)).toBeLessThan(LATE_MS)
  for (const node of cluster.nodes) {
    expect(await readiness(node)).toMatchObject({ code: 200, status: 'ready', bus: 'degraded', degraded: true })
  }
  await cluster.nats.restart()
  await cluster.settled()
  expect(await talks(ann, ben, id, 3)).toBeLessThan(1_500)
  // A sign of life may still tell of what was said while nobody could hear it: that is looked up, and is over then.
  await cluster.settled()
  expect(await readiness(cluster.node(0))).toMatchObject({ bus: 'connected' })
})

it('29 a server that was given no bus hears of what others commit as well, a little later, and says so', async () => {
  const alone = await cluster.join({ bus: '' })
  expect(await readiness(alone)).toMatchObject({ code: 200, bus: 'none', degraded: true })
  expect(alone.lines.join('\n')).toMatch(/other servers on this store have a bus: .*Give the same bus to all of them/)
  const [cleo, dan] = [await cluster.connect(cluster.node(0), 'cleo'), await cluster.connect(alone, 'dan')]
  const { id } = await cleo.create('create-conversation', { participants: ['dan'], distinct: false })
  expect(await talks(cleo, dan, id, 2)).toBeLessThan(LATE_MS)
})

it('29 a server with a bus says that another was given none', async () => {
  const without = await cluster.join({ bus: '' })
  const joined = await cluster.join()
  const [line] = await joined.line(/^.*other servers on this store have no bus: .*Give the same bus to all of them.*$/)
  expect(JSON.parse(line!).pids).toContain(without.pid)
})
