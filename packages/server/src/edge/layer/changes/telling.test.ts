import { describe, expect, it } from 'vitest'
import { gained } from './telling.ts'

describe('positions a mark gained', () => {
  it.each([
    [[], [1, 3], [3, 2, 1]],
    [[1, 3], [1, 3], []],
    [
      [1, 3],
      [1, 5],
      [5, 4],
    ],
    [[1, 3], [1, 3, 7, 7], [7]],
    [
      [1, 3, 5, 5],
      [1, 6],
      [6, 4],
    ],
    [
      [2, 2, 4, 4],
      [1, 5],
      [5, 3, 1],
    ],
    [[1, 9], [], []],
  ])('LAY-37 from %j to %j: %j, newest first', (before, after, expected) => {
    expect(gained(before, after, 100)).toEqual(expected)
  })

  it('LAY-37 of a mark over everything only the newest are told', () => {
    expect(gained([], [1, 1_000_000_000], 3)).toEqual([1_000_000_000, 999_999_999, 999_999_998])
  })
})
