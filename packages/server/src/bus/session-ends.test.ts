import type { UserId, Uuid } from '@parley/protocol'
import { expect, test } from 'vitest'
import { TestNodes } from '../../test/bus-nodes.ts'
import type { AppKey } from '../model/state.ts'
import type { SessionMessage } from './revocations.ts'
import { SessionEnds } from './session-ends.ts'

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Uuid

function node(nodes: TestNodes, name: string) {
  const { exchange, bus, clock } = nodes.start(name)
  const heard: { readonly message: SessionMessage; readonly at: number }[] = []
  const ends = new SessionEnds({
    ...{ exchange, clock, elapsed: nodes.clock.now },
    heard: (message) => heard.push({ message, at: nodes.clock.now() }),
  })
  return { ends, heard, bus }
}

test('39 what ends at one node ends at the others within a second, though a third of all is lost', async () => {
  const nodes = new TestNodes(3)
  const [a, b, c] = [node(nodes, 'a'), node(nodes, 'b'), node(nodes, 'c')]
  await nodes.clock.advance(10)
  nodes.network.suffer({ dropped: 0.3, doubled: 0.3, reordered: 0.3 })
  const at = nodes.clock.now()
  for (let n = 1; n <= 20; n++) a.ends.happened({ type: 'session-ended', session: id(n), at })
  a.ends.happened({ type: 'sessions-ended', app: 1 as AppKey, userId: 'ada' as UserId, at })
  a.ends.happened({ type: 'session-renewed', session: id(50), expiresAt: at + 1_000 })
  await nodes.clock.advance(1_000)
  expect([a.heard.length, b.heard.length, c.heard.length]).toEqual([0, 22, 22])
  const session = { id: id(7), app: 1 as AppKey, userId: 'ben' as UserId, createdAt: at }
  expect([b.ends.isEnded(session), b.ends.isEnded({ ...session, id: id(70) })]).toEqual([true, false])
})

test('while the bus is away nothing is heard: the store is looked at for that', async () => {
  const nodes = new TestNodes()
  const [a, b] = [node(nodes, 'a'), node(nodes, 'b')]
  await nodes.clock.advance(10)
  b.bus.cut()
  a.ends.happened({ type: 'session-ended', session: id(1), at: 1 })
  await nodes.clock.advance(2_000)
  expect(b.heard).toEqual([])
})
