import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  addPositions,
  addUpTo,
  boundPositions,
  countPositions,
  EMPTY_POSITIONS,
  hasPosition,
  isPositionSet,
  MAX_POSITION_RANGES,
  missingPositions,
  type PositionSet,
  samePositions,
  unionPositions,
  watermark,
} from './position-set.ts'

describe('adding positions', () => {
  it.each<[string, PositionSet, number, number, PositionSet]>([
    ['to nothing', [], 3, 5, [3, 5]],
    ['before', [7, 9], 3, 5, [3, 5, 7, 9]],
    ['behind', [3, 5], 7, 9, [3, 5, 7, 9]],
    ['between', [1, 2, 9, 9], 5, 6, [1, 2, 5, 6, 9, 9]],
    ['touching from below', [5, 6], 3, 4, [3, 6]],
    ['touching from above', [3, 4], 5, 6, [3, 6]],
    ['that close a gap', [1, 2, 4, 5], 3, 3, [1, 5]],
    ['that overlap several', [1, 2, 4, 5, 8, 9, 20, 20], 2, 10, [1, 10, 20, 20]],
    ['that cover everything', [4, 5, 8, 9], 1, 100, [1, 100]],
    ['that are one', [], 1, 1, [1, 1]],
  ])('%s', (_name, set, from, to, expected) => {
    expect(addPositions(set, from, to)).toEqual(expected)
  })

  it.each<[string, PositionSet, number, number]>([
    ['already there', [1, 9], 3, 5],
    ['all of one range', [1, 2, 5, 9], 5, 9],
    ['backwards', [1, 2], 9, 5],
  ])('%s gives back the same set', (_name, set, from, to) => {
    expect(addPositions(set, from, to)).toBe(set)
  })

  it('RCT-1 never takes any away, and leaves the set it was given as it was', () => {
    const set = Object.freeze([2, 3, 7, 7])
    expect(addUpTo(set, 5)).toEqual([1, 5, 7, 7])
    expect(addUpTo(set, 0)).toBe(set)
    expect(set).toEqual([2, 3, 7, 7])
  })
})

describe('a mark that would have too many ranges', () => {
  const islands = Array.from({ length: MAX_POSITION_RANGES }, (_, i) => [10 * (i + 1), 10 * (i + 1)]).flat()

  it('closes its lowest gap', () => {
    const next = 10 * (MAX_POSITION_RANGES + 1)
    const set = boundPositions(addPositions(islands, next, next))
    expect(set).toHaveLength(2 * MAX_POSITION_RANGES)
    expect(set.slice(0, 4)).toEqual([10, 20, 30, 30])
    expect(isPositionSet(set)).toBe(true)
    expect(hasPosition(set, next)).toBe(true)
  })

  it('may close the gap it was just given', () => {
    const set = boundPositions(addPositions(islands, 1, 1))
    expect(set.slice(0, 4)).toEqual([1, 10, 20, 20])
    expect(set).toHaveLength(2 * MAX_POSITION_RANGES)
  })
})

describe('what a set says', () => {
  it.each<[PositionSet, number]>([
    [[], 0],
    [[2, 9], 0],
    [[1, 1], 1],
    [[1, 7, 9, 9], 7],
  ])('the watermark of %j is %i', (set, expected) => {
    expect(watermark(set)).toBe(expected)
  })

  it.each<[PositionSet, number, PositionSet]>([
    [[], 0, []],
    [[], 3, [1, 3]],
    [[1, 3], 3, []],
    [[1, 3], 2, []],
    [[2, 3], 5, [1, 1, 4, 5]],
    [[1, 2, 5, 6], 9, [3, 4, 7, 9]],
    [[4, 9], 2, [1, 2]],
    [[3, 9], 3, [1, 2]],
  ])('of 1 to … %j leaves up to %i: %j', (set, head, expected) => {
    expect(missingPositions(set, head)).toEqual(expected)
  })

  it('two sets are the same if they hold the same', () => {
    expect(samePositions([1, 2], [1, 2])).toBe(true)
    expect(samePositions([1, 2], [1, 3])).toBe(false)
    expect(samePositions([1, 2], [1, 2, 4, 4])).toBe(false)
    expect(samePositions([], EMPTY_POSITIONS)).toBe(true)
  })
})

describe('what the wire may carry', () => {
  it.each<{ set: unknown }>([
    { set: [] },
    { set: [1, 1] },
    { set: [1, 57, 60, 60] },
    { set: [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] },
  ])('$set', ({ set: value }) => {
    expect(isPositionSet(value)).toBe(true)
  })

  it.each<[string, unknown]>([
    ['no list', { length: 0 }],
    ['null', null],
    ['half a pair', [1]],
    ['zero', [0, 3]],
    ['less than zero', [-2, -1]],
    ['backwards', [5, 4]],
    ['out of order', [5, 6, 1, 2]],
    ['overlapping', [1, 5, 5, 8]],
    ['touching', [1, 4, 5, 8]],
    ['fractions', [1, 2.5]],
    ['texts', ['1', '2']],
    ['not a number', [1, Number.NaN]],
    ['beyond what is safe', [1, Number.MAX_SAFE_INTEGER + 1]],
    ['a hole', [1, 2, undefined, 5]],
    ['too many ranges', Array.from({ length: 4_097 }, (_, i) => [3 * i + 1, 3 * i + 1]).flat()],
  ])('but not %s', (_name, value) => {
    expect(isPositionSet(value)).toBe(false)
  })
})

describe('against a plain set', () => {
  const range = fc.record({ from: fc.integer({ min: 1, max: 60 }), length: fc.integer({ min: 0, max: 12 }) })
  const ranges = fc.array(range, { maxLength: 20 })

  it('every function agrees, whatever was added', () => {
    fc.assert(
      fc.property(ranges, ranges, fc.nat(80), (added, others, head) => {
        const [set, plain] = build(added)
        const [other, otherPlain] = build(others)
        const all = Array.from({ length: 90 }, (_, i) => i)
        expect(isPositionSet(set)).toBe(true)
        expect(all.filter((position) => hasPosition(set, position))).toEqual(sorted(plain))
        expect(countPositions(set)).toBe(plain.size)
        const union = unionPositions(set, other)
        expect(isPositionSet(union)).toBe(true)
        expect(sorted(new Set([...plain, ...otherPlain]))).toEqual(
          all.filter((position) => hasPosition(union, position)),
        )
        expect(samePositions(union, unionPositions(other, set))).toBe(true)
        const missing = missingPositions(set, head)
        expect(isPositionSet(missing)).toBe(true)
        expect(all.filter((position) => hasPosition(missing, position))).toEqual(
          all.filter((position) => position >= 1 && position <= head && !plain.has(position)),
        )
        const firstMissing = all.find((position) => position >= 1 && !plain.has(position))!
        expect(watermark(set)).toBe(firstMissing - 1)
      }),
      { numRuns: 500 },
    )
  })

  function build(added: readonly { from: number; length: number }[]): [PositionSet, Set<number>] {
    let set = EMPTY_POSITIONS
    const plain = new Set<number>()
    for (const { from, length } of added) {
      const before = set
      set = addPositions(set, from, from + length - 1)
      const size = plain.size
      for (let position = from; position < from + length; position++) plain.add(position)
      // The same array exactly when nothing is new.
      expect(set === before).toBe(plain.size === size)
    }
    return [set, plain]
  }

  const sorted = (plain: ReadonlySet<number>) => [...plain].sort((a, b) => a - b)
})
