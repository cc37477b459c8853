import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isTooDeep, type Json, sameJson, utf8Length } from './json.ts'

describe('depth', () => {
  it.each<[unknown, number, boolean]>([
    ['text', 0, false],
    [null, 0, false],
    [{}, 0, true],
    [{}, 1, false],
    [[], 1, false],
    [{ a: 'b' }, 1, false],
    [{ a: {} }, 1, true],
    [[[[]]], 2, true],
    [[[[]]], 3, false],
    [{ flat: [1, 2, 3], deep: { a: { b: [] } } }, 3, true],
  ])('%j is deeper than %i: %s', (value, max, expected) => {
    expect(isTooDeep(value, max)).toBe(expected)
  })

  it('of hostile input is found without walking all of it', () => {
    const hostile = JSON.parse('['.repeat(60_000) + ']'.repeat(60_000))
    expect(isTooDeep(hostile, 32)).toBe(true)
  })

  it('counts members of a prototype name like any other', () => {
    expect(isTooDeep(JSON.parse('{"__proto__":{"a":{}}}'), 2)).toBe(true)
  })
})

describe('length in UTF-8', () => {
  it.each(['', 'plain', 'é', '€', '😀', 'a😀é€', '\u0000', '\u07FF\u0800\uFFFF'])(
    'of %j is what encoding says',
    (text) => {
      expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length)
    },
  )

  it('of any well-formed text is what encoding says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Length(text)).toBe(new TextEncoder().encode(text).length)
      }),
    )
  })
})

describe('sameness', () => {
  it.each<[Json, Json, boolean]>([
    [1, 1, true],
    ['1', 1, false],
    [null, {}, false],
    [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1, b: 2 }, { a: 1 }, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [{}, { toString: 'x' }, false],
    [{ toString: 'x' }, { other: 'x' }, false],
  ])('of %j and %j: %s', (a, b, expected) => {
    expect(sameJson(a, b)).toBe(expected)
    expect(sameJson(b, a)).toBe(expected)
  })

  it('does not look at the order of members, and at nothing but the value', () => {
    const reordered = (value: unknown): unknown => {
      if (typeof value !== 'object' || value === null) return value
      if (Array.isArray(value)) return value.map(reordered)
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, member]) => [key, reordered(member)]),
      )
    }
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json
        expect(sameJson(json, reordered(json) as Json)).toBe(true)
      }),
    )
  })
})
