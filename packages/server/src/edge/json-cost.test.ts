import { limits } from '@parley/protocol'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isCostlyJson } from './json-cost.ts'

const pad = (json: string) => `${json}${' '.repeat(5_000)}`
const members = (count: number) => `{${Array.from({ length: count }, (_, nth) => `"k${nth}":"v"`).join()}}`
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

it('128 the largest message there may be is not costly', () => {
  const part = { mime_type: 'a/b', encoding: 'base64', body: 'AAAA' }
  const input = { id: 'x', conversation: 'x', parts: Array.from({ length: limits.maxParts }, () => part) }
  const frame = JSON.stringify({ type: 'operation', id: 'x', name: 'send-message', input, after: 'x' })
  expect(frame.length).toBeLessThan(limits.maxFrameBytes)
  expect(isCostlyJson(frame)).toBe(false)
})

it.each([
  ['many members', pad(members(3_072)), false],
  ['one more', pad(members(3_073)), true],
  ['as deep as may be', pad(nested(limits.maxJsonDepth)), false],
  ['one deeper', pad(nested(limits.maxJsonDepth + 1)), true],
  ['side by side, not in one another', pad(`[${Array.from({ length: 500 }, () => '[]').join()}]`), false],
  ['brackets and colons in a text', JSON.stringify('[{:'.repeat(9_000)), false],
  ['a text that ends in backslashes', pad(`["\\\\","${':'.repeat(4_000)}\\"${'['.repeat(50)}"]`), false],
  ['a text without end', `"${'['.repeat(9_000)}`, false],
  ['what is too short to matter', members(300), false],
])('128 %s: costly is %s', (_, json, isCostly) => {
  expect(isCostlyJson(json)).toBe(isCostly)
})

it('128 whatever a serialiser writes, members and depth are counted as they are', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), { minKeys: 8, maxKeys: 20 }),
      (object) => {
        // Names and texts of any kind hide nothing: the same object often enough is costly, and once less is not.
        const names = Object.keys(object).length
        const fits = Math.floor(3_072 / names)
        const many = (count: number) => pad(JSON.stringify(Array.from({ length: count }, () => object)))
        expect([isCostlyJson(many(fits)), isCostlyJson(many(fits + 1))]).toEqual([false, true])
      },
    ),
    { numRuns: 4 },
  )
})
