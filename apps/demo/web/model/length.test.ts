import { expect, it } from 'vitest'
import { textRoom } from './length.ts'

it('counts bytes, and tells when a message is nearly or too long', () => {
  expect(textRoom('hello')).toEqual({ leftBytes: 2043, isNear: false, isOver: false })
  expect(textRoom('é'.repeat(1000))).toEqual({ leftBytes: 48, isNear: true, isOver: false })
  expect(textRoom('😀'.repeat(513))).toEqual({ leftBytes: -4, isNear: true, isOver: true })
})
