import { describe, expect, test } from 'vitest'
import { TextRoom } from './text-room.ts'
import { type UnwrittenPage, writtenPage, writtenPages } from './written-page.ts'

const message = (sequence: number, text = `m${sequence}`) => ({ type: 'message' as const, record: { sequence }, text })
const other = { type: 'conversation' as const, record: { sequence: 3 } as never }

const pageOf = (page: UnwrittenPage) => writtenPage(page, new TextRoom())

/** As a reader has them: bytes read out. */
const readOut = (page: ReturnType<typeof writtenPage>) => ({
  ...page,
  rows: page.rows.map((row) =>
    row.type === 'messages' ? { ...row, bytes: undefined, text: Buffer.from(row.bytes).toString() } : row,
  ),
})

test('messages that follow each other are one piece, and other rows keep their place', () => {
  const page = { rows: [message(1), message(2), other, message(4)], sequence: 9, more: true }
  expect(readOut(pageOf(page))).toEqual({
    rows: [{ type: 'messages', text: 'm1,m2', sequence: 2 }, other, { type: 'messages', text: 'm4', sequence: 4 }],
    sequence: 9,
    more: true,
  })
  expect(pageOf({ rows: [], sequence: 0, more: false })).toEqual({ rows: [], sequence: 0, more: false })
})

test('no piece grows without bound, however many messages follow each other', () => {
  const rows = Array.from({ length: 50 }, (_, i) => message(i, 'x'.repeat(10_000)))
  const pieces = readOut(pageOf({ rows, sequence: 50, more: false })).rows as unknown as {
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
  expect(pageOf({ rows, sequence: 3, more: false }).rows).toHaveLength(3)
})

test('a piece is in UTF-8', () => {
  const [piece] = pageOf({ rows: [message(1, 'größer 😀')], sequence: 1, more: false }).rows
  expect(Buffer.from((piece as { bytes: Uint8Array }).bytes).toString()).toBe('größer 😀')
})

test('all pieces of a look lie in the memory that was lent for it', () => {
  const memory = new Uint8Array(20)
  const from = ['1', '2'].map((id) => ({ id: id as never, after: 0 }))
  const read = () => ({ rows: [message(1), message(2), other, message(4)], sequence: 4, more: false })
  const pages = writtenPages(from, read, memory)
  expect(pages.map((page) => page && readOut(page))).toEqual([0, 1].map(() => readOut(pageOf(read()))))
  expect(Buffer.from(memory).toString('latin1', 0, 14)).toBe('m1,m2m4m1,m2m4')
})

describe('several conversations in one look', () => {
  const from = Array.from({ length: 20 }, (_, nth) => ({ id: `${nth}` as never, after: 0 }))
  const long = (rows: number, text = 'm', more = false) => ({
    rows: Array.from({ length: rows }, (_, i) => message(i + 1, text)),
    sequence: rows,
    more,
  })

  test('are as many as make enough rows', () => {
    expect(writtenPages(from, () => long(100))).toHaveLength(5)
    expect(writtenPages(from, () => long(1))).toHaveLength(20)
    expect(writtenPages(from, () => undefined)).toHaveLength(20)
  })

  test('or enough bytes; at least one', () => {
    expect(writtenPages(from, () => long(1, 'x'.repeat(100_000)))).toHaveLength(3)
    expect(writtenPages(from, () => long(1, 'x'.repeat(1_000_000)))).toHaveLength(1)
  })

  test('none after one that goes on', () => {
    expect(writtenPages(from, ({ id }) => long(1, 'm', (id as string) === '2'))).toHaveLength(3)
  })

  test('those before one that cannot be read are answered, and it is not passed over', () => {
    const read = ({ id }: { id: string }) => {
      if (id === '2') throw new Error('damaged')
      return long(1)
    }
    expect(writtenPages(from, read)).toHaveLength(2)
    expect(() => writtenPages(from.slice(2), read)).toThrow('damaged')
  })
})
