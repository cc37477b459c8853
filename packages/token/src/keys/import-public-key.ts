import { type CryptoKey, exportJWK, importJWK, importSPKI, type JWK } from 'jose'
import type { SigningAlgorithm } from '../algorithms.ts'
import { isJsonObject, parseJsonObject } from '../text/strict-json.ts'
import { derKind, readPem } from './pem.ts'
import { hasRocaMark } from './roca.ts'

/** Why a public key may not be registered. */
export const publicKeyErrors = {
  key_unreadable: 'This is neither a public key in PEM (BEGIN PUBLIC KEY) nor a JWK.',
  key_private: 'This is a private key. Keep it, consider it leaked, and register the public half of a new one.',
  key_symmetric: 'This is a shared secret. Register the public half of a key pair.',
  key_type_unsupported: 'Keys have to be RSA, EC on the curve P-256, or Ed25519.',
  key_curve_unsupported: 'The curve of this key is not supported. Use P-256 or Ed25519.',
  key_use_not_signature: 'This key is not meant for verifying signatures.',
  key_algorithm_foreign: 'This key says it belongs to another algorithm than RS256, ES256 or EdDSA, as fits its type.',
  key_too_short: 'This RSA key is shorter than 2048 bits.',
  key_too_long: 'This RSA key is longer than 8192 bits.',
  key_exponent_weak: 'The public exponent of this RSA key is not an odd number from 3 to 4294967295.',
  key_factorable: 'The modulus of this RSA key can be factored. Make a new key with another generator.',
} as const satisfies Record<string, string>

/** One of the reasons of {@link publicKeyErrors}. */
export type PublicKeyErrorCode = keyof typeof publicKeyErrors

