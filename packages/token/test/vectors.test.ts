/**
 * Signatures, spellings and keys of the kinds that published collections of attacks hold, made here by the hundred, and
 * a few that standards print. What is right is accepted, and nothing else.
 */
import { base64url, type CryptoKey, type JWK } from 'jose'
import { expect, test } from 'vitest'
import { type SigningAlgorithm, signingAlgorithms } from '../src/algorithms.ts'
import type { EitErrorCode } from '../src/eit-errors.ts'
import { importPublicKey } from '../src/keys/import-public-key.ts'
import { verifyIdentityToken } from '../src/verify/verify-identity-token.ts'
import { isSignedWith } from '../src/verify/verify-signature.ts'
import { goodClaims, goodHeader, part, portsFor, providerKey, sign, signWithLibrary } from './fixtures.ts'
import { bends } from './vectors/curve-signatures.ts'
import { publishedVectors } from './vectors/published.ts'
import { plainSignature, signaturesOfOddPadding } from './vectors/rsa-paddings.ts'

const keys = Object.fromEntries(
  await Promise.all(signingAlgorithms.map(async (algorithm) => [algorithm, await providerKey(algorithm)])),
) as Record<SigningAlgorithm, Awaited<ReturnType<typeof providerKey>>>
const ports = await portsFor(Object.values(keys))
const RSA_BYTES = base64url.decode(String((keys.RS256.publicJwk as JWK).n)).length
const rsaInput = `${part(goodHeader(keys.RS256))}.${part(goodClaims())}`

/** Why a token is refused, or `accepted`. */
async function outcome(token: string): Promise<EitErrorCode | 'accepted'> {
  const verdict = await verifyIdentityToken(token, { ...ports, consumeNonce: () => true })
  return verdict.ok ? 'accepted' : verdict.error
}

test.each(publishedVectors)(
  '109 a published signature is accepted, and not with a bit changed: $source',
  async (vector) => {
    const imported = await importPublicKey(vector.jwk)
    if (!imported.ok) throw new Error(imported.error)
    const key: { key: CryptoKey; algorithm: SigningAlgorithm } = imported
    expect(isSignedWith(vector.token, key)).toBe(true)
    const [header, payload, signature] = vector.token.split('.') as [string, string, string]
    const bytes = base64url.decode(signature)
    for (let index = 0; index < bytes.length; index += 7) {
      const spoilt = base64url.encode(bytes.with(index, bytes[index]! ^ 0x10))
      expect([index, isSignedWith(`${header}.${payload}.${spoilt}`, key)]).toEqual([index, false])
    }
    const other = base64url.encode(base64url.decode(payload).with(0, 0x5b))
    expect(isSignedWith(`${header}.${other}.${signature}`, key)).toBe(false)
  },
)

test.each(signingAlgorithms)('109 a hundred tokens of %s that are right are accepted', async (algorithm) => {
  for (let index = 0; index < 100; index++) {
    const claims = {
      ...goodClaims(),
      prn: `user ${index} ${'ä'.repeat(index % 7)}`,
      display_name: '💥'.repeat(index % 5),
    }
    expect(await outcome(await sign(goodHeader(keys[algorithm]), claims, keys[algorithm]))).toBe('accepted')
  }
})

const odd = signaturesOfOddPadding(rsaInput, keys.RS256.privateKeyPem, RSA_BYTES)
test(`109 ${odd.length} RSA signatures over padding that is not the one PKCS #1 block are refused`, async () => {
  const plain = plainSignature(rsaInput, keys.RS256.privateKeyPem, RSA_BYTES)
  expect(await outcome(`${rsaInput}.${base64url.encode(plain)}`)).toBe('accepted')
  expect(odd.length).toBeGreaterThanOrEqual(60)
  for (const [name, signature] of odd) {
    expect([name, await outcome(`${rsaInput}.${base64url.encode(signature)}`)]).toEqual([
      name,
      'eit_signature_verification_failed',
    ])
  }
})

for (const algorithm of signingAlgorithms) {
  const ways = Object.entries(bends[algorithm])
  test(`109 ${ways.length} bent signatures of ${algorithm} are refused`, async () => {
    const [header, payload, signature] = (await signWithLibrary(keys[algorithm])).split('.') as [string, string, string]
    for (const [name, bend] of ways) {
      const bent = base64url.encode(bend(base64url.decode(signature)))
      expect([name, await outcome(`${header}.${payload}.${bent}`)]).toEqual([name, 'eit_signature_verification_failed'])
    }
  })
}

/** What lenient readers of base64url pass over, anywhere in a part. */
const STRAY = ['=', '==', '===', '\n', '\r\n', ' ', '\t', '+', '/', '%3D', '\u0000', '\u00a0', '\u200b', ',', '~', 'é']
const spellings = signingAlgorithms.flatMap((algorithm) =>
  [0, 1, 2].flatMap((nth) =>
    ['start', 'middle', 'end'].flatMap((place) => STRAY.map((stray) => ({ algorithm, nth, place, stray }))),
  ),
)
test(`109 ${spellings.length} tokens with stray characters in one of their parts are refused`, async () => {
  const tokens = new Map(
    await Promise.all(signingAlgorithms.map(async (name) => [name, await signWithLibrary(keys[name])] as const)),
  )
  for (const { algorithm, nth, place, stray } of spellings) {
    const parts = tokens.get(algorithm)!.split('.')
    const text = parts[nth]!
    const at = place === 'start' ? 0 : place === 'end' ? text.length : text.length >> 1
    parts[nth] = text.slice(0, at) + stray + text.slice(at)
    const said = await outcome(parts.join('.'))
    expect([algorithm, nth, place, stray, said]).toEqual([algorithm, nth, place, stray, 'eit_malformed_base64url'])
  }
})

