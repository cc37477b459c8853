import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { operationSchemas } from '../operations/index.ts'
import { readCommonOperation } from './common-operation.ts'
import { upFrame } from './up.ts'

/** What the schemas make of a decoded frame: the operation with its input, or undefined if they refuse any of it. */
function bySchema(value: unknown) {
  const frame = v.safeParse(upFrame, value)
  if (!frame.success || frame.output.type !== 'operation') return undefined
  const { id, name, after } = frame.output
  if (name !== 'send-message' && name !== 'mark-messages') return undefined
  const input = v.safeParse(operationSchemas[name], frame.output.input)
  return input.success ? { name, id, after, input: input.output } : undefined
}

const uuid = fc.uuid()
const anyCase = uuid.chain((id) => fc.constantFrom(id, id.toUpperCase()))
const prefixed = (prefix: string) => anyCase.chain((id) => fc.constantFrom(id, `layer:///${prefix}/${id}`))
const part = fc.record({
  mime_type: fc.constantFrom('text/plain', 'image/png', 'text/plain; charset=utf-8', 'application/x+json'),
  body: fc.oneof(
    fc.string({ maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constant('é'.repeat(1024)),
  ),
})
const sendMessage = fc.record({
  id: prefixed('messages'),
  conversation: prefixed('conversations'),
  parts: fc.array(part, { minLength: 1, maxLength: 3 }),
})
const markMessages = fc.record(
  {
    conversation: prefixed('conversations'),
    receipt: fc.constantFrom('delivery', 'read'),
    position: fc.integer({ min: 1 }),
    only: fc.boolean(),
  },
  { requiredKeys: ['conversation', 'receipt', 'position'] },
)
const frame = fc
  .oneof(
    fc.record({ name: fc.constant('send-message'), input: sendMessage }),
    fc.record({ name: fc.constant('mark-messages'), input: markMessages }),
  )
  .chain((of) =>
    fc.record(
      {
        type: fc.constant('operation'),
        id: anyCase,
        name: fc.constant(of.name),
        input: fc.constant(of.input),
        after: uuid,
      },
      { requiredKeys: ['type', 'id', 'name', 'input'] },
    ),
  )

const strange = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    '',
    'x',
    -1,
    0,
    1.5,
    2 ** 53,
    [],
    {},
    true,
    '\u0000',
    '\ud800',
    'layer:///',
    'é'.repeat(1025),
  ),
  fc.constantFrom<unknown>('text', 'text/', '/plain', 'text/plain\n', `a/${'b'.repeat(254)}`, `a/b; ${'\u0000'}`),
)
const names = fc.constantFrom(
  ...['type', 'id', 'name', 'input', 'after', 'conversation', 'parts', 'mime_type', 'body', 'encoding', 'notification'],
  ...['receipt', 'position', 'only', '__proto__', 'toString', 'constructor', 'length'],
)

/** A copy with something strange somewhere in it, as JSON text would bring it. */
function spoil(value: unknown, steps: readonly number[], name: string, what: unknown, how: 'put' | 'delete'): unknown {
  if (typeof value !== 'object' || value === null || steps.length === 0) return what
  const keys = Object.keys(value)
  const [step = 0, ...rest] = steps
  const key =
    step < 0 || keys.length === 0 ? (Array.isArray(value) ? String(keys.length) : name) : keys[step % keys.length]!
  if (Array.isArray(value)) {
    const copy = [...value]
    copy[Number(key)] = spoil(copy[Number(key)], rest, name, what, how)
    return copy
  }
  const entries = Object.entries(value).filter(([one]) => one !== key)
  if (how === 'delete') return Object.fromEntries(entries)
  const inner = Object.hasOwn(value, key) ? spoil((value as Record<string, unknown>)[key], rest, name, what, how) : what
  const text = [...entries, [key, inner]].map(
    ([one, member]) => `${JSON.stringify(one)}:${JSON.stringify(member) ?? 'null'}`,
  )
  return JSON.parse(`{${text.join(',')}}`)
}

const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null')

describe('the short cut for messages and receipts', () => {
  it('reads what the schemas read, the same way', () => {
    let read = 0
    fc.assert(
      fc.property(frame, (value) => {
        const decoded = asJson(value)
        const expected = bySchema(decoded)
        const common = readCommonOperation(decoded)
        if (common) read++
        if (expected) expect(common).toEqual(expected)
        else expect(common).toBeUndefined()
      }),
      { numRuns: 2_000 },
    )
    expect(read).toBeGreaterThan(500)
  })

  it('lets nothing pass that the schemas refuse, however a frame is spoilt', () => {
    const spoilt = fc
      .tuple(
        frame,
        fc.array(fc.integer({ min: -1, max: 5 }), { maxLength: 5 }),
        names,
        strange,
        fc.constantFrom('put', 'delete'),
      )
      .map(([value, steps, name, what, how]) => spoil(asJson(value), steps, name, what, how as 'put'))
    fc.assert(
      fc.property(fc.oneof(spoilt, strange), (value) => {
        const decoded = asJson(value)
        const common = readCommonOperation(decoded)
        if (common) expect(common).toEqual(bySchema(decoded))
      }),
      { numRuns: 20_000 },
    )
  })

  it.each([
    ['a lone surrogate', { mime_type: 'text/plain', body: '\ud800' }],
    ['U+0000', { mime_type: 'text/plain', body: 'a\u0000' }],
    ['a body that is too long', { mime_type: 'text/plain', body: 'é'.repeat(1025) }],
    ['no body', { mime_type: 'text/plain' }],
    ['a type that is none', { mime_type: 'plain', body: '' }],
    ['an encoding', { mime_type: 'text/plain', body: '', encoding: 'base64' }],
    ['a member nobody knows', { mime_type: 'text/plain', body: '', more: 1 }],
  ])('leaves a part with %s to the schemas', (_what, part) => {
    const id = '7f2c2d0e-0000-4000-8000-000000000001'
    const input = { id, conversation: id, parts: [part] }
    expect(readCommonOperation({ type: 'operation', id, name: 'send-message', input })).toBeUndefined()
  })
})
