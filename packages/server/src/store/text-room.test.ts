import { expect, test } from 'vitest'
import { TextRoom } from './text-room.ts'

const read = (bytes: Uint8Array) => Buffer.from(bytes).toString()

test('texts lie one after the other in the memory that was lent', () => {
  const memory = new Uint8Array(new SharedArrayBuffer(30), 5, 20)
  const room = new TextRoom(memory)
  const texts = [room.write('größer'), room.write('😀')]
  expect(texts.map(read)).toEqual(['größer', '😀'])
  for (const bytes of texts) expect(bytes.buffer).toBe(memory.buffer)
  expect(read(memory.slice(0, 12))).toBe('größer😀')
})

test('what finds no room gets memory of its own, and what is there stays as it is', () => {
  const memory = new Uint8Array(8)
  const room = new TextRoom(memory)
  const first = room.write('12345')
  const large = room.write('größer')
  const last = room.write('678')
  expect([first, large, last].map(read)).toEqual(['12345', 'größer', '678'])
  expect(large.buffer.byteLength).toBe(large.length)
  expect(read(memory)).toBe('12345678')
})

test('without a room each text has memory that nothing else is in', () => {
  const bytes = new TextRoom().write('größer 😀')
  expect(read(bytes)).toBe('größer 😀')
  expect(bytes.buffer.byteLength).toBe(bytes.length)
})
