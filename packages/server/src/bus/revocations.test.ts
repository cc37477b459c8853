import type { UserId, Uuid } from '@parley/protocol'
import { SeededChance } from '@parley/testkit'
import { expect, test } from 'vitest'
import type { AppKey } from '../model/state.ts'
import { Revocations } from './revocations.ts'

const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Uuid
const ended = (n: number) => ({ type: 'session-ended' as const, session: id(n), at: 500 })
const session = (n: number, createdAt: number, userId = 'ada') => ({
  ...{ id: id(n), app: 1 as AppKey, userId: userId as UserId, createdAt },
})
/** What is said, millisecond by millisecond. */
const saidFrom = (one: Revocations, from: number, to: number) => {
  const said: number[] = []
  for (let now = from; now < to; now++) if (one.due(now).length > 0) said.push(now - from)
  return said
}

test('39 an end is said at once and a few times more, all within a second', () => {
  const one = new Revocations()
  one.happened(ended(1), 1_000)
  const said = saidFrom(one, 1_000, 60_000)
  expect(said[0]).toBe(0)
  expect(said.length).toBeGreaterThan(2)
  expect(said[said.length - 1]).toBeLessThan(1_000)
  expect(one.isWaiting).toBe(false)
})

test('39 with a third of all messages lost, all but a few of a thousand ends are heard within a second', () => {
  const chance = new SeededChance(39)
  let heard = 0
  for (let n = 0; n < 1_000; n++) {
    const [here, there] = [new Revocations(), new Revocations()]
    here.happened(ended(n), 0)
    for (let now = 0; now < 1_000; now += 10) {
      for (const message of here.due(now)) if (chance.number() > 0.3) there.hear(message)
    }
    if (there.isEnded(session(n, 0))) heard += 1
  }
  expect(heard).toBeGreaterThan(980)
})

test('what comes again is no news, and neither is what happened here', () => {
  const one = new Revocations()
  expect([one.hear(ended(1)), one.hear(ended(1)), one.hear(ended(2))]).toEqual([true, false, true])
  one.happened(ended(3), 0)
  expect(one.hear(ended(3))).toBe(false)
})

test('who was held up says it once for all the times that were missed', () => {
  const one = new Revocations()
  one.happened(ended(1), 0)
  expect(one.due(10_000)).toEqual([ended(1)])
  expect(one.due(20_000)).toEqual([])
})

test('a session that ended is known to have ended, one that was opened since then is not', () => {
  const one = new Revocations()
  expect(one.isEnded(session(1, 100))).toBe(false)
  one.hear(ended(1))
  expect(one.isEnded(session(1, 100))).toBe(true)
  one.hear({ type: 'sessions-ended', app: 1 as AppKey, userId: 'ada' as UserId, at: 500 })
  expect(one.isEnded(session(2, 500))).toBe(true)
  expect(one.isEnded(session(3, 501))).toBe(false)
  expect(one.isEnded(session(4, 100, 'ben'))).toBe(false)
  expect(one.isEnded({ ...session(5, 100), app: 2 as AppKey })).toBe(false)
})

test('each renewal is news', () => {
  const one = new Revocations()
  const renewed = (expiresAt: number) => ({ type: 'session-renewed' as const, session: id(1), expiresAt })
  expect([one.hear(renewed(1)), one.hear(renewed(1)), one.hear(renewed(2))]).toEqual([true, false, true])
})
