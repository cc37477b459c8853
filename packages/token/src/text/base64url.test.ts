import fc from 'fast-check'
import { base64url } from 'jose'
import { expect, test } from 'vitest'
import { decodeCanonicalBase64url } from './base64url.ts'

test('EIT-2 decodes what an encoder writes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
      expect(decodeCanonicalBase64url(base64url.encode(bytes))).toEqual(bytes)
    }),
  )
})

test('EIT-2 of all texts of two or three characters only those an encoder writes are decoded', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const accepted = (prefix: string) => [...alphabet].filter((char) => decodeCanonicalBase64url(prefix + char)).join('')
  expect(accepted('A')).toBe('AQgw')
  expect(accepted('AA')).toBe('AEIMQUYcgkosw048')
})

test.each(['A', 'AAAAA', 'AA==', 'AA=', 'A+==', 'AA/A', 'AA A', 'AAA\n', 'ÄAAA'])('EIT-2 refuses %j', (text) => {
  expect(decodeCanonicalBase64url(text)).toBeUndefined()
})
