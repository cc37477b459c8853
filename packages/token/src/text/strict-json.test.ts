import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasUniqueMembers, member, parseJsonObject } from './strict-json.ts'

const parse = (text: string) => parseJsonObject(new TextEncoder().encode(text))

test.each([
  ['{"a":1,"a":1}', false],
  ['{"a":1,"b":{"a":1}}', true],
  ['{"a":{"b":1},"b":{"b":1}}', true],
  ['{"a":{"b":1,"b":2}}', false],
  ['[{"a":1},{"a":1}]', true],
  ['[{"a":1},{"b":1,"b":1}]', false],
  ['{"a":["a","a"],"b":"a"}', true],
  ['{"a":"\\"a\\":1,\\"a\\":","b":"{"}', true],
  ['{"\\u0061":1,"a":1}', false],
  ['{"a\\\\":1,"a":1}', true],
  ['{"":1,"":1}', false],
  [`${'['.repeat(32)}${']'.repeat(32)}`, true],
  [`${'['.repeat(33)}${']'.repeat(33)}`, false],
])('EIT-3 each member of %s is named once and not too deep: %s', (json, unique) => {
  expect(hasUniqueMembers(json)).toBe(unique)
})

test('EIT-3 whatever a serialiser writes is read back', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 })), (object) => {
      const text = JSON.stringify(object)
      expect(parse(text)).toEqual(JSON.parse(text))
    }),
    { numRuns: 300 },
  )
})

test('a member is never inherited', () => {
  expect(member(parse('{"__proto__":{"alg":"none"}}')!, 'alg')).toBeUndefined()
  expect(member({}, 'constructor')).toBeUndefined()
})
