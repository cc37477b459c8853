import type { ConversationId } from '@parley/protocol'
import { expect, it } from 'vitest'
import type { StoredStream } from '../replica/replica.ts'
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
  return streams
}

it('CON-2 pulls name the inbox first, whoever is behind, and nobody who rests', () => {
  const streams = of(
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
  const streams = of(stream('a', { head: 5_000 }), stream('b', { head: 5_000 }))
  expect(streams.behind(0)).toHaveLength(1)
})
