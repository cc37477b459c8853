import { expect, it } from 'vitest'
import { storedStream, streamsOf } from '../../test/support/stored-streams.ts'
import type { StoredStream } from '../replica/replica.ts'
import { History } from './history.ts'

const of = (...stored: StoredStream[]) => new History(streamsOf(...stored))

it('SYNC-13 progress counts conversations whose history is whole', () => {
  const history = of(storedStream('a', { complete: true }), storedStream('b'), storedStream('inbox', { oldest: null }))
  expect(history.progress(true)).toMatchObject({ state: 'running', conversationsDone: 1, conversationsTotal: 2 })
  expect(history.progress(false).state).toBe('waiting')
  history.isPaused = true
  expect(history.progress(true).state).toBe('paused')
  expect(of(storedStream('a', { complete: true })).progress(true).state).toBe('complete')
})

it('SYNC-13 nothing is complete before the conversations were heard of', () => {
  const history = of()
  expect(history.progress(true, false).state).toBe('running')
  expect(history.progress(true, true).state).toBe('complete')
})

it('SYNC-13 progress is the same object until it says something else', () => {
  const history = of(storedStream('a'))
  const before = history.progress(true)
  expect(history.progress(true)).toBe(before)
  history.messages++
  expect(history.progress(true)).not.toBe(before)
  expect(history.progress(true)).toBe(history.progress(true))
})
