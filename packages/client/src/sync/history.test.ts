import type { ConversationId } from '@parley/protocol'
import { expect, it } from 'vitest'
import type { StoredStream } from '../replica/replica.ts'
import { History } from './history.ts'
import { Streams } from './streams.ts'

const stream = (id: string, more: Partial<StoredStream> = {}): StoredStream => ({
  stream: id as ConversationId,
  sequence: 5,
  head: 5,
  oldest: 40,
  complete: false,
  ...more,
})

const of = (...stored: StoredStream[]) => {
  const streams = new Streams()
  streams.load(stored)
  return new History(streams)
}

it('SYNC-13 progress counts conversations whose history is whole', () => {
  const history = of(stream('a', { complete: true }), stream('b'), stream('inbox', { oldest: null }))
  expect(history.progress(true)).toMatchObject({ state: 'running', conversationsDone: 1, conversationsTotal: 2 })
  expect(history.progress(false).state).toBe('waiting')
  history.isPaused = true
  expect(history.progress(true).state).toBe('paused')
  expect(of(stream('a', { complete: true })).progress(true).state).toBe('complete')
})

it('SYNC-13 nothing is complete before the conversations were heard of', () => {
  const history = of()
  expect(history.progress(true, false).state).toBe('running')
  expect(history.progress(true, true).state).toBe('complete')
})

it('SYNC-13 progress is the same object until it says something else', () => {
  const history = of(stream('a'))
  const before = history.progress(true)
  expect(history.progress(true)).toBe(before)
  history.messages++
  expect(history.progress(true)).not.toBe(before)
  expect(history.progress(true)).toBe(history.progress(true))
})
