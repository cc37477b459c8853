import { limits, type UserId, type Uuid } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change } from '../../delivery/change.ts'
import { acknowledgementText, changeFrames, messagesChangeText, onlyMessages } from './encode.ts'

const position = fc.integer({ min: 1, max: 2 ** 40 })
const time = fc.integer({ min: 0, max: 4e12 })
const record = fc.record({
  id: fc.uuid(),
  conversation: fc.uuid(),
  position,
  sender: fc.oneof(
    fc.string({ minLength: 1, maxLength: 20 }),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }),
  ),
  sentAt: time,
  parts: fc.array(fc.record({ mime_type: fc.string(), body: fc.string({ unit: 'binary' }) }), { maxLength: 3 }),
  deletedAt: fc.option(time),
  sequence: position,
  firstSequence: position,
  changedAt: time,
})
const change = fc
  .record({
    after: position,
    sequence: position,
    settled: position,
    rows: fc.array(record, { minLength: 1, maxLength: 4 }),
  })
  .map(({ after, sequence, settled, rows }) => {
    const move = {
      ...{ stream: 'conversation', conversation: { id: rows[0]!.conversation }, after, sequence, audience: [] },
      rows: rows.map((row) => ({ type: 'message', record: row, sender: undefined })),
    }
    return { committed: null, move, cursor: settled } as unknown as Change
  })

const textOf = (one: Change) => messagesChangeText(one, onlyMessages(one)!)

/** A change of many rows, of sequences that follow each other. */
function changeOf(count: number): Change {
  const rows = Array.from({ length: count }, (_, index) => ({
    conversation: '7f2c2d0e-0000-4000-8000-000000000001',
    record: { inboxSequence: 11 + index, state: 'joined', hidden: [], lastPosition: null },
  }))
  const move = { stream: 'inbox', userId: 'u', after: 10, sequence: 10 + count, rows }
  return { committed: null, move, cursor: 7 } as unknown as Change
}

describe('frames of a change', () => {
  it.each([
    [0, [0]],
    [1, [1]],
    [250, [250]],
    [251, [250, 1]],
    [1_001, [250, 250, 250, 250, 1]],
  ])('of %i rows hold %j, without a gap and without an overlap', (count, expected) => {
    const frames = changeFrames(changeOf(count))
    expect(frames.map(({ rows }) => rows.length)).toEqual(expected)
    expect(frames.map(({ cursor }) => cursor)).toEqual(expected.map(() => '7'))
    let reached = 10
    for (const { after, sequence, rows } of frames) {
      expect(after).toBe(reached)
      expect(rows.map((row) => row.sequence)).toEqual(rows.map((_, index) => after + 1 + index))
      expect(sequence).toBe(after + rows.length)
      reached = sequence
    }
    expect(reached).toBe(10 + count)
  })
})

describe('frames as text', () => {
  it('are for messages alone, as many as one frame may hold', () => {
    const { move } = fc.sample(change, 1)[0]!
    const [row] = move.rows
    const holding = (rows: readonly unknown[]) => onlyMessages({ move: { ...move, rows } } as unknown as Change)
    expect(holding([])).toBeUndefined()
    expect(holding(Array(limits.maxRowsPerFrame).fill(row))).toHaveLength(limits.maxRowsPerFrame)
    expect(holding(Array(limits.maxRowsPerFrame + 1).fill(row))).toBeUndefined()
    expect(holding([row, { type: 'conversation', record: {} }])).toBeUndefined()
    expect(onlyMessages(changeOf(1))).toBeUndefined()
  })

  it('of a change are what its object writes out as', () => {
    fc.assert(
      fc.property(change, (one) => {
        expect(textOf(one)).toBe(JSON.stringify(changeFrames(one)[0]))
      }),
    )
  })

  it('of an acknowledgement are what its object writes out as', () => {
    const id = '7f2c2d0e-0000-4000-8000-000000000001' as Uuid
    const results = [{ position: 1, sent_at: '2026-11-23T01:00:00.000Z' }, { id: '"' }, {}]
    for (const result of results) {
      for (const stream of ['inbox', id] as const) {
        const name = stream === 'inbox' ? 'inbox' : `layer:///conversations/${id}`
        const frame = { type: 'acknowledgement', id, result, stream: name, sequence: 9 }
        const done = { result, stream, sequence: 9, hasChanged: true }
        expect(acknowledgementText(id, done)).toBe(JSON.stringify(frame))
      }
    }
  })

  it('name a sender whose id has quotes, backslashes and line ends in it', () => {
    const sender = '"\\\n\u2028é' as UserId
    fc.assert(
      fc.property(change, (one) => {
        for (const row of one.move.rows) Object.assign((row as { record: object }).record, { sender })
        expect(textOf(one)).toBe(JSON.stringify(changeFrames(one)[0]))
      }),
    )
  })
})
