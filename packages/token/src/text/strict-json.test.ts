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

test('EIT-3 a member that is named again is found wherever it is and however it is written', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '"', '\\', ':', '{', ' ', ',') })
  const value = fc.jsonValue({ maxDepth: 3 })
  const around = fc.array(fc.tuple(name, value), { maxLength: 4 })
  fc.assert(
    fc.property(around, name, value, fc.boolean(), (members, again, last, isEscaped) => {
      const unique = [...new Map([...members, [again, last]])].map(([key, one]) => [
        JSON.stringify(key),
        JSON.stringify(one),
      ])
      const text = (all: string[][]) => `{"x":[1,{${all.map(([key, one]) => `${key} \n: ${one}`).join(' , ')}}]}`
      expect(hasUniqueMembers(text(unique))).toBe(true)
      const code = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
      const written = isEscaped ? `"${[...again].map(code).join('')}"` : JSON.stringify(again)
      expect(hasUniqueMembers(text([[written, '{}'], ...unique]))).toBe(false)
    }),
  )
})
