import { expect, test } from 'vitest'
import { BEAT_MS, Peers } from './peers.ts'

const a = (incarnation = 1) => ({ node: 'a', incarnation })
const beats = (peers: Peers, count: number) => Array.from({ length: count }, () => peers.beat()).flat()

test('a node is new once, then known', () => {
  const peers = new Peers()
  expect([peers.hear(a()), peers.hear(a())]).toEqual(['new', 'known'])
  expect(peers.alive).toEqual([a()])
})

test('38 a node that says nothing any more is held for dead within 45 s, once', () => {
  const peers = new Peers()
  peers.hear(a())
  let passed = 0
  while (peers.beat().length === 0) passed += 1
  expect((passed + 1) * BEAT_MS).toBeLessThan(45_000)
  expect((passed + 1) * BEAT_MS).toBeGreaterThan(30_000)
  expect(beats(peers, 20)).toEqual([])
  expect(peers.alive).toEqual([])
})

test('38 who is held for dead is not heard in that life again, and is in the next', () => {
  const peers = new Peers()
  peers.hear(a())
  beats(peers, 20)
  expect([peers.hear(a()), peers.hear(a())]).toEqual(['dead', 'dead'])
  expect(peers.hear(a(2))).toBe('new')
  expect(peers.hear(a(1))).toBe('past')
  expect(peers.hear(a(2))).toBe('known')
})

test('who is heard now and then stays alive; who is quiet for long is worth a worry', () => {
  const peers = new Peers()
  peers.hear(a())
  for (let i = 0; i < 20; i++) {
    expect(beats(peers, 2)).toEqual([])
    expect(peers.isAnybodySilent).toBe(false)
    peers.hear(a())
  }
  beats(peers, 3)
  expect(peers.isAnybodySilent).toBe(true)
  beats(peers, 20)
  expect(peers.isAnybodySilent).toBe(false)
})

test('who said good-bye is gone at once, and late words of theirs are not heard', () => {
  const peers = new Peers()
  peers.hear(a(5))
  expect(peers.left(a(4))).toBe(false)
  expect(peers.left(a(5))).toBe(true)
  expect(peers.left(a(5))).toBe(false)
  expect(peers.hear(a(5))).toBe('dead')
  expect(peers.left({ node: 'never heard', incarnation: 1 })).toBe(false)
})

test('33 ever more nodes do not fill memory', () => {
  const peers = new Peers()
  for (let i = 0; i < 11_000; i++) peers.hear({ node: `n${i}`, incarnation: 1 })
  expect(peers.alive).toHaveLength(10_000)
})
