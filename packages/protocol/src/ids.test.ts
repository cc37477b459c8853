import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  conversationId,
  decodeUserId,
  encodeUserId,
  identityId,
  isStorableText,
  isUserId,
  MAX_USER_ID_LENGTH,
  messageId,
  parseConversationId,
  parseIdentityId,
  parseMessageId,
  parseUuid,
  type UserId,
  uuidv7,
} from './ids.ts'

const uuid = 'f3cc7b32-3c92-11e4-baad-164230d1df67'

describe('a UUID', () => {
  it('is read in any letter case', () => {
    expect(parseUuid(uuid)).toBe(uuid)
    expect(parseUuid(uuid.toUpperCase())).toBe(uuid)
  })

  it.each([
    '',
    'x',
    uuid.slice(1),
    `${uuid} `,
    `{${uuid}}`,
    uuid.replaceAll('-', ''),
    `${uuid.slice(0, -1)}g`,
    'İ'.repeat(36),
  ])('is not %j', (text) => {
    expect(parseUuid(text)).toBeUndefined()
  })
})

describe('ids of conversations and messages', () => {
  it('are read with and without their prefix, and written with it', () => {
    const parsed = parseUuid(uuid)!
    expect(conversationId(parsed)).toBe(`layer:///conversations/${uuid}`)
    expect(messageId(parsed)).toBe(`layer:///messages/${uuid}`)
    expect(parseConversationId(conversationId(parsed))).toBe(uuid)
    expect(parseMessageId(messageId(parsed))).toBe(uuid)
    expect(parseConversationId(uuid)).toBe(uuid)
  })

  it('are not taken for each other', () => {
    expect(parseConversationId(`layer:///messages/${uuid}`)).toBeUndefined()
    expect(parseMessageId(`layer:///conversations/${uuid}`)).toBeUndefined()
    expect(parseConversationId(`layer:///conversations/layer:///conversations/${uuid}`)).toBeUndefined()
  })
})

describe('an identity id', () => {
  it.each([
    ['alice', 'layer:///identities/alice'],
    ['a/b c', 'layer:///identities/a%2Fb%20c'],
    ["!~'()*-_.", 'layer:///identities/%21%7E%27%28%29*-_.'],
    ['grüße', 'layer:///identities/gr%C3%BC%C3%9Fe'],
    ['👩‍👩‍👧', 'layer:///identities/%F0%9F%91%A9%E2%80%8D%F0%9F%91%A9%E2%80%8D%F0%9F%91%A7'],
    ['layer:///identities/x', 'layer:///identities/layer%3A%2F%2F%2Fidentities%2Fx'],
  ])('of %j is %j, and back', (userId, id) => {
    expect(identityId(userId as UserId)).toBe(id)
    expect(parseIdentityId(id)).toBe(userId)
  })

  it('is read in either spelling of the characters that encoders disagree about', () => {
    expect(parseIdentityId("layer:///identities/!~'()*")).toBe("!~'()*")
    expect(parseIdentityId('layer:///identities/%21%7e%27%28%29%2A')).toBe("!~'()*")
  })

  it('may be bare only where that is allowed', () => {
    expect(parseIdentityId('alice')).toBeUndefined()
    expect(parseIdentityId('alice', { allowBare: true })).toBe('alice')
    expect(parseIdentityId('', { allowBare: true })).toBeUndefined()
  })

  it.each([
    'layer:///identities/',
    'layer:///identities/%',
    'layer:///identities/%zz',
    'layer:///identities/%00',
    'layer:///identities/%ED%A0%80',
  ])('is not %j', (text) => {
    expect(parseIdentityId(text, { allowBare: true })).toBeUndefined()
  })

  it('is as long as a user id may be, and no longer', () => {
    const longest = 'é'.repeat(MAX_USER_ID_LENGTH)
    expect(decodeUserId(encodeUserId(longest as UserId))).toBe(longest)
    expect(decodeUserId(encodeUserId(`${longest}é` as UserId))).toBeUndefined()
  })

  it('comes back as it was, for any user id', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (text) => {
        fc.pre(isUserId(text))
        expect(parseIdentityId(identityId(text as UserId))).toBe(text)
        expect(identityId(text as UserId)).toMatch(/^layer:\/\/\/identities\/[A-Za-z0-9%*_.-]+$/)
      }),
    )
  })
})

describe('text that every store keeps', () => {
  it.each(['', 'plain', '👩‍👩‍👧', '\u202Ebidi', '\uFFFF', '\u0001', 'e\u0301'])('is %j', (text) => {
    expect(isStorableText(text)).toBe(true)
  })

  it.each(['\u0000', 'a\u0000b', '\uD83D', '\uDE00', '\uDE00\uD83D', 'x\uD83Dx', '👩\uD83D'])('is not %j', (text) => {
    expect(isStorableText(text)).toBe(false)
  })

  it('is exactly what comes back from UTF-8, without NUL', () => {
    const [encoder, decoder] = [new TextEncoder(), new TextDecoder('utf-8', { ignoreBOM: true })]
    const unit = fc.constantFrom('a', '\u0000', '\uD83D', '\uDE00', '\uFEFF', 'é')
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const survives = decoder.decode(encoder.encode(text)) === text && !text.includes('\u0000')
        expect(isStorableText(text)).toBe(survives)
      }),
    )
  })
})

describe('a new UUID', () => {
  const bytes = fc.uint8Array({ minLength: 10, maxLength: 10 })

  it('is of version 7, and says the time it was made', () => {
    const id = uuidv7(Date.UTC(2026, 10, 22), new Uint8Array(10).fill(0xff))
    expect(id).toBe('01a2008d-7400-7fff-bfff-ffffffffffff')
    expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(Date.UTC(2026, 10, 22))
  })

  it('is well-formed, whatever the time and chance', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e3, max: 2 ** 48 - 1, noNaN: true }), bytes, (now, random) => {
        const id = uuidv7(now, random)
        expect(parseUuid(id)).toBe(id)
        expect(id).toMatch(/^.{8}-.{4}-7.{3}-[89ab].{3}-.{12}$/)
      }),
    )
  })

  it('is later than those of earlier milliseconds, and differs wherever chance does', () => {
    const now = fc.integer({ min: 0, max: 2 ** 48 - 2 })
    fc.assert(
      fc.property(now, bytes, bytes, (ms, a, b) => {
        expect(uuidv7(ms, a) < uuidv7(ms + 1, b)).toBe(true)
      }),
    )
    const flipped = new Set<string>()
    // Two of the eighty bits give way to the variant, four to the version.
    for (let bit = 0; bit < 80; bit++)
      flipped.add(
        uuidv7(
          0,
          new Uint8Array(10).map((_, i) => (i === bit >> 3 ? 1 << (bit & 7) : 0)),
        ),
      )
    expect(flipped.size).toBeGreaterThanOrEqual(74)
  })
})
