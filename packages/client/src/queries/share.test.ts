import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { share, shareItems } from './share.ts'

describe('sharing', () => {
  it('QCTL-12 a value that says the same is the previous object', () => {
    const previous = { a: [1, { b: 'c' }], at: new Date(5), none: null, gone: undefined }
    expect(share(previous, structuredClone(previous))).toBe(previous)
  })

  it('QCTL-12 what changed is new, what did not is the previous object at every level', () => {
    const previous = { kept: { deep: [1, 2] }, changed: { text: 'old', kept: { x: 1 } } }
    const next = share<typeof previous>(previous, { kept: { deep: [1, 2] }, changed: { text: 'new', kept: { x: 1 } } })
    expect(next).not.toBe(previous)
    expect(next.kept).toBe(previous.kept)
    expect(next.changed).toEqual({ text: 'new', kept: { x: 1 } })
    expect(next.changed.kept).toBe(previous.changed.kept)
  })

  it.each<[string, unknown, unknown]>([
    ['a date and another', new Date(1), new Date(2)],
    ['a date and its text', new Date(1), new Date(1).toISOString()],
    ['a list and an object', [], {}],
    ['a member less', { a: 1, b: 2 }, { a: 1 }],
    ['a member more', { a: 1 }, { a: 1, b: undefined }],
    ['another member', { a: undefined }, { b: undefined }],
    ['null and an object', null, {}],
    ['an item less', [1, 2], [1]],
    ['zero and minus zero', 0, -0],
  ])('tells %s apart', (_name, previous, next) => {
    expect(share(previous, next)).toStrictEqual(next)
    expect(share(previous, next)).not.toBe(previous)
  })

  it('gives back exactly what was put in, for any two values', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (previous, next) => {
        const before = structuredClone(previous)
        expect(share(previous, next)).toStrictEqual(next)
        expect(previous).toStrictEqual(before)
      }),
    )
  })

  it('QCTL-12 items are recognised by id wherever they moved to', () => {
    const previous = [
      { id: 'a', n: 1 },
      { id: 'b', n: 2 },
    ]
    const next = shareItems(previous, [
      { id: 'b', n: 2 },
      { id: 'c', n: 3 },
      { id: 'a', n: 4 },
    ])
    expect(next[0]).toBe(previous[1])
    expect(next[2]).toEqual({ id: 'a', n: 4 })
    expect(shareItems(previous, structuredClone(previous))).toBe(previous)
  })
})
