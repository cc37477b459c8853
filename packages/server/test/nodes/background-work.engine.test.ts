/** Work that only one server need do is done by one, and by another when that one is killed. */

import { until } from '@parley/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { query } from '../fresh-databases.ts'
import { Cluster, sleep } from './cluster.ts'

/** A claim runs out after 30 s, and is asked for every 10 s. */
const TAKEN_OVER_MS = 45_000

let cluster: Cluster
beforeAll(async () => {
  cluster = await Cluster.start(2)
})
afterAll(() => cluster?.close())

const holder = async () => {
  const [row] = await query(cluster.url, `SELECT c.holder FROM parley.claims c WHERE c.work = 'pruning'`)
  return row && cluster.nodes.find(({ pid }) => String(row.holder).includes(`-${pid}-`))
}
const remembered = async () => {
  const [row] = await query(cluster.url, 'SELECT count(*)::int AS count FROM parley.operations WHERE at < 1000')
  return Number(row!.count)
}

it('38 two servers, one prunes; it is killed, and the other prunes within 45 s', async () => {
  await query(
    cluster.url,
    `INSERT INTO parley.operations SELECT 1, 'ann', gen_random_uuid(), 'x', n FROM generate_series(1, 100) n`,
  )
  await until(async () => (await holder()) !== undefined, 'one of them does it')
  const first = (await holder())!
  // The other one has asked for it by then, more than once.
  await sleep(22_000)
  expect(await holder()).toBe(first)
  expect(await remembered()).toBe(100)
  const from = performance.now()
  await first.kill()
  await until(async () => (await holder()) !== first, 'the other took over', TAKEN_OVER_MS)
  const second = (await holder())!
  expect(cluster.nodes.filter((node) => node !== first)).toContain(second)
  await until(async () => (await remembered()) === 0, 'it was pruned', 5_000)
  console.log(`pruned by the other ${Math.round((performance.now() - from) / 1_000)} s after the first was killed`)
  expect(second.lines.join('\n')).toContain('work of another server is done here from now on')
})