test('109 every other algorithm there is a name for is refused over every kind of key, and so is every key under another’s name', async () => {
  const names = [
    ...['HS256', 'HS384', 'HS512', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES384', 'ES512', 'ES256K', 'RS1'],
    ...['Ed25519', 'Ed448', 'none', 'dir', 'A128KW', 'RSA1_5', 'RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'A256GCM'],
    ...['PBES2-HS256+A128KW', 'HMAC', 'sha256', 'SHA256withRSA', 'RS256 ', 'rs256', 'Es256', 'EDDSA', 'RS256\u0000'],
  ]
  let count = 0
  for (const key of Object.values(keys)) {
    for (const alg of [...names, ...signingAlgorithms.filter((name) => name !== key.algorithm)]) {
      const said = await outcome(await sign({ ...goodHeader(key), alg }, goodClaims(), key))
      expect([key.algorithm, alg, said]).toEqual([key.algorithm, alg, 'eit_header_param_wrong_value'])
      count++
    }
  }
  expect(count).toBe(3 * (names.length + 2))
})

const { RS256: rsa, ES256: ec, EdDSA: ed } = keys
const foreign: readonly (readonly [kind: string, jwk: object])[] = [
  ...Object.entries({ RSA: rsa.publicJwk, EC: ec.publicJwk, OKP: ed.publicJwk }).flatMap(([kind, jwk]) => [
    ...['enc', 'SIG', '', 'signature', null, 1, ['sig']].map(
      (use) => [`${kind} use ${JSON.stringify(use)}`, { ...jwk, use }] as const,
    ),
    ...[['encrypt'], ['sign'], ['deriveKey'], ['verify', 'encrypt'], ['verify', 'verify'], [], 'verify', null].map(
      (key_ops) => [`${kind} key_ops ${JSON.stringify(key_ops)}`, { ...jwk, key_ops }] as const,
    ),
    ...['none', 'HS256', 'RS384', 'PS256', 'ES384', 'RSA-OAEP', 'ECDH-ES', 'dir', '', null].map(
      (alg) => [`${kind} alg ${JSON.stringify(alg)}`, { ...jwk, alg }] as const,
    ),
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map(
      (name) => [`${kind} with ${name}`, { ...jwk, [name]: 'AQAB' }] as const,
    ),
    ...['oct', 'rsa', 'EC2', '', null].map(
      (kty) => [`${kind} as kty ${JSON.stringify(kty)}`, { ...jwk, kty }] as const,
    ),
  ]),
  ...['P-384', 'P-521', 'secp256k1', 'p-256', 'Ed25519', 'brainpoolP256r1', '', null].map(
    (crv) => [`EC on ${JSON.stringify(crv)}`, { ...ec.publicJwk, crv }] as const,
  ),
  ...['Ed448', 'X25519', 'P-256', '', null].map(
    (crv) => [`OKP on ${JSON.stringify(crv)}`, { ...ed.publicJwk, crv }] as const,
  ),
  ...['x', 'y'].flatMap((name) => {
    const given = base64url.decode(String((ec.publicJwk as JWK)[name as 'x']))
    return [
      [
        `EC with one bit of ${name} changed`,
        { ...ec.publicJwk, [name]: base64url.encode(given.with(9, given[9]! ^ 1)) },
      ],
      [`EC with ${name} of zeros`, { ...ec.publicJwk, [name]: base64url.encode(new Uint8Array(32)) }],
      [
        `EC with ${name} beyond the field`,
        { ...ec.publicJwk, [name]: base64url.encode(new Uint8Array(32).fill(0xff)) },
      ],
      [`EC with ${name} too short`, { ...ec.publicJwk, [name]: base64url.encode(given.subarray(1)) }],
      [`EC with ${name} too long`, { ...ec.publicJwk, [name]: base64url.encode(Uint8Array.of(1, ...given)) }],
      [`EC without ${name}`, { ...ec.publicJwk, [name]: undefined }],
    ] as const
  }),
  ...[31, 33, 0, 57].map(
    (length) =>
      [`OKP of ${length} bytes`, { ...ed.publicJwk, x: base64url.encode(new Uint8Array(length).fill(9)) }] as const,
  ),
  ...['', 'AA', 'AQ', 'Ag', 'AQAC', 'AQAAAAE', '====', null].map(
    (e) => [`RSA with e ${JSON.stringify(e)}`, { ...rsa.publicJwk, e }] as const,
  ),
  ...[512, 768, 1024, 1536, 2040].map(
    (bits) =>
      [
        `RSA of ${bits} bits`,
        {
          ...rsa.publicJwk,
          n: base64url.encode(base64url.decode((rsa.publicJwk as { n: string }).n).subarray(0, bits / 8)),
        },
      ] as const,
  ),
]

test(`109 ${foreign.length} keys that are for something else, too weak, or no keys are not registered`, async () => {
  for (const [kind, jwk] of foreign) {
    const outcome = await importPublicKey(jwk as JWK)
    expect([kind, outcome.ok]).toEqual([kind, false])
  }
})