/** A public key as the server keeps it: nothing but its numbers, written canonically. */
export type PublicJwk =
  | { readonly kty: 'RSA'; readonly n: string; readonly e: string }
  | { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
  | { readonly kty: 'OKP'; readonly crv: 'Ed25519'; readonly x: string }

/** A public key that may verify identity tokens. */
export interface ImportedPublicKey {
  readonly ok: true
  readonly algorithm: SigningAlgorithm
  readonly publicJwk: PublicJwk
  readonly key: CryptoKey
}

/** A key that was refused at registration. */
export interface PublicKeyRefusal {
  readonly ok: false
  readonly error: PublicKeyErrorCode
  readonly sentence: string
}

/**
 * The policy of key registration: only a sound public key of one of the three kinds comes in. The signature library
 * would take keys that are too weak, private, or made for something else.
 * @param input PEM (SubjectPublicKeyInfo), a JWK, or a JWK as JSON text
 */
export async function importPublicKey(input: string | JWK): Promise<ImportedPublicKey | PublicKeyRefusal> {
  const read = typeof input === 'string' ? await readText(input) : await readJwk(input)
  if ('ok' in read) return read
  const jwk = await exportJWK(read.key)
  const error = jwk.kty === 'RSA' ? rsaWeakness(toBigInt(jwk.n), toBigInt(jwk.e)) : undefined
  return error ? refuseKey(error) : { ok: true, algorithm: read.algorithm, publicJwk: minimalJwk(jwk), key: read.key }
}

interface ReadKey {
  readonly algorithm: SigningAlgorithm
  readonly key: CryptoKey
}

async function readText(text: string): Promise<ReadKey | PublicKeyRefusal> {
  if (text.trimStart().startsWith('{')) {
    const jwk = parseJsonObject(new TextEncoder().encode(text))
    return jwk ? readJwk(jwk as JWK) : refuseKey('key_unreadable')
  }
  // Sought anywhere: a bundle of both halves is a leak as well.
  if (text.includes('PRIVATE KEY-----')) return refuseKey('key_private')
  const pem = readPem(text)
  if (pem?.label !== 'PUBLIC KEY') return refuseKey('key_unreadable')
  const kind = derKind(pem.derHex)
  if (kind === 'unreadable') return refuseKey('key_unreadable')
  if (kind === 'other-type') return refuseKey('key_type_unsupported')
  if (kind === 'other-curve') return refuseKey('key_curve_unsupported')
  return readAs(kind, () => importSPKI(text.trim(), kind, { extractable: true }))
}

async function readJwk(jwk: JWK): Promise<ReadKey | PublicKeyRefusal> {
  if (!isJsonObject(jwk)) return refuseKey('key_unreadable')
  if (jwk.kty === 'oct' || 'k' in jwk) return refuseKey('key_symmetric')
  if (PRIVATE_MEMBERS.some((name) => name in jwk)) return refuseKey('key_private')
  const algorithm = algorithmOfJwk(jwk)
  if (algorithm === 'other-type') return refuseKey('key_type_unsupported')
  if (algorithm === 'other-curve') return refuseKey('key_curve_unsupported')
  if (!isForSignatures(jwk)) return refuseKey('key_use_not_signature')
  if (jwk.alg !== undefined && jwk.alg !== algorithm && !isEd25519Alias(jwk)) return refuseKey('key_algorithm_foreign')
  const bare = bareJwk(jwk)
  if (!NUMBERS.every((name) => isBase64urlText(bare[name]))) return refuseKey('key_unreadable')
  return readAs(algorithm, () => importJWK(bare, algorithm, { extractable: true }) as Promise<CryptoKey>)
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'] as const

/** The algorithm that a JWK's type and curve leave. */
export function algorithmOfJwk(jwk: JWK): SigningAlgorithm | 'other-type' | 'other-curve' {
  if (jwk.kty === 'RSA') return 'RS256'
  if (jwk.kty === 'EC') return jwk.crv === 'P-256' ? 'ES256' : 'other-curve'
  if (jwk.kty === 'OKP') return jwk.crv === 'Ed25519' ? 'EdDSA' : 'other-curve'
  return 'other-type'
}

function isForSignatures(jwk: JWK): boolean {
  const { use, key_ops: operations } = jwk
  if (use !== undefined && use !== 'sig') return false
  return (
    operations === undefined || (Array.isArray(operations) && operations.length === 1 && operations[0] === 'verify')
  )
}

/** RFC 9864 names the curve where RFC 8037 said EdDSA. */
const isEd25519Alias = (jwk: JWK): boolean => jwk.crv === 'Ed25519' && jwk.alg === 'Ed25519'

async function readAs(
  algorithm: SigningAlgorithm,
  read: () => Promise<CryptoKey>,
): Promise<ReadKey | PublicKeyRefusal> {
  try {
    return { algorithm, key: await read() }
  } catch {
    // A broken structure, a point off the curve: whatever the reader says, it is not a key.
    return refuseKey('key_unreadable')
  }
}

const MIN_RSA_BITS = 2048
/** The cost of a verification grows with the square of the length, and whoever sends tokens decides how many. */
const MAX_RSA_BITS = 8192
const MAX_EXPONENT = 0xffff_ffffn

function rsaWeakness(modulus: bigint, exponent: bigint): PublicKeyErrorCode | undefined {
  const bits = modulus === 0n ? 0 : modulus.toString(2).length
  if (bits < MIN_RSA_BITS) return 'key_too_short'
  if (bits > MAX_RSA_BITS) return 'key_too_long'
  if (exponent < 3n || exponent % 2n === 0n || exponent > MAX_EXPONENT) return 'key_exponent_weak'
  return modulus % 2n === 0n || hasRocaMark(modulus) ? 'key_factorable' : undefined
}

function toBigInt(base64url = ''): bigint {
  const binary = atob(base64url.replace(/-/g, '+').replace(/_/g, '/'))
  const hex = Array.from(binary, (char) => char.charCodeAt(0).toString(16).padStart(2, '0')).join('')
  return hex === '' ? 0n : BigInt(`0x${hex}`)
}

const NUMBERS = ['n', 'e', 'x', 'y'] as const

/** Absent, or text: `null` would be read as the three bytes that "null" spells. */
const isBase64urlText = (value: unknown): boolean =>
  value === undefined || (typeof value === 'string' && /^[A-Za-z0-9_-]*$/.test(value))

/** Only the numbers: what else a JWK carries must not influence how it is read. */
function bareJwk({ kty, n, e, x, y }: JWK): JWK {
  if (kty === 'RSA') return { kty, n: n as string, e: e as string }
  if (kty === 'EC') return { kty, crv: 'P-256', x: x as string, y: y as string }
  return { kty: 'OKP', crv: 'Ed25519', x: x as string }
}

function minimalJwk(jwk: JWK): PublicJwk {
  return bareJwk(jwk) as PublicJwk
}

function refuseKey(error: PublicKeyErrorCode): PublicKeyRefusal {
  return { ok: false, error, sentence: publicKeyErrors[error] }
}
