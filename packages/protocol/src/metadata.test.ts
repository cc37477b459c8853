import { describe, expect, it } from 'vitest'
import { limits } from './limits.ts'
import { deleteMetadata, metadataFault, setMetadata } from './metadata.ts'

const nested = (depth: number): unknown => (depth === 0 ? 'x' : { a: nested(depth - 1) })

describe('metadata', () => {
  it.each<[string, unknown]>([
    ['nothing', {}],
    ['texts and trees', { a: 'b', c: { d: 'e', f: {} } }],
    ['an empty text', { a: '' }],
    ['every character a name may have', { 'aZ09_-': 'x' }],
    ['names like those of Object', { constructor: 'x', toString: { hasOwnProperty: 'y' } }],
    ['the most levels', nested(limits.maxMetadataDepth)],
    ['the longest name', { ['k'.repeat(limits.maxMetadataKeyLength)]: 'x' }],
    ['the longest value', { a: '😀'.repeat(limits.maxMetadataValueBytes / 4) }],
  ])('META-1 may be %s', (_name, value) => {
    expect(metadataFault(value)).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['absent', undefined],
    ['null', null],
    ['a text', 'x'],
    ['a list', []],
    ['a tree with a number', { a: 1 }],
    ['a tree with null', { a: null }],
    ['a tree with a list', { a: [] }],
    ['a tree with a boolean deep inside', { a: { b: { c: true } } }],
    ['one level too many', nested(limits.maxMetadataDepth + 1)],
    ['a name that is empty', { '': 'x' }],
    ['a name with a dot', { 'a.b': 'x' }],
    ['a name with a space', { 'a b': 'x' }],
    ['a name beyond ASCII', { ü: 'x' }],
    ['a name with a line break at its end', { 'a\n': 'x' }],
    ['a name that is too long', { ['k'.repeat(limits.maxMetadataKeyLength + 1)]: 'x' }],
    ['the prototype', JSON.parse('{"__proto__":"x"}')],
    ['a value one byte too long', { a: `${'é'.repeat(limits.maxMetadataValueBytes / 2)}x` }],
    ['U+0000', { a: '\u0000' }],
    ['half a character', { a: '\uD83D' }],
  ])('META-1 may not be %s', (_name, value) => {
    expect(metadataFault(value)).toEqual(expect.any(String))
  })

  it('is copied where it is changed and shared where it is not', () => {
    const before = { a: { b: '1' }, c: { d: '2' } }
    const after = setMetadata(before, ['a', 'b'], 'x')
    expect(after).toEqual({ a: { b: 'x' }, c: { d: '2' } })
    expect(after?.c).toBe(before.c)
    expect(before.a).toEqual({ b: '1' })
    expect(deleteMetadata(before, ['a', 'b'])).toEqual({ a: {}, c: { d: '2' } })
    expect(before.a).toEqual({ b: '1' })
  })

  it('that lacks what is to be deleted is the same object', () => {
    const before = { a: '1' }
    expect(deleteMetadata(before, ['x'])).toBe(before)
  })
})
