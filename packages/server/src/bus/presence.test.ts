import type { UserId } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { AppKey } from '../model/state.ts'
import type { PersonAtNode } from './messages.ts'
import { Presence } from './presence.ts'

const ONE = 1 as AppKey
const name = (userId: string, app = ONE) => ({ app, userId: userId as UserId })
const here = (userId: string, at = 100, status: string | null = null, app = ONE): PersonAtNode => ({
  ...name(userId, app),
  ...{ isHere: true, status, at },
})
const gone = (userId: string, at = 200): PersonAtNode => ({ ...name(userId), isHere: false, status: null, at })
const all = (people: PersonAtNode[], part = 0, isLast = true) => ({ type: 'everybody' as const, part, isLast, people })

describe('whoever has a connection anywhere', () => {
  it('is here, until the last of their nodes let them go', () => {
    const presence = new Presence('own')
    expect(presence.hear('b', 1, here('ada'))).toEqual([name('ada')])
    expect(presence.hear('c', 1, here('ada'))).toEqual([])
    expect(presence.hear('b', 2, gone('ada', 150))).toEqual([])
    expect(presence.of(name('ada')).isHere).toBe(true)
    expect(presence.hear('c', 2, gone('ada', 170))).toEqual([name('ada')])
    expect(presence.of(name('ada'))).toEqual({ isHere: false, status: null, saidAt: 0, seenAt: 170 })
  })

  it('is what they said last, at whichever node', () => {
    const presence = new Presence('own')
    presence.own(here('ada', 100, 'busy'))
    expect(presence.of(name('ada')).status).toBe('busy')
    expect(presence.hear('b', 1, here('ada', 200, 'away'))).toEqual([name('ada')])
    expect(presence.of(name('ada')).status).toBe('away')
    expect(presence.hear('b', 2, gone('ada'))).toEqual([name('ada')])
    expect(presence.of(name('ada')).status).toBe('busy')
  })

  it('is known by app and user id', () => {
    const presence = new Presence('own')
    presence.hear('b', 1, here('ada', 100, null, 2 as AppKey))
    expect(presence.of(name('ada')).isHere).toBe(false)
    expect(presence.of(name('nobody'))).toEqual({ isHere: false, status: null, saidAt: 0, seenAt: 0 })
  })
})

describe('this node says', () => {
  it('what changed, and nothing else', () => {
    const presence = new Presence('own')
    expect(presence.own(gone('ada'))).toBe(null)
    expect(presence.own(here('ada'))).toEqual({ type: 'person', ...here('ada') })
    expect(presence.own(here('ada', 150))).toBe(null)
    expect(presence.own(here('ada', 150, 'busy'))).toMatchObject({ status: 'busy' })
    expect(presence.own(gone('ada'))).toEqual({ type: 'person', ...gone('ada') })
  })

  it('who is here at all, in parts', () => {
    const presence = new Presence('own')
    expect(presence.everybodyHere()).toEqual([all([])])
    for (let i = 0; i < 2_500; i++) presence.own(here(`user ${i}`))
    presence.hear('b', 1, here('elsewhere'))
    presence.own(gone('user 7'))
    const parts = presence.everybodyHere()
    expect(parts.map(({ part, isLast, people }) => [part, isLast, people.length])).toEqual([
      [0, false, 1_000],
      [1, false, 1_000],
      [2, true, 499],
    ])
    const other = new Presence('other')
    for (const [i, part] of parts.entries())
      expect(other.hearEverybody('own', 5 + i, part)).toHaveLength(part.people.length)
    expect(other.everybodyHere()).toEqual([all([])])
    expect(other.of(name('user 2499')).isHere).toBe(true)
  })
})

describe('words that come late', () => {
  it('count for nothing', () => {
    const presence = new Presence('own')
    presence.hear('b', 2, gone('ada'))
    expect(presence.hear('b', 1, here('ada'))).toEqual([])
    presence.hear('b', 4, here('ada', 300, 'busy'))
    expect(presence.hear('b', 3, gone('ada'))).toEqual([])
    expect(presence.of(name('ada'))).toMatchObject({ isHere: true, status: 'busy' })
  })
})

describe('everybody at a node', () => {
  it('replaces who was there, but not who came since it began to tell', () => {
    const presence = new Presence('own')
    presence.hear('b', 1, here('old'))
    presence.hear('b', 2, here('both'))
    presence.hear('b', 7, here('new'))
    expect(presence.hearEverybody('b', 5, all([here('both'), here('told')]))).toEqual([name('told'), name('old')])
    expect(['old', 'both', 'told', 'new'].map((user) => presence.of(name(user)).isHere)).toEqual([
      false,
      true,
      true,
      true,
    ])
  })

  it('of which a part was lost takes nobody away', () => {
    const presence = new Presence('own')
    presence.hear('b', 1, here('old'))
    presence.hearEverybody('b', 5, all([here('a')], 0, false))
    presence.hearEverybody('b', 7, all([here('c')], 2, true))
    expect(presence.of(name('old')).isHere).toBe(true)
    expect(presence.of(name('c')).isHere).toBe(true)
  })
})

describe('38 a node that is gone', () => {
  it('takes its people with it, who were seen last when it went', () => {
    const presence = new Presence('own')
    presence.own(here('cleo'))
    presence.hear('b', 1, here('ada'))
    presence.hear('b', 2, here('ben', 900))
    presence.hear('b', 3, here('cleo'))
    expect(presence.nodeGone('b', 500)).toEqual([name('ada'), name('ben')])
    expect(presence.of(name('ada'))).toEqual({ isHere: false, status: null, saidAt: 0, seenAt: 500 })
    expect(presence.of(name('ben')).seenAt).toBe(900)
    expect(presence.of(name('cleo')).isHere).toBe(true)
    expect(presence.nodeGone('b', 600)).toEqual([])
  })
})
