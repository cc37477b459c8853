import type { ConversationId } from '@parley/protocol'
import { expect, it } from 'vitest'
import { storedStream, streamsOf } from '../../test/support/stored-streams.ts'

it('CON-2 pulls name the inbox first, whoever is behind, and nobody who rests', () => {
  const streams = streamsOf(
    storedStream('behind', { head: 9 }),
    storedStream('level'),
    storedStream('new', { sequence: 0 }),
    storedStream('inbox', { head: 7 }),
  )
  expect(streams.behind(0).map((each) => each.stream)).toEqual(['inbox', 'behind'])
  const behind = 'behind' as ConversationId
  streams.rest(behind, 0)
  expect(streams.behind(4_999).map((each) => each.stream)).toEqual(['inbox'])
  expect(streams.behind(5_000)).toHaveLength(2)
  streams.rest(behind, 5_000)
  expect(streams.behind(14_999)).toHaveLength(1)
  streams.follow([{ type: 'put', table: 'streams', row: storedStream('behind', { sequence: 6, head: 9 }) }])
  expect(streams.behind(14_999)).toHaveLength(2)
})

it('CON-2 one pull brings no more rows than fit in memory', () => {
  const streams = streamsOf(storedStream('a', { head: 5_000 }), storedStream('b', { head: 5_000 }))
  expect(streams.behind(0)).toHaveLength(1)
})
