import type { ConversationId } from '@parley/protocol'
import { expect, it } from 'vitest'
import { storedStream, streamsOf } from '../../test/support/stored-streams.ts'
import type { StoredStream } from '../replica/replica.ts'
import { nextLimit, PAGE_PATIENCE_MS, Pages } from './pages.ts'

const of = (...stored: StoredStream[]) => {
  const streams = streamsOf(...stored)
  return { streams, pages: new Pages(streams) }
}

it('SYNC-8 conversations without a copy come first, then whichever was active last', () => {
  const { streams, pages } = of(
    storedStream('old'),
    storedStream('recent'),
    storedStream('none', { sequence: 0, oldest: null }),
  )
  streams.noteActivity({ conversation: 'old' as ConversationId, sent_at: '2020' })
  streams.noteActivity({ conversation: 'recent' as ConversationId, sent_at: '2026' })
  expect(pages.next(1, 0)).toMatchObject({ conversation: 'none', before: null })
  expect(pages.next(2, 0)).toMatchObject({ conversation: 'recent', before: 40 })
  expect(pages.next(3, 0)).toBeUndefined()
  expect(pages.hear(1, 10)).toMatchObject({ before: null })
  expect(pages.hear(1, 10)).toBeUndefined()
})

it('SYNC-8 a page that nobody answers is asked for again', () => {
  const { pages } = of(storedStream('a'))
  pages.next(1, 0)
  expect(pages.next(2, 0)).toBeUndefined()
  pages.expire(PAGE_PATIENCE_MS)
  expect(pages.next(2, PAGE_PATIENCE_MS)).toMatchObject({ id: 2 })
})

it('SYNC-8 pages grow on a fast line and shrink on a slow one, within bounds', () => {
  expect(nextLimit(50, 100)).toBe(100)
  expect(nextLimit(200, 100)).toBe(250)
  expect(nextLimit(50, 500)).toBe(50)
  expect(nextLimit(50, 4_000)).toBe(25)
  expect(nextLimit(10, 60_000)).toBe(10)
})
