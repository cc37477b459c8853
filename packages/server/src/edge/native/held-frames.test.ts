import { expect, it } from 'vitest'
import { HeldFrames, HeldRoom, MAX_HELD_LENGTH } from './held-frames.ts'

function holding(...texts: readonly string[]) {
  const room = new HeldRoom()
  const released: number[] = []
  const held = new HeldFrames(room, () => released.push(room.length))
  for (const text of texts) held.add(text)
  return { room, released, held }
}

it('92 what is held goes on in its order, as far as there is room', () => {
  const { held, room } = holding('one', 'two', 'three')
  const taken: string[] = []
  const upTo = (most: number) => (text: string) => taken.length < most && taken.push(text) > 0
  held.goOn(upTo(2))
  expect({ taken, isEmpty: held.isEmpty, length: room.length }).toEqual({
    taken: ['one', 'two'],
    isEmpty: false,
    length: 'three'.length,
  })
  held.add('four')
  held.goOn(upTo(4))
  expect({ taken, isEmpty: held.isEmpty, length: room.length }).toEqual({
    taken: ['one', 'two', 'three', 'four'],
    isEmpty: true,
    length: 0,
  })
})

it('92 an answer in the middle of going on does not hand on the same frame twice', () => {
  const { held } = holding('one', 'two')
  const taken: string[] = []
  const take = (text: string): boolean => {
    taken.push(text)
    held.goOn(take)
    return true
  }
  held.goOn(take)
  expect(taken).toEqual(['one', 'two'])
})

it('92 a connection that ends gives its room back, also in the middle of going on', () => {
  const { held, room, released } = holding('one', 'two')
  held.goOn(() => {
    held.end()
    return true
  })
  expect({ length: room.length, released }).toEqual({ length: 0, released: [0] })
})

it('92 all connections together hold so much', () => {
  const { room } = holding('x'.repeat(MAX_HELD_LENGTH - 1))
  expect(room.isFull).toBe(false)
  room.length++
  expect(room.isFull).toBe(true)
})
