import type { ConversationId, PageFrame, PullFrame } from '@parley/protocol'
import { VirtualClock } from '@parley/testkit'
import { beforeEach, expect, it } from 'vitest'
import * as online from '../online.ts'
import type { StoredStream } from '../replica/replica.ts'
import { History } from './history.ts'
import { PAGE_PATIENCE_MS } from './pages.ts'
import { PULL_PATIENCE_MS } from './pulls.ts'
import { Requests } from './requests.ts'
import { Streams } from './streams.ts'

let clock: VirtualClock
let said: (PullFrame | PageFrame)[]
let isReady: boolean
let history: History
let requests: Requests
beforeEach(() => {
  clock = new VirtualClock()
  said = []
  isReady = true
})

const behind: StoredStream = { stream: 'a' as ConversationId, sequence: 5, head: 9, oldest: 1, complete: true }
const partial: StoredStream = { stream: 'b' as ConversationId, sequence: 5, head: 5, oldest: 40, complete: false }

function of(...stored: StoredStream[]): void {
  const streams = new Streams()
  streams.load(stored)
  history = new History(streams)
  requests = new Requests({ online, clock, streams, history, isReady: () => isReady, say: (frame) => said.push(frame) })
}

it('CON-7 what is missing is asked for once, each request under a number of its own', () => {
  of(behind, partial)
  requests.pursue()
  requests.pursue()
  expect(said.map(({ type, id }) => [type, id])).toEqual([
    ['pull', 1],
    ['page', 2],
  ])
})

it('CON-2 nothing is asked for before it is known what moved', () => {
  of(behind, partial)
  isReady = false
  requests.pursue()
  expect(said).toEqual([])
})

it('SYNC-13 no pages are asked for while there is no room', () => {
  of(behind, partial)
  history.isPaused = true
  requests.pursue()
  expect(said.map(({ type }) => type)).toEqual(['pull'])
})

it('SYNC-2 the patrol asks again for what nobody answers', async () => {
  of(behind, partial)
  requests.pursue()
  requests.patrol()
  await clock.advance(Math.max(PULL_PATIENCE_MS, PAGE_PATIENCE_MS))
  expect(said.map(({ type }) => type)).toEqual(['pull', 'page', 'pull', 'page'])
  requests.reset()
  expect(clock.timers).toBe(0)
})

it('CON-8 rows answer a page or a pull, by their number', () => {
  of(behind, partial)
  requests.pursue()
  const rows = { type: 'rows', rows: [{ type: 'message', sequence: 6 } as never], more: true, last: false } as const
  expect(requests.hear({ ...rows, id: 2, stream: partial.stream, after: 0, sequence: 5 })).toMatchObject({ before: 40 })
  expect(requests.hear({ ...rows, id: 1, stream: behind.stream, after: 5, sequence: 6 })).toMatchObject({
    kind: 'next',
  })
  expect(requests.hear({ ...rows, id: 7, stream: behind.stream, after: 6, sequence: 7 })).toEqual({ kind: 'foreign' })
})
