import { expect, it } from 'vitest'
import { readDownFrame } from './down-frame.ts'

const change = { type: 'change', stream: 'inbox', after: 0, sequence: 1, cursor: '1', rows: [] }
const read = (value: unknown) => readDownFrame(JSON.stringify(value))

it('CON-11 a frame is read, and one of a newer server is passed over', () => {
  expect(read(change)).toEqual(change)
  expect(read({ type: 'fanfare' })).toBe('unknown')
  expect(read({ type: 'toString' })).toBe('unknown')
})

it('CON-11 what is damaged is not believed', () => {
  const damaged = [
    { ...change, sequence: '1' },
    { ...change, sequence: -1 },
    { ...change, rows: [{ type: 'message' }] },
    { ...change, rows: null },
    { type: 'acknowledgement', id: 'x' },
    { type: 'acknowledgement', id: 'x', refusal: {} },
    { type: 'heads', streams: [{}], cursor: null },
    { type: 'rows', id: 1, stream: 'inbox', sequence: 1 },
    { type: 'challenge' },
    [],
    null,
    7,
    {},
  ]
  for (const each of damaged) expect(read(each)).toBeUndefined()
  expect(readDownFrame('{"type":"pong"')).toBeUndefined()
  expect(readDownFrame(undefined)).toBeUndefined()
})
