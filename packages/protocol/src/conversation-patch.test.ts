import { describe, expect, it } from 'vitest'
import { type PatchableConversation, patchConversation } from './conversation-patch.ts'
import type { UserId } from './ids.ts'
import { limits } from './limits.ts'
import type { Metadata } from './metadata.ts'
import type { PatchOperation } from './patch.ts'

const people = (...names: string[]) => names as UserId[]
const conversation = (metadata: Metadata = {}): PatchableConversation => ({
  participants: people('alice', 'bob'),
  metadata,
})
const identity = (name: string) => `layer:///identities/${name}`

describe('patching participants', () => {
  it.each<[string, PatchOperation[], string[]]>([
    ['adds by id', [{ operation: 'add', property: 'participants', id: identity('cleo') }], ['alice', 'bob', 'cleo']],
    [
      'adds by value, also a bare user id',
      [{ operation: 'add', property: 'participants', value: 'cleo' }],
      ['alice', 'bob', 'cleo'],
    ],
    [
      'adding who is there changes nothing',
      [{ operation: 'add', property: 'participants', id: identity('bob') }],
      ['alice', 'bob'],
    ],
    ['removes', [{ operation: 'remove', property: 'participants', id: identity('alice') }], ['bob']],
    [
      'removing who is not there changes nothing',
      [{ operation: 'remove', property: 'participants', value: 'cleo' }],
      ['alice', 'bob'],
    ],
    [
      'sets, each once',
      [{ operation: 'set', property: 'participants', value: [identity('cleo'), 'bob', 'cleo'] }],
      ['cleo', 'bob'],
    ],
    [
      'goes through nobody on the way to somebody',
      [
        { operation: 'set', property: 'participants', value: [] },
        { operation: 'add', property: 'participants', value: 'cleo' },
      ],
      ['cleo'],
    ],
  ])('%s', (_name, patch, expected) => {
    expect(participantsOf(patchConversation(conversation(), patch))).toEqual(expected)
  })

  it.each<[string, PatchOperation]>([
    ['nobody', { operation: 'set', property: 'participants', value: [] }],
    ['no list', { operation: 'set', property: 'participants', value: 'cleo' }],
    ['a list of numbers', { operation: 'set', property: 'participants', value: [1] }],
    ['an empty name', { operation: 'add', property: 'participants', value: '' }],
    ['a foreign id', { operation: 'add', property: 'participants', value: 'layer:///identities/%zz' }],
    ['no name at all', { operation: 'remove', property: 'participants' }],
    ['deleting the list', { operation: 'delete', property: 'participants' }],
    ['a part of the list', { operation: 'set', property: 'participants.0', value: 'cleo' }],
    [
      'more than any server may allow',
      { operation: 'set', property: 'participants', value: many(limits.maxParticipantsAnywhere + 1) },
    ],
  ])('CNV-8 refuses %s', (_name, operation) => {
    expect(refusalOf(patchConversation(conversation(), [operation]))).toMatchObject({ id: 'invalid_property' })
  })

  it.each([2, 25, 1_000, limits.maxParticipantsAnywhere])('CNV-8 takes as many as %i, and not one more', (max) => {
    const setting = (count: number): PatchOperation[] => [
      { operation: 'set', property: 'participants', value: many(count) },
    ]
    expect(participantsOf(patchConversation(conversation(), setting(max), max))).toHaveLength(max)
    expect(refusalOf(patchConversation(conversation(), setting(max + 1), max))).toEqual({
      id: 'invalid_property',
      message: `A conversation has at most ${max} participants.`,
      data: { property: 'participants' },
    })
  })
})

