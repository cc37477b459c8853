import type { UserId, Uuid } from '@parley/protocol'
import { expect, test } from 'vitest'
import type { AppKey } from '../model/state.ts'
import type { TypingSignal } from './messages.ts'
import { TYPING_EXPIRY_MS, TypingElsewhere } from './typing.ts'

const chat = '00000000-0000-4000-8000-000000000001' as Uuid
const typing = (action: TypingSignal['action'], sender = 'ada'): TypingSignal => ({
  ...{ type: 'typing', app: 1 as AppKey, conversation: chat, sender: sender as UserId, action, audience: null },
})

test('a signal is told; one that was overtaken is not', () => {
  const one = new TypingElsewhere()
  expect(one.hear('b', 1, typing('started'), 0)).toBe(true)
  expect(one.hear('b', 3, typing('finished'), 0)).toBe(true)
  expect(one.hear('b', 2, typing('paused'), 0)).toBe(false)
  expect(one.hear('b', 4, typing('started'), 0)).toBe(true)
})

test('somebody at two nodes is heard from both', () => {
  const one = new TypingElsewhere()
  expect(one.hear('b', 9, typing('started'), 0)).toBe(true)
  expect(one.hear('c', 1, typing('paused'), 0)).toBe(true)
})

test('38 who says nothing more has finished, within 45 s, and is told once', () => {
  const one = new TypingElsewhere()
  one.hear('b', 1, typing('started'), 0)
  one.hear('b', 2, typing('paused', 'ben'), 10_000)
  one.hear('b', 3, typing('finished', 'cleo'), 0)
  expect(TYPING_EXPIRY_MS).toBeLessThan(45_000)
  expect(one.expire(TYPING_EXPIRY_MS - 1)).toEqual([])
  expect(one.expire(TYPING_EXPIRY_MS)).toEqual([typing('finished')])
  expect(one.expire(TYPING_EXPIRY_MS + 10_000)).toEqual([typing('finished', 'ben')])
  expect(one.expire(999_999)).toEqual([])
})

test('38 who was typing at a node that is gone has finished', () => {
  const one = new TypingElsewhere()
  one.hear('b', 1, typing('started'), 0)
  one.hear('c', 1, typing('started', 'ben'), 0)
  one.hear('b', 2, typing('finished', 'cleo'), 0)
  expect(one.nodeGone('b')).toEqual([typing('finished')])
  expect(one.nodeGone('b')).toEqual([])
})

test('33 ever more people typing do not fill memory', () => {
  const one = new TypingElsewhere()
  for (let i = 0; i < 30_000; i++) one.hear('b', i, typing('started', `user ${i}`), 0)
  expect(one.nodeGone('b')).toHaveLength(20_000)
})
