import { describe, expect, it } from 'vitest'
import { CONFIRM_MS, Confirmations } from './confirmations.ts'

const ALIKE = { isAlike: true, isAware: true }

/** Two others that know everything said up to number 1. */
function confirmed() {
  const one = new Confirmations()
  one.said(1, 0)
  for (const life of ['a 1', 'b 1']) {
    one.came(life, 0)
    one.beat(life, ALIKE, 0)
    expect(one.known(life, { number: 1, reachesMs: 1_000 }, 1)).toBe(true)
  }
  return one
}

describe('who came here', () => {
  it('is known in time, of all that was committed since: there is nothing to doubt', () => {
    const one = confirmed()
    one.said(2, 100)
    expect(one.known('a 1', { number: 2, reachesMs: 1_000 }, 150)).toBe(false)
    expect(one.known('b 1', { number: 2, reachesMs: 50 }, 150)).toBe(false)
    expect(one.isLate(100 + CONFIRM_MS * 2)).toBe(false)
  })

  it('is known later than what is remembered reaches back: a doubt, once', () => {
    const one = confirmed()
    one.said(2, 100)
    expect(one.known('a 1', { number: 2, reachesMs: 49 }, 150)).toBe(true)
    expect(one.known('a 1', { number: 2, reachesMs: 0 }, 200)).toBe(false)
    one.said(3, 1_000)
    one.said(4, 2_000)
    expect(one.known('a 1', { number: 4, reachesMs: 500 }, 2_100)).toBe(true)
  })

  it('is not known by somebody for long: hints are not to be relied on until they are', () => {
    const one = confirmed()
    one.said(2, 100)
    one.known('a 1', { number: 2, reachesMs: 1_000 }, 110)
    expect([one.isLate(100 + CONFIRM_MS), one.isLate(101 + CONFIRM_MS)]).toEqual([false, true])
    one.known('b 1', { number: 2, reachesMs: 10_000 }, 5_000)
    expect(one.isLate(60_000)).toBe(false)
  })
})

describe('another node', () => {
  it('is a doubt when it first knows who is here, and is waited for as long as any', () => {
    const one = confirmed()
    one.came('c 1', 1_000)
    one.beat('c 1', ALIKE, 1_000)
    expect([one.isLate(1_000 + CONFIRM_MS), one.isLate(1_001 + CONFIRM_MS)]).toEqual([false, true])
    expect(one.known('c 1', { number: 1, reachesMs: 1e9 }, 6_000)).toBe(true)
    expect(one.isLate(60_000)).toBe(false)
  })

  it('that tells everything, as the version before does, has nothing to know', () => {
    const one = confirmed()
    one.came('c 1', 1_000)
    one.beat('c 1', { isAlike: false, isAware: false }, 1_000)
    one.said(2, 1_000)
    for (const life of ['a 1', 'b 1']) one.known(life, { number: 2, reachesMs: 1_000 }, 1_010)
    expect(one.isLate(60_000)).toBe(false)
    expect(one.gone('c 1')).toBe(false)
  })

  it('that went without knowing who came may have kept something to itself', () => {
    const one = confirmed()
    one.said(2, 100)
    one.known('a 1', { number: 2, reachesMs: 1_000 }, 110)
    expect([one.gone('a 1'), one.gone('b 1'), one.gone('b 1')]).toEqual([false, true, false])
    expect(one.isLate(60_000)).toBe(false)
  })

  it('that forgot who is here, as one that held this node for dead, has to know it anew', () => {
    const one = confirmed()
    one.beat('a 1', { isAlike: true, isAware: false }, 2_000)
    expect(one.isLate(2_001 + CONFIRM_MS)).toBe(true)
    expect(one.known('a 1', { number: 1, reachesMs: 1e9 }, 9_000)).toBe(true)
  })
})

it('in a new life of this node nobody knows who is here', () => {
  const one = confirmed()
  one.reborn(1_000)
  expect(one.isLate(1_001 + CONFIRM_MS)).toBe(true)
  one.said(1, 1_000)
  expect(['a 1', 'b 1'].map((life) => one.known(life, { number: 1, reachesMs: 1e9 }, 1_010))).toEqual([true, true])
  expect(one.isLate(60_000)).toBe(false)
})
