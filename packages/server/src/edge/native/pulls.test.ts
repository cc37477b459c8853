import type { Uuid } from '@parley/protocol'
import { expect, test } from 'vitest'
import type { Session } from '../../model/state.ts'
import type { StreamStore, WrittenFrom, WrittenPage } from '../../store/store.ts'
import { listFrame, textOf } from '../sockets/text-frame.ts'
import { answerPull } from './pulls.ts'

const session = { app: 1, userId: 'ben' } as unknown as Session
const conversation = (nth: number) => `00000000-0000-4000-8000-${String(nth).padStart(12, '0')}` as Uuid

/** A page whose messages are numbers, as far as a sequence. */
const upTo = (after: number, sequence: number, more = false): WrittenPage => ({
  rows: [{ type: 'messages', bytes: Buffer.from(String(after + 1)), sequence }],
  sequence,
  more,
})

/** Answers the first `atOnce` conversations of each look; those listed go on after their first page. */
function storeOf({ atOnce, long = [] }: { readonly atOnce: number; readonly long?: readonly Uuid[] }) {
  const looks: (readonly WrittenFrom[] | 'inbox')[] = []
  const streams = {
    inbox: async () => {
      looks.push('inbox')
      return { rows: [], sequence: 3, more: false }
    },
    writtenConversations: async (_app: unknown, _viewer: unknown, from: readonly WrittenFrom[]) => {
      looks.push(from)
      const pages: (WrittenPage | undefined)[] = []
      for (const { id, after } of from.slice(0, atOnce)) {
        const page = upTo(after, after + 5, long.includes(id) && after === 0)
        pages.push(page)
        if (page.more) break
      }
      return pages
    },
  }
  return { streams: streams as unknown as StreamStore, looks }
}

/** The frames, without their headers. */
async function answered(streams: StreamStore, of: readonly (Uuid | 'inbox')[]) {
  const frames: Record<string, unknown>[] = []
  const pull = { type: 'pull' as const, id: 7, streams: of.map((stream) => ({ stream, after: 0 })) }
  for await (const frame of answerPull(streams, session, pull)) {
    frames.push(JSON.parse(textOf(listFrame(frame))))
  }
  return frames
}

const [a, b, c] = [1, 2, 3].map(conversation) as [Uuid, Uuid, Uuid]

test('CON-7 streams come in the order in which they were asked for, each to its end, the last frame said to be it', async () => {
  const { streams, looks } = storeOf({ atOnce: 2, long: [b] })
  expect(await answered(streams, ['inbox', a, b, c])).toEqual([
    { type: 'rows', id: 7, stream: 'inbox', rows: [], after: 0, sequence: 3, more: false, last: false },
    ...[
      { stream: a, rows: [1], after: 0, sequence: 5, more: false, last: false },
      { stream: b, rows: [1], after: 0, sequence: 5, more: true, last: false },
      { stream: b, rows: [6], after: 5, sequence: 10, more: false, last: false },
      { stream: c, rows: [1], after: 0, sequence: 5, more: false, last: true },
    ].map((frame) => ({ type: 'rows', id: 7, ...frame, stream: `layer:///conversations/${frame.stream}` })),
  ])
  expect(looks).toHaveLength(3)
})

test('CON-7 an inbox among conversations keeps its place', async () => {
  const { streams } = storeOf({ atOnce: 9 })
  const frames = await answered(streams, [a, 'inbox', b])
  expect(frames.map(({ stream }) => stream)).toEqual([
    `layer:///conversations/${a}`,
    'inbox',
    `layer:///conversations/${b}`,
  ])
  expect(frames.map(({ last }) => last)).toEqual([false, false, true])
})

test('no more than one look is ahead of what the reader has taken', async () => {
  const { streams, looks } = storeOf({ atOnce: 1 })
  const pull = { type: 'pull' as const, id: 7, streams: [a, b, c].map((stream) => ({ stream, after: 0 })) }
  const frames = answerPull(streams, session, pull)
  await frames.next()
  await new Promise((resolve) => setImmediate(resolve))
  expect(looks).toHaveLength(2)
  await frames.return(undefined)
  expect(looks).toHaveLength(2)
})

test('a look asks for no more conversations than it may bring', async () => {
  const { streams, looks } = storeOf({ atOnce: 1000 })
  const many = Array.from({ length: 120 }, (_, nth) => conversation(nth))
  expect(await answered(streams, many)).toHaveLength(120)
  expect(looks.map((look) => look.length)).toEqual([50, 50, 20])
})

test('memory that was lent for a look is lent again only when all its frames have been taken', async () => {
  const lent: Uint8Array[] = []
  const streams = {
    writtenConversations: async (...[, , from, , room]: Parameters<StreamStore['writtenConversations']>) => {
      lent.push(room!)
      room!.set(Buffer.from(`[${from.length}][${from.length}]`))
      return from.slice(0, 2).map((_, nth) => ({
        rows: [{ type: 'messages' as const, bytes: room!.subarray(3 * nth, 3 * nth + 3), sequence: 1 }],
        sequence: 1,
        more: false,
      }))
    },
  } as unknown as StreamStore
  const many = Array.from({ length: 8 }, (_, nth) => conversation(nth))
  const rows = (await answered(streams, many)).map((frame) => frame.rows)
  expect(rows).toEqual([8, 8, 6, 6, 4, 4, 2, 2].map((left) => [[left]]))
  expect(lent[0]).not.toBe(lent[1])
  expect(lent[1]).not.toBe(lent[2])
  expect(new Set(lent).size).toBe(2)
})
