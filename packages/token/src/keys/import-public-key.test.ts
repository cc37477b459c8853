import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { base64url, type JWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { providerKey } from '../../test/fixtures.ts'
import { signingAlgorithms } from '../algorithms.ts'
import { importPublicKey, type PublicKeyErrorCode, publicKeyErrors } from './import-public-key.ts'

const rsa = await providerKey('RS256')
const ec = await providerKey('ES256')
const ed = await providerKey('EdDSA')
const rsaJwk = rsa.publicJwk as JWK & { n: string }

const pem = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }))
const jwk = (key: KeyObject) => key.export({ format: 'jwk' }) as JWK
const rsaPair = (modulusLength: number, publicExponent = 65_537) =>
  generateKeyPairSync('rsa', { modulusLength, publicExponent })
const ecPair = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const short = rsaPair(1024)
const number = (value: bigint) => {
  const hex = value.toString(16)
  return base64url.encode(Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex'))
}

describe('a sound key', () => {
  test.each(signingAlgorithms)('is taken as PEM and as JWK, and comes out the same: %s', async (algorithm) => {
    const key = await providerKey(algorithm)
    const forms = [
      key.publicKeyPem,
      key.publicKeyPem.replaceAll('\n', '\r\n'),
      key.publicJwk,
      JSON.stringify(key.publicJwk),
    ]
    for (const form of forms) {
      expect(await importPublicKey(form as string)).toMatchObject({ ok: true, algorithm, publicJwk: key.publicJwk })
    }
  })

  test.each([
    ['use sig', { use: 'sig' }],
    ['key_ops verify', { key_ops: ['verify'] }],
    ['its own alg', { alg: 'RS256' }],
    [
      'names and certificates of its own',
      { kid: 'x', x5c: ['MIIB'], x5u: 'https://a.example', 'x5t#S256': 'x', ext: true },
    ],
  ])('may say %s, of which only the numbers are kept', async (_, extra) => {
    expect(await importPublicKey({ ...rsaJwk, ...extra } as JWK)).toMatchObject({ ok: true, publicJwk: rsaJwk })
  })

  test('Ed25519 may be named by its curve as well', async () => {
    expect(await importPublicKey({ ...ed.publicJwk, alg: 'Ed25519' })).toMatchObject({ ok: true, algorithm: 'EdDSA' })
  })

  test('leading zeros of a modulus are dropped', async () => {
    expect(await importPublicKey({ ...rsaJwk, n: `AAAA${rsaJwk.n}` })).toMatchObject({ ok: true, publicJwk: rsaJwk })
  })

  test('may have the exponent 3', async () => {
    expect(await importPublicKey(pem(rsaPair(2048, 3).publicKey))).toMatchObject({ ok: true, algorithm: 'RS256' })
  })
})

type Case = readonly [name: string, error: PublicKeyErrorCode, key: string | JWK]

const P256_POINT_OFF = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }
/** A modulus with the fingerprint: 65537 itself, modulo every small prime. */
const marked = (() => {
  const primes = Array.from({ length: 166 }, (_, index) => index + 2).filter(
    (n) => ![...Array(n).keys()].some((d) => d > 1 && n % d === 0),
  )
  const product = primes.reduce((sum, prime) => sum * BigInt(prime), 1n)
  return product * (2n ** 2047n / product + 1n) + 65_537n
})()

