import { decodeJwt, decodeProtectedHeader, exportJWK, importPKCS8 } from 'jose'
import { describe, expect, test } from 'vitest'
import { NOW, NOW_MS, PROVIDER, portsFor, providerKey } from '../test/fixtures.ts'
import { signingAlgorithms } from './algorithms.ts'
import { createIdentityTokenMinter, type MintRequest } from './mint-identity-token.ts'
import { verifyIdentityToken } from './verify/verify-identity-token.ts'

const key = await providerKey('ES256')
const options = { providerId: PROVIDER, keyId: key.keyId, privateKey: key.privateKeyPem, now: () => NOW_MS + 999 }
const request: MintRequest = { userId: 'alice', nonce: 'nonce-1' }

describe('a minted token', () => {
  test('AUTH-26 carries the documented header and claims', async () => {
    const claims = { display_name: 'Alice', avatar_url: 'https://a.example/a.png' }
    const token = await createIdentityTokenMinter(options).mint({ ...request, claims, expiresInSeconds: 60 })
    expect(decodeProtectedHeader(token)).toEqual({ typ: 'JWT', alg: 'ES256', cty: 'layer-eit;v=1', kid: key.keyId })
    expect(decodeJwt(token)).toEqual({
      iss: PROVIDER,
      prn: 'alice',
      iat: NOW,
      exp: NOW + 60,
      nce: 'nonce-1',
      ...claims,
    })
  })

  test.each(signingAlgorithms)('AUTH-21 is accepted by the verifier: %s', async (algorithm) => {
    const signer = await providerKey(algorithm)
    const minter = createIdentityTokenMinter({ ...options, keyId: signer.keyId, privateKey: signer.privateKeyPem })
    const verdict = await verifyIdentityToken(await minter.mint(request), await portsFor([signer]))
    expect(verdict).toMatchObject({ ok: true, claims: { prn: 'alice', nce: 'nonce-1' } })
  })

  test('AUTH-5 takes any well-formed user id', async () => {
    const minter = createIdentityTokenMinter(options)
    for (const userId of ['+49 30 901820', 'ada@example.com', '名前', '🦊', '../admin', 'a'.repeat(128)]) {
      const verdict = await verifyIdentityToken(await minter.mint({ ...request, userId }), await portsFor([key]))
      expect(verdict).toMatchObject({ ok: true, claims: { prn: userId } })
    }
  })

  test('lives two weeks unless told otherwise', async () => {
    const lifetimeOf = async (minter: ReturnType<typeof createIdentityTokenMinter>) =>
      decodeJwt(await minter.mint(request)).exp! - NOW
    expect(await lifetimeOf(createIdentityTokenMinter(options))).toBe(1_209_600)
    expect(await lifetimeOf(createIdentityTokenMinter({ ...options, lifetimeSeconds: 600 }))).toBe(600)
  })

  test('names key and provider in full, however they were configured', async () => {
    const bare = { providerId: PROVIDER.slice(-36), keyId: key.keyId.slice(-36).toUpperCase() }
    const token = await createIdentityTokenMinter({ ...options, ...bare }).mint(request)
    expect(decodeProtectedHeader(token).kid).toBe(key.keyId)
    expect(decodeJwt(token).iss).toBe(PROVIDER)
  })

  test('holds nothing of a record that was passed as claims by mistake', async () => {
    const record = { display_name: 'Alice', password: 'secret', prn: 'admin', avatar_url: undefined }
    const claims = decodeJwt(await createIdentityTokenMinter(options).mint({ ...request, claims: record as object }))
    expect(Object.keys(claims)).toEqual(['iss', 'prn', 'iat', 'exp', 'nce', 'display_name'])
  })

  test('can be signed with a JWK', async () => {
    const jwk = await exportJWK(await importPKCS8(key.privateKeyPem, 'ES256', { extractable: true }))
    const minter = createIdentityTokenMinter({ ...options, privateKey: jwk })
    expect(await verifyIdentityToken(await minter.mint(request), await portsFor([key]))).toMatchObject({ ok: true })
  })
})

describe('a mistake', () => {
  test.each([
    ['providerId', { providerId: 'acme' }],
    ['keyId', { keyId: PROVIDER }],
  ])('in %s throws at once', (name, change) => {
    expect(() => createIdentityTokenMinter({ ...options, ...change })).toThrow(name)
  })

  test.each([
    ['a public key', { privateKey: key.publicKeyPem }, 'PKCS#8'],
    [
      'an older format',
      { privateKey: '-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----' },
      'openssl pkcs8',
    ],
    ['lost line breaks', { privateKey: key.privateKeyPem.replaceAll('\n', '\\n') }, 'line breaks'],
    ['a broken key', { privateKey: key.privateKeyPem.replace(/\n.{10}/, '\n') }, 'RSA, EC on P-256'],
    ['another algorithm', { algorithm: 'RS256' as const }, 'signs with ES256'],
  ])('of the private key rejects the first mint: %s', async (_, change, sentence) => {
    await expect(createIdentityTokenMinter({ ...options, ...change }).mint(request)).rejects.toThrow(sentence)
  })

  test.each([
    ['an empty user id', { userId: '' }],
    ['a user id of 129 characters', { userId: 'a'.repeat(129) }],
    ['a user id that is undefined', { userId: undefined }],
    ['an empty nonce', { nonce: '' }],
    ['a nonce that is a number', { nonce: 1 }],
    ['a lifetime of nothing', { expiresInSeconds: 0 }],
    ['a lifetime with a fraction', { expiresInSeconds: 1.5 }],
  ])('in the request rejects: %s', async (_, change) => {
    await expect(createIdentityTokenMinter(options).mint({ ...request, ...change } as MintRequest)).rejects.toThrow(
      TypeError,
    )
  })
})
