import type { ConversationId } from '@parley/protocol'
import { expect, it } from 'vitest'
import type { StoredStream } from '../replica/replica.ts'
import { History, nextLimit, PAGE_PATIENCE_MS } from './history.ts'
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
  return { streams, history: new History(streams) }
}

it('SYNC-8 conversations without a copy come first, then whichever was active last', () => {
  const { streams, history } = of(stream('old'), stream('recent'), stream('none', { sequence: 0, oldest: null }))
  streams.noteActivity({ conversation: 'old' as ConversationId, sent_at: '2020' })
  streams.noteActivity({ conversation: 'recent' as ConversationId, sent_at: '2026' })
  expect(history.next(1, 0)).toMatchObject({ conversation: 'none', before: null })
  expect(history.next(2, 0)).toMatchObject({ conversation: 'recent', before: 40 })
  expect(history.next(3, 0)).toBeUndefined()
  expect(history.hear(1, 10)).toEqual({ before: null })
  expect(history.hear(1, 10)).toBeUndefined()
})

it('SYNC-8 a page that nobody answers is asked for again', () => {
  const { history } = of(stream('a'))
  history.next(1, 0)
  expect(history.next(2, 0)).toBeUndefined()
  history.expire(PAGE_PATIENCE_MS)
  expect(history.next(2, PAGE_PATIENCE_MS)).toMatchObject({ id: 2 })
})

it('SYNC-8 pages grow on a fast line and shrink on a slow one, within bounds', () => {
  expect(nextLimit(50, 100)).toBe(100)
  expect(nextLimit(200, 100)).toBe(250)
  expect(nextLimit(50, 500)).toBe(50)
  expect(nextLimit(50, 4_000)).toBe(25)
  expect(nextLimit(10, 60_000)).toBe(10)
})

it('SYNC-13 progress counts conversations whose history is whole', () => {
  const { history } = of(stream('a', { complete: true }), stream('b'), stream('inbox', { oldest: null }))
  expect(history.progress(true)).toMatchObject({ state: 'running', conversationsDone: 1, conversationsTotal: 2 })
  expect(history.progress(false).state).toBe('waiting')
  history.isPaused = true
  expect(history.progress(true).state).toBe('paused')
  expect(of(stream('a', { complete: true })).history.progress(true).state).toBe('complete')
})

it('SYNC-13 nothing is complete before the conversations were heard of', () => {
  const { history } = of()
  expect(history.progress(true, false).state).toBe('running')
  expect(history.progress(true, true).state).toBe('complete')
})

it('SYNC-13 progress is the same object until it says something else', () => {
  const { history } = of(stream('a'))
  const before = history.progress(true)
  expect(history.progress(true)).toBe(before)
  history.messages++
  expect(history.progress(true)).not.toBe(before)
  expect(history.progress(true)).toBe(history.progress(true))
})

it('CON-2 pulls name the inbox first, whoever is behind, and nobody who rests', () => {
  const { streams } = of(
    stream('behind', { head: 9 }),
    stream('level'),
    stream('new', { sequence: 0 }),
    stream('inbox', { head: 7 }),
  )
  expect(streams.behind(0).map((each) => each.stream)).toEqual(['inbox', 'behind'])
  const behind = 'behind' as ConversationId
  streams.rest(behind, 0)
  expect(streams.behind(4_999).map((each) => each.stream)).toEqual(['inbox'])
  expect(streams.behind(5_000)).toHaveLength(2)
  streams.rest(behind, 5_000)
  expect(streams.behind(14_999)).toHaveLength(1)
  streams.follow([{ type: 'put', table: 'streams', row: stream('behind', { sequence: 6, head: 9 }) }])
  expect(streams.behind(14_999)).toHaveLength(2)
})

it('CON-2 one pull brings no more rows than fit in memory', () => {
  const { streams } = of(stream('a', { head: 5_000 }), stream('b', { head: 5_000 }))
  expect(streams.behind(0)).toHaveLength(1)
})
