import { markupPayloads, terminalEscapes } from '@parley/testkit'
import { expect, test } from 'vitest'
import { columns, jsonLine, printable } from './printable.ts'

test.each([
  ['a colour', '\u001b[31mred\u001b[0m', 'red'],
  ['a window title', 'a\u001b]0;owned\u0007b', 'ab'],
  ['a link', '\u001b]8;;http://evil\u001b\\click\u001b]8;;\u001b\\', 'click'],
  ['an 8-bit sequence', 'a\u009b2Jb', 'ab'],
  ['a sequence cut short', 'a\u001b[', 'a'],
  ['lines and bells', 'a\nb\r\u0007c', 'abc'],
  ['a change of direction', 'a\u202egnp.exe', 'agnp.exe'],
  ['what people write', 'Zoë’s 🐈 — 猫', 'Zoë’s 🐈 — 猫'],
])('%s is made harmless', (_, text, clean) => {
  expect(printable(text)).toBe(clean)
})

test('JSON stays one line, means the same and holds nothing a terminal obeys', () => {
  const value = { name: 'a\u001b[31m\u009b2J\u2028\u202e\n' }
  const line = jsonLine(value)
  expect(JSON.parse(line)).toEqual(value)
  expect(line).toMatch(/^[\x20-\x7e]+$/)
})

test('columns line up', () => {
  expect(
    columns([
      ['app', 'name'],
      ['a-longer-one', '\u001b[1mx'],
    ]),
  ).toBe('app           name\na-longer-one  x')
})

test(`132 nothing that a terminal obeys is left of ${markupPayloads.length} hostile names, in columns or in JSON`, () => {
  const names = [...markupPayloads, ...terminalEscapes.map((text) => `a${text}b${text}c`)]
  for (const line of columns(names.map((name) => [name, 'x'])).split('\n')) {
    expect(line).toMatch(/^[^\p{Cc}\p{Bidi_Control}\u2028\u2029]*$/u)
  }
  expect(columns(names.map((name) => [name, 'x'])).split('\n')).toHaveLength(names.length)
  for (const name of names) {
    expect(jsonLine({ name })).toMatch(/^[^\p{Cc}\p{Bidi_Control}\u2028\u2029]*$/u)
    expect(JSON.parse(jsonLine({ name }))).toEqual({ name })
  }
})