const refused: readonly Case[] = [
  ['KEY-1 private PEM', 'key_private', rsa.privateKeyPem],
  ['KEY-1 both halves in one file', 'key_private', rsa.publicKeyPem + rsa.privateKeyPem],
  [
    'KEY-1 private PEM of the older kind',
    'key_private',
    String(short.privateKey.export({ type: 'pkcs1', format: 'pem' })),
  ],
  ['KEY-1 a private RSA JWK', 'key_private', jwk(rsaPair(2048).privateKey)],
  ['KEY-1 a private EC JWK', 'key_private', jwk(ecPair('P-256').privateKey)],
  ['KEY-1 a private Ed25519 JWK', 'key_private', jwk(generateKeyPairSync('ed25519').privateKey)],
  ['KEY-1 a single private member', 'key_private', { ...rsaJwk, qi: 'AQAB' }],
  ['KEY-2 a shared secret', 'key_symmetric', { kty: 'oct', k: 'c2VjcmV0' }],
  ['KEY-2 a secret inside an RSA key', 'key_symmetric', { ...rsaJwk, k: 'c2VjcmV0' } as JWK],
  ['KEY-3 P-384 as PEM', 'key_curve_unsupported', pem(ecPair('P-384').publicKey)],
  ['KEY-3 P-521 as JWK', 'key_curve_unsupported', jwk(ecPair('P-521').publicKey)],
  ['KEY-3 secp256k1', 'key_curve_unsupported', jwk(ecPair('secp256k1').publicKey)],
  ['KEY-3 Ed448 as JWK', 'key_curve_unsupported', jwk(generateKeyPairSync('ed448').publicKey)],
  ['KEY-3 Ed448 as PEM', 'key_type_unsupported', pem(generateKeyPairSync('ed448').publicKey)],
  ['KEY-3 X25519 as PEM', 'key_type_unsupported', pem(generateKeyPairSync('x25519').publicKey)],
  ['KEY-3 X25519 as JWK', 'key_curve_unsupported', jwk(generateKeyPairSync('x25519').publicKey)],
  [
    'KEY-3 a key for PSS only',
    'key_type_unsupported',
    pem(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey),
  ],
  ['KEY-3 no kty', 'key_type_unsupported', { n: rsaJwk.n, e: 'AQAB' } as JWK],
  ['KEY-3 a point off the curve', 'key_unreadable', P256_POINT_OFF as JWK],
  ['KEY-3 an Ed25519 key of the wrong length', 'key_unreadable', { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }],
  ['KEY-4 use enc', 'key_use_not_signature', { ...rsaJwk, use: 'enc' }],
  ['KEY-4 key_ops encrypt', 'key_use_not_signature', { ...rsaJwk, key_ops: ['encrypt'] }],
  ['KEY-4 key_ops sign and verify', 'key_use_not_signature', { ...rsaJwk, key_ops: ['sign', 'verify'] }],
  ['KEY-4 key_ops that is no list', 'key_use_not_signature', { ...rsaJwk, key_ops: 'verify' } as unknown as JWK],
  ['KEY-5 an RSA key for PS256', 'key_algorithm_foreign', { ...rsaJwk, alg: 'PS256' }],
  ['KEY-5 an RSA key for RSA-OAEP', 'key_algorithm_foreign', { ...rsaJwk, alg: 'RSA-OAEP' }],
  ['KEY-5 an EC key for ECDH-ES', 'key_algorithm_foreign', { ...ec.publicJwk, alg: 'ECDH-ES' }],
  ['KEY-5 an EC key that says none', 'key_algorithm_foreign', { ...ec.publicJwk, alg: 'none' }],
  ['KEY-6 RSA of 1024 bits as PEM', 'key_too_short', pem(short.publicKey)],
  ['KEY-6 RSA of 1024 bits as JWK', 'key_too_short', jwk(short.publicKey)],
  [
    'KEY-6 RSA of 1024 bits behind leading zeros',
    'key_too_short',
    { ...jwk(short.publicKey), n: `${'A'.repeat(172)}${jwk(short.publicKey).n}` },
  ],
  ['KEY-6 RSA of 2047 bits', 'key_too_short', { ...rsaJwk, n: number(2n ** 2047n - 1n) }],
  ['KEY-6 an empty modulus', 'key_too_short', { ...rsaJwk, n: '' }],
  ['KEY-6 RSA of 8193 bits', 'key_too_long', { ...rsaJwk, n: number(2n ** 8192n + 1n) }],
  ['KEY-7 the exponent 2', 'key_exponent_weak', { ...rsaJwk, e: 'Ag' }],
  ['KEY-7 the exponent 1', 'key_exponent_weak', { ...rsaJwk, e: 'AQ' }],
  ['KEY-7 the exponent 0', 'key_exponent_weak', { ...rsaJwk, e: 'AA' }],
  ['KEY-7 no exponent', 'key_exponent_weak', { ...rsaJwk, e: '' }],
  ['KEY-7 an even exponent', 'key_exponent_weak', { ...rsaJwk, e: 'AQAC' }],
  ['KEY-7 an exponent of 33 bits', 'key_exponent_weak', { ...rsaJwk, e: number(2n ** 32n + 1n) }],
  ['KEY-8 an even modulus', 'key_factorable', { ...rsaJwk, n: number(2n ** 2048n - 2n) }],
  ['KEY-8 a modulus with the mark of a broken generator', 'key_factorable', { ...rsaJwk, n: number(marked) }],
  ['nothing', 'key_unreadable', ''],
  ['a text', 'key_unreadable', 'hello'],
  ['a certificate', 'key_unreadable', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'],
  ['PKCS#1', 'key_unreadable', String(createPublicKey(rsa.publicKeyPem).export({ type: 'pkcs1', format: 'pem' }))],
  ['two keys in one file', 'key_unreadable', rsa.publicKeyPem + ec.publicKeyPem],
  ['PEM without its first line', 'key_unreadable', rsa.publicKeyPem.replace(/\n.{64}\n/, '\n')],
  ['PEM without a line in the middle', 'key_unreadable', rsa.publicKeyPem.replace(/(\n.{64})\n.{64}\n/, '$1\n')],
  ['JSON with a member named twice', 'key_unreadable', `{"kty":"oct",${JSON.stringify(rsaJwk).slice(1)}`],
  ['broken JSON', 'key_unreadable', '{"kty":'],
  ['null', 'key_unreadable', null as unknown as JWK],
  ['a list', 'key_unreadable', [rsaJwk] as unknown as JWK],
]

describe('a key that is not sound', () => {
  test.each(refused)('%s is refused with %s', async (_, error, key) => {
    expect(await importPublicKey(key)).toEqual({ ok: false, error, sentence: publicKeyErrors[error] })
  })
})