describe('patching metadata', () => {
  it.each<[string, Metadata, PatchOperation[], Metadata]>([
    ['sets a value', {}, [{ operation: 'set', property: 'metadata.a', value: 'x' }], { a: 'x' }],
    [
      'makes the levels on the way',
      {},
      [{ operation: 'set', property: 'metadata.a.b.c', value: 'x' }],
      { a: { b: { c: 'x' } } },
    ],
    [
      'keeps what is beside',
      { a: { b: '1' }, z: '2' },
      [{ operation: 'set', property: 'metadata.a.c', value: 'x' }],
      { a: { b: '1', c: 'x' }, z: '2' },
    ],
    [
      'sets a tree',
      { a: '1' },
      [{ operation: 'set', property: 'metadata.b', value: { c: 'd' } }],
      { a: '1', b: { c: 'd' } },
    ],
    ['sets all of it', { a: '1' }, [{ operation: 'set', property: 'metadata', value: { b: '2' } }], { b: '2' }],
    [
      'sets a value in place of a tree',
      { a: { b: '1' } },
      [{ operation: 'set', property: 'metadata.a', value: 'x' }],
      { a: 'x' },
    ],
    ['deletes', { a: '1', b: '2' }, [{ operation: 'delete', property: 'metadata.a' }], { b: '2' }],
    [
      'deletes deep inside and leaves an empty level',
      { a: { b: '1' } },
      [{ operation: 'delete', property: 'metadata.a.b' }],
      { a: {} },
    ],
    [
      'deleting what is not there changes nothing',
      { a: '1' },
      [{ operation: 'delete', property: 'metadata.x.y' }],
      { a: '1' },
    ],
    [
      'works in order',
      {},
      [
        { operation: 'set', property: 'metadata.a', value: '1' },
        { operation: 'delete', property: 'metadata.a' },
        { operation: 'set', property: 'metadata.b', value: '2' },
      ],
      { b: '2' },
    ],
    [
      'names like those of Object are names',
      {},
      [{ operation: 'set', property: 'metadata.constructor.toString', value: 'x' }],
      { constructor: { toString: 'x' } },
    ],
    [
      'deleting a name like one of Object changes nothing',
      { a: '1' },
      [{ operation: 'delete', property: 'metadata.constructor.name' }],
      { a: '1' },
    ],
  ])('%s', (_name, before, patch, after) => {
    const frozen = deepFreeze(structuredClone(before))
    expect(metadataOf(patchConversation(conversation(frozen), patch))).toEqual(after)
  })

  it.each<[string, PatchOperation]>([
    ['through a string', { operation: 'set', property: 'metadata.text.b', value: 'x' }],
    ['deleting through a string', { operation: 'delete', property: 'metadata.text.b' }],
    ['a number', { operation: 'set', property: 'metadata.a', value: 1 }],
    ['null', { operation: 'set', property: 'metadata.a', value: null }],
    ['a list', { operation: 'set', property: 'metadata.a', value: ['x'] }],
    ['a number deep inside', { operation: 'set', property: 'metadata', value: { a: { b: 1 } } }],
    ['a text as the whole', { operation: 'set', property: 'metadata', value: 'x' }],
    ['deleting the whole', { operation: 'delete', property: 'metadata' }],
    ['the prototype', { operation: 'set', property: 'metadata.__proto__.polluted', value: 'x' }],
    [
      'the prototype as a member',
      { operation: 'set', property: 'metadata', value: JSON.parse('{"__proto__":{"a":"b"}}') },
    ],
    ['an empty name', { operation: 'set', property: 'metadata..a', value: 'x' }],
    ['a name with a dot', { operation: 'set', property: 'metadata.a\\.b', value: 'x' }],
    ['a name that is too long', { operation: 'set', property: `metadata.${'x'.repeat(129)}`, value: 'x' }],
    ['too many levels', { operation: 'set', property: `metadata.${Array(9).fill('a').join('.')}`, value: 'x' }],
    ['a value that is too long', { operation: 'set', property: 'metadata.a', value: 'é'.repeat(1025) }],
    ['text that stores would change', { operation: 'set', property: 'metadata.a', value: '\uD800' }],
    ['adding', { operation: 'add', property: 'metadata.a', value: 'x' }],
    ['anything else', { operation: 'set', property: 'createdAt', value: 'x' }],
    ['an empty path', { operation: 'set', property: '', value: 'x' }],
  ])('refuses %s, and does nothing of the patch', (_name, operation) => {
    const before = deepFreeze<Metadata>({ text: 'x' })
    const patch: PatchOperation[] = [{ operation: 'set', property: 'metadata.first', value: 'x' }, operation]
    expect(refusalOf(patchConversation(conversation(before), patch))).toMatchObject({ id: 'invalid_property' })
    expect(({} as { polluted?: string }).polluted).toBeUndefined()
  })

  it('asks for a value where one is needed', () => {
    const outcome = patchConversation(conversation(), [{ operation: 'set', property: 'metadata.a' }])
    expect(refusalOf(outcome)).toMatchObject({ id: 'missing_property' })
  })

  it('refuses metadata that grew too large as a whole', () => {
    const patch = Array.from({ length: 20 }, (_, i): PatchOperation => {
      return { operation: 'set', property: `metadata.key${i}`, value: 'x'.repeat(2000) }
    })
    expect(refusalOf(patchConversation(conversation(), patch))).toMatchObject({ id: 'invalid_property' })
    expect(metadataOf(patchConversation(conversation(), patch.slice(0, 10)))).toHaveProperty('key9')
  })

  it('an empty patch changes nothing', () => {
    const before = conversation({ a: '1' })
    expect(patchConversation(before, [])).toEqual({ conversation: before })
  })
})

type Outcome = ReturnType<typeof patchConversation>
const participantsOf = (outcome: Outcome) => ('conversation' in outcome ? outcome.conversation.participants : outcome)
const metadataOf = (outcome: Outcome) => ('conversation' in outcome ? outcome.conversation.metadata : outcome)
const refusalOf = (outcome: Outcome) => ('refusal' in outcome ? outcome.refusal : outcome)

function many(count: number): string[] {
  return Array.from({ length: count }, (_, i) => identity(`person${i}`))
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
