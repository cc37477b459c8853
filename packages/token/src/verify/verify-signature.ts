import { constants, KeyObject, verify } from 'node:crypto'
import type { CryptoKey } from 'jose'
import type { SigningAlgorithm } from '../algorithms.ts'
import { decodeCanonicalBase64url } from '../text/base64url.ts'

/** Two numbers of 256 bits, and Ed25519's two halves. */
const ELLIPTIC_BYTES = 64

/** What a key has to be for an algorithm; anything else would mean that the registry handed out the wrong one. */
const kinds: Readonly<Record<SigningAlgorithm, (key: KeyObject) => boolean>> = {
  RS256: (key) => key.asymmetricKeyType === 'rsa',
  ES256: (key) => key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
  EdDSA: (key) => key.asymmetricKeyType === 'ed25519',
}

/**
 * Whether this key, and no other way of reading the token, proves the signature. What the token says of itself has no
 * say: the algorithm is the key's.
 *
 * `node:crypto` at once, without a thread: a verification takes less time than handing it over would.
 */
export function isSignedWith(
  token: string,
  of: { readonly key: CryptoKey | KeyObject; readonly algorithm: SigningAlgorithm },
): boolean {
  const key = publicKeyOf(of.key, of.algorithm)
  const end = token.lastIndexOf('.')
  const signature = decodeCanonicalBase64url(token.slice(end + 1))
  if (end < 0 || !signature) return false
  const signed = Buffer.from(token.slice(0, end))
  switch (of.algorithm) {
    case 'RS256':
      return verify('sha256', signed, { key, padding: constants.RSA_PKCS1_PADDING }, signature)
    case 'ES256':
      return (
        signature.length === ELLIPTIC_BYTES && verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, signature)
      )
    case 'EdDSA':
      return signature.length === ELLIPTIC_BYTES && verify(null, signed, key, signature)
  }
}

const known = new WeakMap<CryptoKey, KeyObject>()

function publicKeyOf(given: CryptoKey | KeyObject, algorithm: SigningAlgorithm): KeyObject {
  if (!(given instanceof KeyObject) && known.has(given)) return known.get(given) as KeyObject
  const key = given instanceof KeyObject ? given : KeyObject.from(given)
  if (key.type !== 'public' || !kinds[algorithm](key)) throw new TypeError(`This is no public key for ${algorithm}.`)
  if (!(given instanceof KeyObject)) known.set(given, key)
  return key
}
