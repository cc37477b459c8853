import type { UserId, Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { TestNodes } from '../../test/bus-nodes.ts'
import type { AppKey } from '../model/state.ts'
import { Exchange } from './exchange.ts'
import type { Commit } from './messages.ts'
import { Seal } from './seal.ts'

const chat = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Uuid
const ended = (n: number) => ({ type: 'session-ended' as const, session: chat(n), at: 1 })
const commit = (n: number, audience: readonly UserId[] = []): Commit => ({
  ...{
    app: 1 as AppKey,
    actor: null,
    operation: 'delete-message',
    input: { text: 'x'.repeat(12_000) },
    cursor: 1,
    at: 1,
  },
  moves: [{ stream: 'conversation', conversation: { id: chat(n) }, after: 0, sequence: 1, audience, rows: [] }],
})

type Node = ReturnType<TestNodes['start']>
function ears({ exchange }: Node) {
  const heard: string[] = []
  exchange.on('session-ended', ({ session }, { node }) => heard.push(`${node}: ended ${Number(session.slice(-4))}`))
  exchange.on('committed', ({ moves }, { node }) => {
    const [move] = moves
    heard.push(`${node}: ${move?.stream === 'conversation' ? Number(move.id.slice(-4)) : '?'}`)
  })
  exchange.onDoubt(({ reason }) => heard.push(reason))
  exchange.onGone((life) => heard.push(`gone ${life.split(' ')[0]}`))
  exchange.onReliability((isReliable) => heard.push(isReliable ? 'reliable' : 'unreliable'))
  exchange.onNewLife(() => heard.push('new life'))
  return heard
}

async function twoNodes() {
  const nodes = new TestNodes()
  const [a, b] = [nodes.start('a'), nodes.start('b')]
  await nodes.clock.advance(10)
  return { nodes, a, b }
}

describe('what nodes say to each other', () => {
  it('is heard by kind, with who said it', async () => {
    const { nodes, a, b } = await twoNodes()
    const heard = ears(b)
    a.exchange.say(ended(1))
    a.exchange.commits([commit(2)])
    await nodes.clock.advance(10)
    expect(heard.sort()).toEqual(['a: 2', 'a: ended 1'])
    expect([a.exchange.others, b.exchange.others]).toEqual([[b.exchange.own], [a.exchange.own]])
  })

  it('in one turn of the event loop travels as one, and is split where it is too much', async () => {
    const { nodes, a, b } = await twoNodes()
    const heard = ears(b)
    const before = a.bus.counts.published
    for (let n = 0; n < 100; n++) a.exchange.say(ended(n))
    await nodes.clock.advance(10)
    expect([a.bus.counts.published - before, heard.length]).toEqual([1, 100])
    a.exchange.commits(Array.from({ length: 100 }, (_, n) => commit(n)))
    await nodes.clock.advance(10)
    expect([a.bus.counts.published - before, heard.length]).toEqual([4, 200])
    expect(heard).not.toContain('missing')
  })

  it('about streams may be spread over partitions, the same stream always on the same', async () => {
    const nodes = new TestNodes()
    const [a, b] = [nodes.start('a', { partitions: 4 }), nodes.start('b', { partitions: 4 })]
    await nodes.clock.advance(10)
    const channels = new Map<string, Set<number>>()
    for (let partition = 0; partition < 4; partition++) {
      b.bus.subscribe(`changes.${partition}`, () => channels.set(`${partition}`, new Set()))
    }
    const heard = ears(b)
    for (let n = 0; n < 50; n++) {
      a.exchange.commits([commit(n)])
      a.exchange.commits([commit(n)])
    }
    await nodes.clock.advance(10)
    expect(heard).toHaveLength(100)
    expect(channels.size).toBe(4)
  })

  it('while the bus is away is not said, and later known to have been missed', async () => {
    const { nodes, a, b } = await twoNodes()
    const [atA, atB] = [ears(a), ears(b)]
    a.bus.cut()
    a.exchange.commits([commit(1)])
    await nodes.clock.advance(1)
    expect(a.exchange.counts.unsaid).toBe(1)
    a.bus.heal()
    await nodes.clock.advance(10)
    expect(atA).toEqual(['unreliable', 'reliable', 'reconnected'])
    expect(atB).toEqual(['missing'])
  })
})

describe('what is lost', () => {
  it('is known before the next is told, or with the next sign of life', async () => {
    const { nodes, a, b } = await twoNodes()
    const heard = ears(b)
    nodes.network.suffer({ dropped: 1 })
    a.exchange.commits([commit(1)])
    await nodes.clock.advance(1)
    nodes.network.suffer({})
    a.exchange.commits([commit(2)])
    await nodes.clock.advance(10)
    expect(heard).toEqual(['missing', 'a: 2'])
    nodes.network.suffer({ dropped: 1 })
    a.exchange.commits([commit(3)])
    await nodes.clock.advance(1)
    nodes.network.suffer({})
    await nodes.clock.advance(6_000)
    expect(heard.slice(2)).toEqual(['missing'])
  })

  it('what a node of another version said, and this one cannot read, is taken for lost', async () => {
    const { nodes, a, b } = await twoNodes()
    const heard = ears(b)
    const other = nodes.network.join()
    const say = (number: number, text: string) => {
      const seal = new Seal('secret')
      const whole = `{"node":"c","incarnation":1,"number":${number},"messages":[]}${text}`
      other.publish('nodes', seal.seal('nodes', whole))
    }
    for (const [number, text] of [
      [1, ''],
      [2, 'of tomorrow'],
      [3, ''],
    ] as const)
      say(number, text)
    await nodes.clock.advance(10)
    expect(heard).toEqual(['new-node', 'missing'])
    expect(b.exchange.counts).toMatchObject({ malformed: 1, missing: 1 })
    expect(a.exchange.counts.malformed).toBe(1)
  })

  it('is nothing if it was only doubled', async () => {
    const { nodes, a, b } = await twoNodes()
    nodes.network.suffer({ doubled: 1 })
    const heard = ears(b)
    a.exchange.commits([commit(1)])
    await nodes.clock.advance(10)
    expect(heard).toEqual(['a: 1'])
    expect(b.exchange.counts.repeated).toBe(1)
  })
})

describe('a node', () => {
  it('that says good-bye is gone at once', async () => {
    const { nodes, a, b } = await twoNodes()
    const heard = ears(b)
    await a.exchange.close()
    await a.exchange.close()
    await nodes.clock.advance(10)
    expect(heard).toEqual(['gone a'])
    await nodes.clock.advance(60_000)
    expect(heard).toEqual(['gone a'])
    expect(a.exchange.counts.past).toBe(0)
  })

  it('38 that dies is gone within 45 s, and the bus is not relied on until then', async () => {
    const { nodes, a, b } = await twoNodes()
    const heard = ears(b)
    await a.stop()
    await nodes.clock.advance(45_000)
    expect(heard).toEqual(['unreliable', 'gone a', 'reliable'])
  })

  it('38 that slept for so long that it was held for dead comes back in a new life, and knows that it slept', async () => {
    const { nodes, a, b } = await twoNodes()
    const [atA, atB] = [ears(a), ears(b)]
    const before = a.exchange.own
    a.clock.isPaused = true
    a.bus.cut()
    await nodes.clock.advance(60_000)
    expect(atB).toEqual(['unreliable', 'gone a', 'reliable'])
    a.bus.heal()
    a.clock.isPaused = false
    await nodes.clock.advance(1_000)
    expect(atA).toContain('slept')
    expect(atA).toContain('new life')
    expect(a.exchange.own.incarnation).toBeGreaterThan(before.incarnation)
    expect(atB.slice(3)).toContain('new-node')
    // It holds nobody for dead itself.
    expect(atA.filter((said) => said.startsWith('gone'))).toEqual([])
    atB.length = 0
    a.exchange.say(ended(7))
    await nodes.clock.advance(10)
    expect(atB).toEqual(['a: ended 7'])
  })

  it('38 does not say in its new life what it was about to say in the one before, but for what was committed', async () => {
    const { nodes, a, b } = await twoNodes()
    const heard = ears(b)
    a.clock.isPaused = true
    a.bus.cut()
    await nodes.clock.advance(60_000)
    a.bus.heal()
    a.clock.isPaused = false
    const { own } = a.exchange
    const arrive = a.bus.arrive.bind(a.bus)
    // In the same turn in which it will hear that it was held for dead.
    a.bus.arrive = (...message) => {
      if (a.exchange.own === own) {
        a.exchange.say(ended(7))
        a.exchange.commits([commit(8)])
      }
      arrive(...message)
    }
    await nodes.clock.advance(1_000)
    expect(heard).toContain('new-node')
    expect(new Set(heard.filter((said) => said.startsWith('a: ')))).toEqual(new Set(['a: 8']))
  })

  it('38 that does not hear that it was held for dead is told again', async () => {
    const { nodes, a, b } = await twoNodes()
    const heard = ears(b)
    a.clock.isPaused = true
    a.bus.cut()
    await nodes.clock.advance(50_000)
    const { arrive } = a.bus
    a.bus.arrive = () => undefined
    a.bus.heal()
    a.clock.isPaused = false
    await nodes.clock.advance(9_000)
    expect(b.exchange.counts.past).toBeGreaterThan(1)
    expect(heard).not.toContain('new-node')
    a.bus.arrive = arrive
    await nodes.clock.advance(6_000)
    expect(heard).toContain('new-node')
  })

  it('that was started anew under its old name has a new life; the old one is over', async () => {
    const { nodes, a, b } = await twoNodes()
    const heard = ears(b)
    await a.stop()
    await nodes.clock.advance(100)
    const again = nodes.start('a')
    await nodes.clock.advance(100)
    expect(heard).toEqual(['gone a', 'new-node'])
    again.exchange.say(ended(1))
    await nodes.clock.advance(10)
    expect(heard.slice(2)).toEqual(['a: ended 1'])
  })

  it('whose clock stepped back before it was started anew is told so, and heard after all', async () => {
    const nodes = new TestNodes()
    const b = nodes.start('b')
    await nodes.clock.advance(10)
    const a = nodes.start('a')
    await nodes.clock.advance(100)
    await a.stop()
    const clock = { now: () => 5, after: nodes.clock.after }
    const soon = (callback: () => void) => void nodes.clock.after(0, callback)
    const log = () => undefined
    const bus = nodes.network.join()
    const again = new Exchange({ bus, clock, elapsed: nodes.clock.now, secret: 'secret', node: 'a', log, soon })
    const heard = ears(b)
    await nodes.clock.advance(100)
    expect(again.own.incarnation).toBeGreaterThan(a.exchange.own.incarnation)
    expect(heard).toContain('new-node')
  })

  it('that bears our own name is complained about', async () => {
    const nodes = new TestNodes()
    nodes.start('a')
    await nodes.clock.advance(10)
    nodes.start('a')
    await nodes.clock.advance(10_000)
    expect(nodes.logged).toContain('another node bears the name of this one')
  })

  it('needs a name that can be told', () => {
    const nodes = new TestNodes()
    for (const name of ['', 'a b', 'x'.repeat(65), 'a"']) expect(() => nodes.start(name)).toThrow(/name of a node/)
  })
})

it('33 commits of a node that is held for dead are heard all the same: they are in the store', async () => {
  const { nodes, a, b } = await twoNodes()
  const heard = ears(b)
  a.clock.isPaused = true
  a.bus.cut()
  await nodes.clock.advance(50_000)
  a.bus.heal()
  a.bus.arrive = () => undefined
  a.exchange.commits([commit(1)])
  a.exchange.say(ended(1))
  await nodes.clock.advance(10)
  expect(heard).toContain('a: 1')
  expect(heard).not.toContain('a: ended 1')
})
