/** Frames that nobody should send: near to good ones, and far from them, by chance from a seed. */
import { randomUUID } from 'node:crypto'
import type { SeededChance } from '../seeded-chance.ts'

const lone = '\ud83d'
const deep = (depth: number, inner: unknown = 1): unknown => {
  let value = inner
  for (let i = 0; i < depth; i++) value = i % 2 ? [value] : { a: value }
  return value
}

/** Values that are wrong nearly everywhere. JSON as text where no serialiser would write it. */
export class Oddities {
  readonly chance: SeededChance
  readonly ids: readonly string[]
  constructor(chance: SeededChance, ids: readonly string[]) {
    this.chance = chance
    this.ids = ids
  }

  value(): unknown {
    const { chance } = this
    return chance.pick<() => unknown>([
      () => null,
      () => chance.pick([true, false]),
      () => chance.pick([0, -1, 0.5, 2 ** 53, -(2 ** 53), 1e308, 7]),
      () => chance.pick(['', 'x', '\u0000', lone, `a${lone}b`, '\u202e', '__proto__', 'constructor', '💥'.repeat(40)]),
      () => 'x'.repeat(chance.below(3_000)),
      () => chance.pick(this.ids),
      () => randomUUID().toUpperCase(),
      () => `layer:///conversations/${randomUUID()}`,
      () => `layer:///messages/${lone}`,
      () => [],
      () => ({}),
      () => Array.from({ length: chance.below(2_000) }, () => 'x'),
      () => Array.from({ length: chance.below(300) }, () => ({ mime_type: 'a/b', body: '' })),
      () => deep(chance.pick([2, 31, 33, 40])),
      () => ({ $gt: '' }),
      () => Object.fromEntries(Array.from({ length: chance.below(300) }, (_, index) => [`k${index}`, 'v'])),
      () => JSON.parse('{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}'),
      () => ({ toString: 'x', valueOf: null, length: 9e9 }),
      () => [
        { operation: 'set', property: 'participants', value: Array.from({ length: 900 }, (_, index) => `p${index}`) },
      ],
      () => [{ operation: 'set', property: '__proto__.isAdmin', value: 'true' }],
      () => [{ operation: 'add', property: 'participants', id: this.value() }],
      () => [{ mime_type: 'text/plain', body: chance.pick(['\u0000', lone, 'x'.repeat(2_049)]) }],
      () => [{ mime_type: 'a/b', body: '====', encoding: 'base64' }],
    ])()
  }

  /** A good object with some members spoiled, missing or added. */
  spoil(good: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const spoiled: Record<string, unknown> = { ...good }
    const names = Object.keys(good)
    for (let n = this.chance.below(3); n >= 0 && names.length > 0; n--) {
      const name = this.chance.pick(names)
      if (this.chance.below(4) === 0) delete spoiled[name]
      else spoiled[name] = this.value()
    }
    if (this.chance.below(5) === 0) Object.assign(spoiled, { sender: 'admin', position: 1, app: 2, is_admin: true })
    return spoiled
  }

  /** Text that is nearly, or not at all, the JSON of a value. */
  text(value: unknown): string {
    const { chance } = this
    const json = JSON.stringify(value) ?? 'undefined'
    // Most are JSON, or nothing but the first door would ever be tried.
    if (chance.below(10) < 7) return json
    return chance.pick<() => string>([
      () => json,
      () => json,
      () => json,
      () => json.slice(0, chance.below(json.length)),
      () =>
        json.replace(/:/, chance.pick(['', '::', ':1e400,"x":', ':NaN,"x":', ':"\\ud800","x":', ':"\\u0000","x":'])),
      () => `${json}${chance.pick(['', '}', ',', '\u0000', ' x'])}`,
      () =>
        chance.pick(['', '[', '{', '"', 'null', '0', '-', '[]', '{}', '"\\ud800"', '1e400', '\ufeff{}', 'undefined']),
      () => '['.repeat(chance.pick([40, 1_000, 30_000])),
      () => `${'{"a":'.repeat(60)}1${'}'.repeat(60)}`,
      () => Buffer.from(chance.bytes(chance.below(200))).toString('latin1'),
    ])()
  }
}

const inputsOf = (
  conversation: string,
  message: string,
): Readonly<Record<string, Readonly<Record<string, unknown>>>> => ({
  'create-conversation': { id: randomUUID(), participants: ['ben'], distinct: false, metadata: { a: 'b' } },
  'send-message': { id: randomUUID(), conversation, parts: [{ mime_type: 'text/plain', body: 'x' }] },
  'mark-messages': { conversation, receipt: 'read', position: 1, only: false },
  'update-conversation': { conversation, patch: [{ operation: 'set', property: 'metadata.a', value: 'b' }] },
  'delete-conversation': { conversation, mode: 'my_devices', leave: false },
  'delete-message': { conversation, message, mode: 'my_devices' },
  nonsense: {},
  __proto__: {},
  'open-session': { id: randomUUID(), tokenHash: 'x', expiresAt: 9e15, claims: {} },
})

/** A frame of the native protocol, mostly an operation, with something wrong in it. */
export function oddFrame(oddities: Oddities, conversation: string, message: string): unknown {
  const { chance } = oddities
  const inputs = inputsOf(conversation, message)
  const name = chance.pick(Object.keys(inputs))
  const input = oddities.spoil(inputs[name] ?? {})
  const frames: readonly Record<string, unknown>[] = [
    { type: 'operation', id: input.id ?? randomUUID(), name, input },
    { type: 'operation', id: randomUUID(), name, input: chance.below(3) === 0 ? oddities.value() : input },
    { type: 'pull', id: 1, streams: [{ stream: conversation, after: 0 }] },
    { type: 'page', id: 2, conversation, before: null, limit: 10 },
    { type: 'typing', conversation, action: 'started' },
    { type: 'renew', identity_token: 'a.b.c' },
    { type: 'hello', session_token: 'x', cursor: null, epoch: null },
    { type: 'hello', identity_token: 'a.b.c', app_id: randomUUID(), cursor: null, epoch: null },
    { type: 'nonce', app_id: randomUUID() },
    { type: chance.pick(['welcome', 'goodbye', '__proto__', 'constructor', 'Operation']), id: 1 },
  ]
  const frame = chance.below(3) > 0 ? frames[chance.below(2)]! : chance.pick(frames)
  return chance.below(10) < 2 ? oddities.spoil(frame) : frame
}
