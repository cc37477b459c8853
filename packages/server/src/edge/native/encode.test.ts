import type { UserId, Uuid } from '@parley/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change } from '../../delivery/change.ts'
import { acknowledgementText, changeFrame, changeText } from './encode.ts'

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
    id: fc.uuid(),
    after: position,
    sequence: position,
    settled: position,
    rows: fc.array(record, { maxLength: 2 }),
  })
  .map(({ id, after, sequence, settled, rows }) => {
    const move = {
      ...{ stream: 'conversation', conversation: { id }, after, sequence, audience: [] },
      rows: rows.map((one) => ({ type: 'message', record: one, sender: undefined })),
    }
    return { committed: { settled }, move } as unknown as Change
  })

describe('frames as text', () => {
  it('of a change are what its object writes out as', () => {
    fc.assert(
      fc.property(change, (one) => {
        expect(changeText(one)).toBe(JSON.stringify(changeFrame(one)))
      }),
    )
  })

  it('of an acknowledgement are what its object writes out as', () => {
    const id = '7f2c2d0e-0000-4000-8000-000000000001' as Uuid
    const done = { result: { position: 1, sent_at: '"' }, sequence: 9, hasChanged: true }
    for (const stream of ['inbox', id] as const) {
      const name = stream === 'inbox' ? 'inbox' : `layer:///conversations/${id}`
      const frame = { type: 'acknowledgement', id, result: done.result, stream: name, sequence: 9 }
      expect(acknowledgementText(id, { ...done, stream })).toBe(JSON.stringify(frame))
    }
  })

  it('name a sender whose id has quotes, backslashes and line ends in it', () => {
    const sender = '"\\\n\u2028é' as UserId
    fc.assert(
      fc.property(change, (one) => {
        for (const row of one.move.rows) Object.assign((row as { record: object }).record, { sender })
        expect(changeText(one)).toBe(JSON.stringify(changeFrame(one)))
      }),
    )
  })
})
