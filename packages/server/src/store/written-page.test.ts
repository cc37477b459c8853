import { expect, test } from 'vitest'
import { writtenPage } from './written-page.ts'

const message = (sequence: number, text = `m${sequence}`) => ({ type: 'message' as const, record: { sequence }, text })
const other = { type: 'conversation' as const, record: { sequence: 3 } as never }

test('messages that follow each other are one piece, and other rows keep their place', () => {
  const page = { rows: [message(1), message(2), other, message(4)], sequence: 9, more: true }
  expect(writtenPage(page)).toEqual({
    rows: [{ type: 'messages', text: 'm1,m2', sequence: 2 }, other, { type: 'messages', text: 'm4', sequence: 4 }],
    sequence: 9,
    more: true,
  })
  expect(writtenPage({ rows: [], sequence: 0, more: false })).toEqual({ rows: [], sequence: 0, more: false })
})

test('no piece grows without bound, however many messages follow each other', () => {
  const rows = Array.from({ length: 50 }, (_, i) => message(i, 'x'.repeat(10_000)))
  const pieces = writtenPage({ rows, sequence: 50, more: false }).rows as unknown as {
    text: string
    sequence: number
  }[]
  expect(pieces.map(({ sequence }) => sequence)).toEqual([
    2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 32, 35, 38, 41, 44, 47, 49,
  ])
  for (const { text } of pieces) expect(text.length).toBeLessThan(33_000)
})

test('a message that is larger than a piece is a piece of its own', () => {
  const rows = [message(1), message(2, 'x'.repeat(100_000)), message(3)]
  expect(writtenPage({ rows, sequence: 3, more: false }).rows).toHaveLength(3)
})
