import { expect, it } from 'vitest'
import { bigints, integers, jsons, texts, uuids } from './arrays.ts'

const hex = (column: Buffer | null) => column!.toString('hex')
const HEADER = (nulls: number, type: number, length: number) =>
  [1, nulls, type, length, 1].map((value) => value.toString(16).padStart(8, '0')).join('')

it('whole numbers are written as PostgreSQL reads arrays, beyond 32 bits and below zero too', () => {
  expect(hex(integers([1, -1]))).toBe(`${HEADER(0, 23, 2)}00000004${'00000001'}00000004${'ffffffff'}`)
  expect(hex(bigints([1_800_000_000_000, -2]))).toBe(
    `${HEADER(0, 20, 2)}00000008${'000001a3185c5000'}00000008${'fffffffffffffffe'}`,
  )
})

it('null has no length, and the array says that there is one', () => {
  expect(hex(bigints([null, 5]))).toBe(`${HEADER(1, 20, 2)}ffffffff00000008${'0000000000000005'}`)
})

it('texts are written with their lengths in bytes, whatever they are made of', () => {
  const encoded = (values: readonly string[]) =>
    values.map((value) => {
      const bytes = Buffer.from(value)
      return bytes.length.toString(16).padStart(8, '0') + bytes.toString('hex')
    })
  const plain = ['ann', '{a,b}', 'say "hi"', 'back\\slash', 'NULL', '']
  for (const values of [plain, [...plain, 'Zoë', '日本', '👋🏽', ''], ['\ud83d', '\udc4b', 'half']]) {
    expect(hex(texts(values))).toBe([HEADER(0, 25, values.length), ...encoded(values)].join(''))
    expect(hex(jsons(values))).toBe([HEADER(0, 114, values.length), ...encoded(values)].join(''))
  }
})

it('ids are written in 16 bytes each', () => {
  const ids = ['01890a5d-ac96-774b-bcce-b302099a8057', 'ffffffff-ffff-4fff-bfff-ffffffffffff']
  expect(hex(uuids(ids))).toBe(
    `${HEADER(0, 2950, 2)}00000010${'01890a5dac96774bbcceb302099a8057'}00000010${'ffffffffffff4fffbfffffffffffffff'}`,
  )
})

it('what is no id is written nowhere', () => {
  const id = '01890a5d-ac96-774b-bcce-b302099a8057'
  for (const none of ['', 'a', id.slice(1), id.replace('0', 'x'), id.replaceAll('-', '0'), `${id}0`]) {
    expect(() => uuids([id, none, id])).toThrow()
    expect(() => uuids([id, none])).toThrow()
  }
})

it('none of them are no array', () => {
  expect([integers, bigints, texts, jsons, uuids].map((written) => written([]))).toEqual(Array(5).fill(null))
})
