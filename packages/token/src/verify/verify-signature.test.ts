import { createPrivateKey, createPublicKey, createSecretKey, generateKeyPairSync, sign } from 'node:crypto'
import { base64url, compactVerify } from 'jose'
import { describe, expect, it, test } from 'vitest'
import { goodClaims, goodHeader, part, providerKey, signWithLibrary } from '../../test/fixtures.ts'
import { signingAlgorithms } from '../algorithms.ts'
import { importPublicKey } from '../keys/import-public-key.ts'
import { isSignedWith } from './verify-signature.ts'

const cut = (token: string) => token.split('.') as [string, string, string]

describe.each(signingAlgorithms)('EIT-8 a signature of %s', (algorithm) => {
  const ready = (async () => {
    const provider = await providerKey(algorithm)
    const imported = await importPublicKey(provider.publicKeyPem)
    if (!imported.ok) throw new Error(imported.error)
    return { token: await signWithLibrary(provider), key: imported, pem: provider.publicKeyPem }
  })()

  it('is proven by its key, in either form', async () => {
    const { token, key, pem } = await ready
    expect(isSignedWith(token, key)).toBe(true)
    expect(isSignedWith(token, { key: createPublicKey(pem), algorithm })).toBe(true)
  })

  it('is decided as the library decides it, bit by bit', async () => {
    const { token, key } = await ready
    const [header, claims, signature] = cut(token)
    const bytes = base64url.decode(signature)
    for (let bit = 0; bit < bytes.length * 8; bit += 13) {
      const spoilt = base64url.encode(bytes.with(bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7))))
      const forged = `${header}.${claims}.${spoilt}`
      const byLibrary = await compactVerify(forged, key.key, { algorithms: [algorithm] }).then(
        () => true,
        () => false,
      )
      expect([bit, isSignedWith(forged, key)]).toEqual([bit, byLibrary])
    }
  })

  it('does not fit when it is longer or shorter, empty, or not in its one spelling', async () => {
    const { token, key } = await ready
    const [header, claims, signature] = cut(token)
    const bytes = base64url.decode(signature)
    const others = [bytes.slice(1), bytes.slice(0, -1), Uint8Array.of(0, ...bytes), Uint8Array.of(...bytes, 0)]
    for (const other of [...others.map((each) => base64url.encode(each)), '', `${signature}=`]) {
      expect(isSignedWith(`${header}.${claims}.${other}`, key)).toBe(false)
    }
  })

  it('does not cover other text', async () => {
    const { token, key } = await ready
    const [header, claims, signature] = cut(token)
    expect(isSignedWith(`${header}.${claims}A.${signature}`, key)).toBe(false)
    expect(isSignedWith(`${header}${claims}.${signature}`, key)).toBe(false)
    expect(isSignedWith(signature, key)).toBe(false)
  })
})

test('EIT-8 ES256 in the DER form that X.509 uses is no signature of a token', async () => {
  const provider = await providerKey('ES256')
  const imported = await importPublicKey(provider.publicKeyPem)
  if (!imported.ok) throw new Error(imported.error)
  const input = `${part(goodHeader(provider))}.${part(goodClaims())}`
  const der = sign('sha256', Buffer.from(input), createPrivateKey(provider.privateKeyPem))
  expect(isSignedWith(`${input}.${base64url.encode(der)}`, imported)).toBe(false)
})

test('EIT-8 a key that is not for the algorithm is a bug of the registry, not an answer', () => {
  const token = 'e30.e30.AAAA'
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const foreign = [
    { key: rsa.privateKey, algorithm: 'RS256' },
    { key: createSecretKey(Buffer.from('shared')), algorithm: 'RS256' },
    { key: generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey, algorithm: 'RS256' },
    { key: rsa.publicKey, algorithm: 'ES256' },
    { key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey, algorithm: 'ES256' },
    { key: generateKeyPairSync('ed448').publicKey, algorithm: 'EdDSA' },
  ] as const
  for (const of of foreign) expect(() => isSignedWith(token, of)).toThrow(TypeError)
})
