import type { UserId, Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { AppKey } from '../model/state.ts'
import { Addressees } from './addressees.ts'
import type { From } from './hearer.ts'
import { type Commit, MAX_NAMED_AUDIENCE } from './messages.ts'

const ONE = 1 as AppKey
const chat = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Uuid
const from = (node: string, number: number): From => ({ node, incarnation: 1, life: `${node} 1`, number })
const person = (userId: string, isHere = true) =>
  ({ ...{ app: ONE, userId: userId as UserId, isHere, status: null, at: 1 } }) as const

function commit(audience: readonly string[], inbox?: string): Commit {
  const conversation = { stream: 'conversation' as const, conversation: { id: chat(1) }, after: 4, sequence: 5 }
  return {
    ...{ app: ONE, actor: null, operation: 'send-message', input: {}, cursor: 9, at: 1 },
    moves: [
      { ...conversation, audience: audience as readonly UserId[], rows: [] },
      ...(inbox ? [{ stream: 'inbox' as const, userId: inbox as UserId, after: 0, sequence: 1, rows: [] }] : []),
    ],
  }
}

/** Nodes b and c, of which everything is known; Ben is at the one and Cleo at the other. */
function known() {
  const at: Record<string, string[]> = { ben: ['b 1'], cleo: ['c 1'], here: ['own'] }
  const one = new Addressees({ nodesOf: (_, userId) => at[userId] ?? [], capacity: 3 })
  const everybody = (node: string, number: number, part = 0, isLast = true, ...people: string[]) =>
    one.heard(from(node, number), { type: 'everybody', part, isLast, people: people.map((name) => person(name)) })
  for (const node of ['b', 'c']) {
    one.came(from(node, 1))
    one.beat(`${node} 1`, true)
    everybody(node, 1)
  }
  return { one, at, everybody }
}

describe('a commit', () => {
  it.each<[string, readonly string[] | undefined, Commit]>([
    ['the nodes at which its people are, once each', ['b', 'c'], commit(['ben', 'cleo', 'here', 'nowhere'], 'ben')],
    ['the node of whose inbox moved', ['c'], commit(['nowhere'], 'cleo')],
    ['nobody, if they are all here or nowhere', [], commit(['here', 'nowhere'])],
    [
      'all, if it is of a large conversation',
      undefined,
      commit(Array.from({ length: MAX_NAMED_AUDIENCE + 1 }, () => 'x')),
    ],
  ])('is told to %s', (_, nodes, one) => {
    expect(known().one.of(one, 0)).toEqual(nodes)
  })

  it('is told to all while anybody at a node may be unknown', () => {
    const { one, everybody } = known()
    const nodes = () => one.of(commit(['ben']), 0)
    one.came(from('d', 1))
    expect(nodes()).toBe(undefined)
    one.beat('d 1', true)
    expect(nodes()).toBe(undefined)
    everybody('d', 2, 0, false)
    expect(nodes()).toBe(undefined)
    everybody('d', 3, 1, true)
    expect(nodes()).toEqual(['b'])
    one.missed(from('c', 2))
    expect([nodes(), one.knownOf('c 1', 0)]).toEqual([undefined, undefined])
    // Its second part was lost: that is no list of all.
    everybody('c', 4, 0, false)
    one.missed(from('c', 5))
    everybody('c', 6, 1, true)
    expect(nodes()).toBe(undefined)
    everybody('c', 7)
    expect([nodes(), one.knownOf('c 1', 0)?.number]).toEqual([['b'], 7])
  })

  it('is told to all while there is a node of the version before, or no other that is known', () => {
    const { one } = known()
    one.beat('c 1', false)
    expect(one.of(commit(['ben']), 0)).toBe(undefined)
    one.gone('c 1')
    expect(one.of(commit(['ben']), 0)).toEqual(['b'])
    one.gone('b 1')
    expect(one.of(commit(['ben']), 0)).toBe(undefined)
  })
})

describe('who is found to have come', () => {
  const arrive = (one: Addressees, now: number) => {
    one.heard(from('c', 2), { type: 'person', ...person('ben') })
    return one.takeMissed(now).map(([node, hints]) => [node, hints.map(({ cursor, moves }) => [cursor, moves])])
  }

  it('is told what was committed a moment ago and not told there, without its rows', () => {
    const { one } = known()
    one.of(commit(['ben']), 100)
    one.of(commit(['cleo', 'ben']), 100)
    const move = { stream: 'conversation', id: chat(1), after: 4, sequence: 5, audience: ['ben'], rows: null }
    expect(arrive(one, 200)).toEqual([['c', [[9, [move]]]]])
    expect(one.takeMissed(200)).toEqual([])
    expect(one.knownOf('c 1', 200)).toEqual({ number: 2, reachesMs: 1_000 })
  })

  it('is told nothing of long ago, nor of what was forgotten, and that is said', () => {
    const { one } = known()
    one.of(commit(['ben']), 100)
    expect(arrive(one, 1_200)).toEqual([])
    for (const _ of [1, 2, 3]) one.of(commit(['here']), 1_300)
    expect(one.knownOf('c 1', 1_400)?.reachesMs).toBe(1_000)
    one.of(commit(['here']), 1_350)
    expect(one.knownOf('c 1', 1_400)?.reachesMs).toBe(100)
  })
})
