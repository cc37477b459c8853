import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../limits.ts'
import { readCommonOperation } from './common-operation.ts'
import { readPlainMessage } from './plain-message.ts'

const id = '019b0f5e-7c1a-7c3e-9d42-1f2e3d4c5b6a'
const conversation = '7f2c2d0e-0000-4000-8000-000000000001'

const message = (body: string, more: object = {}) => ({
  type: 'operation',
  id,
  name: 'send-message',
  input: {
    id: `layer:///messages/${id}`,
    conversation: `layer:///conversations/${conversation}`,
    parts: [{ mime_type: 'text/plain', body }],
  },
  ...more,
})

const body = fc.oneof(
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    'é'.repeat(limits.maxInlinePartBytes / 2),
    'x'.repeat(limits.maxInlinePartBytes + 1),
    '\u007f\u2028',
  ),
  fc.constantFrom('"}]}}', '"}]},"after":"', '\\', '\\"', '\u0000', '\n', '\ud800'),
)

describe('the shortest cut, for plain messages', () => {
  it('reads what the one for decoded frames reads, the same way, and has its parts as they would be written', () => {
    let read = 0
    fc.assert(
      fc.property(body, fc.option(fc.uuid(), { nil: undefined }), (text, after) => {
        const frame = JSON.stringify(message(text, after === undefined ? {} : { after }))
        const plain = readPlainMessage(frame)
        if (!plain) return
        read++
        const { partsText, ...input } = plain.input
        expect({ name: 'send-message', ...plain, input }).toEqual(readCommonOperation(JSON.parse(frame)))
        expect(partsText).toBe(JSON.stringify(input.parts))
      }),
      { numRuns: 2_000 },
    )
    expect(read).toBeGreaterThan(500)
  })

  it('lets nothing pass that is not read when it is decoded, however the text is spoilt', () => {
    const spoilt = fc
      .tuple(
        body,
        fc.boolean(),
        fc.nat(),
        fc.nat(3),
        fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('"', '\\', '}', '\t', 'A')),
      )
      .map(([text, isAfter, at, cut, put]) => {
        const frame = JSON.stringify(message(text, isAfter ? { after: conversation } : {}))
        const place = at % (frame.length + 1)
        return frame.slice(0, place) + put + frame.slice(place + cut)
      })
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.string(), fc.json()), (frame) => {
        const plain = readPlainMessage(frame)
        if (!plain) return
        const { partsText, ...input } = plain.input
        expect({ name: 'send-message', ...plain, input }).toEqual(readCommonOperation(JSON.parse(frame)))
        expect(partsText).toBe(JSON.stringify(input.parts))
      }),
      { numRuns: 20_000 },
    )
  })

  it('reads a plain message, alone or after another, and gives up on others', () => {
    const reads = (frame: object) => readPlainMessage(JSON.stringify(frame)) !== undefined
    expect(reads(message('hello, wörld'))).toBe(true)
    expect(reads(message('hello', { after: conversation }))).toBe(true)
    expect(reads(message('two\nlines'))).toBe(false)
    expect(reads(message('said "so"'))).toBe(false)
    expect(reads(message('x'.repeat(limits.maxInlinePartBytes + 1)))).toBe(false)
    expect(reads(message('hello', { id: conversation }))).toBe(false)
    expect(reads(message('hello', { after: 'later' }))).toBe(false)
    expect(reads(message('hello', { more: 1 }))).toBe(false)
  })
})
