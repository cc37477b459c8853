import { expect, test } from 'vitest'
import { goodClaims, goodHeader, part, providerKey, signWithLibrary } from '../../test/fixtures.ts'
import { peekToken } from './peek-token.ts'

test('of a token its key and its user are seen without proof', async () => {
  const key = await providerKey('ES256')
  const named = { keyId: key.keyId.slice('layer:///keys/'.length), userId: 'alice' }
  const token = await signWithLibrary(key)
  expect(peekToken(token, 8192)).toEqual(named)
  expect(peekToken(`${part(goodHeader(key))}.${part(goodClaims())}.`, 8192)).toEqual(named)
  expect(peekToken(token, token.length - 1)).toBeUndefined()
})

test.each([
  '',
  '.',
  '..',
  'a.b.c',
  `${part([])}.${part(null)}.x`,
  `${part({ kid: 1 })}.${part({ prn: {} })}.x`,
  '💥.💥',
])('of %j nothing is seen, and nothing breaks', (token) => {
  expect(peekToken(token, 8192)).toBeUndefined()
})

test('a user who cannot be one is not looked for', async () => {
  const key = await providerKey('ES256')
  for (const prn of ['', 'x'.repeat(129), 'a\u0000b', '\ud800']) {
    expect(peekToken(`${part(goodHeader(key))}.${part({ ...goodClaims(), prn })}.x`, 8192)).toBeUndefined()
  }
})
