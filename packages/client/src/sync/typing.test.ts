import type { BasicIdentity, ConversationId } from '@parley/protocol'
import { expect, it } from 'vitest'
import { dueAt, elapse, forgetSilent, hearTyping, notTyping, type OwnTyping, pressKey, stopTyping } from './typing.ts'

const red = 'red' as ConversationId
const blue = 'blue' as ConversationId
const started = (lastKeyAt: number, lastSaidAt = lastKeyAt): OwnTyping => ({
  state: 'started',
  conversation: red,
  lastKeyAt,
  lastSaidAt,
})

it('TYPE-4 the first key is told at once, further ones at most every 2.5 s', () => {
  const first = pressKey(notTyping, red, 0)
  expect(first.say).toEqual([{ conversation: red, action: 'started' }])
  expect(pressKey(first.next, red, 2_000).say).toEqual([])
  expect(pressKey(started(2_400, 0), red, 2_500).say).toHaveLength(1)
})

it('TYPE-4 silence of 2.5 s is a pause, 2.5 s more the end', () => {
  expect(dueAt(started(0))).toBe(2_500)
  expect(elapse(started(0), 2_499)).toEqual({ next: started(0), say: [] })
  const paused = elapse(started(0), 2_500)
  expect(paused.say).toMatchObject([{ action: 'paused' }])
  expect(dueAt(paused.next)).toBe(5_000)
  expect(elapse(paused.next, 4_000).say).toEqual([])
  expect(elapse(paused.next, 5_000)).toMatchObject({ next: notTyping, say: [{ action: 'finished' }] })
})

it('TYPE-4 a key after a pause starts again at once', () => {
  const paused = elapse(started(0), 2_500).next
  expect(pressKey(paused, red, 2_600).say).toEqual([{ conversation: red, action: 'started' }])
})

it('TYPE-4 typing elsewhere ends it here', () => {
  expect(pressKey(started(0), blue, 100).say).toEqual([
    { conversation: red, action: 'finished' },
    { conversation: blue, action: 'started' },
  ])
})

it('TYPE-7 sending ends it, but only where the message went', () => {
  expect(stopTyping(started(0), red).say).toEqual([{ conversation: red, action: 'finished' }])
  expect(stopTyping(started(0), blue)).toEqual({ next: started(0), say: [] })
  expect(stopTyping(notTyping).say).toEqual([])
})

it('TYPE-5 who was not heard of for 6 s is forgotten', () => {
  const bob = { id: 'bob' } as unknown as BasicIdentity
  const heard = hearTyping(new Map(), bob, 'started', 0)
  expect(forgetSilent(heard, 5_999)).toBe(heard)
  expect(forgetSilent(heard, 6_000).size).toBe(0)
  expect(hearTyping(heard, bob, 'finished', 1).size).toBe(0)
})
