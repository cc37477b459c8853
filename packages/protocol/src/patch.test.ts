import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatPath, parsePath } from './patch.ts'

describe('a path', () => {
  it.each<[string, string[]]>([
    ['participants', ['participants']],
    ['metadata.a.b', ['metadata', 'a', 'b']],
    ['metadata.a\\.b', ['metadata', 'a.b']],
    ['metadata.a\\\\.b', ['metadata', 'a\\', 'b']],
    ['metadata.\\a', ['metadata', 'a']],
    ['', ['']],
    ['.', ['', '']],
    ['a..b', ['a', '', 'b']],
    ['a\\', ['a\\']],
    ['metadata.__proto__', ['metadata', '__proto__']],
    ['metadata.😀', ['metadata', '😀']],
  ])('META-4 %j means %j', (text, names) => {
    expect(parsePath(text)).toEqual(names)
  })

  it('written and read again is the same, whatever is in its names', () => {
    const name = fc.oneof(fc.string(), fc.constantFrom('.', '\\', '\\.', 'a.b', ''))
    fc.assert(
      fc.property(fc.array(name, { minLength: 1 }), (names) => {
        expect(parsePath(formatPath(names))).toEqual(names)
      }),
    )
  })
})
