import { type CryptoKey, importJWK, importPKCS8, type JWK } from 'jose'
import { isSigningAlgorithm, type SigningAlgorithm } from '../algorithms.ts'
import { algorithmOfJwk } from './import-public-key.ts'
import { derKind, readPem } from './pem.ts'

/** A private key that can sign, and the algorithm its type leaves. */
export interface SigningKey {
  readonly algorithm: SigningAlgorithm
  readonly key: CryptoKey
}

/** Reads the app's own private key. A key that cannot sign is a mistake of configuration, so this throws. */
export async function importPrivateKey(input: string | JWK): Promise<SigningKey> {
  const algorithm = typeof input === 'string' ? algorithmOfPem(input) : algorithmOfJwk(input)
  if (!isSigningAlgorithm(algorithm)) throw new TypeError('The private key has to be RSA, EC on P-256, or Ed25519.')
  try {
    const key = typeof input === 'string' ? importPKCS8(input.trim(), algorithm) : importJWK(input, algorithm)
    return { algorithm, key: (await key) as CryptoKey }
  } catch (cause) {
    throw new TypeError(`The private key could not be read as a key for ${algorithm}.`, { cause })
  }
}

function algorithmOfPem(text: string): string {
  const pem = readPem(text)
  if (pem?.label === 'PRIVATE KEY') return derKind(pem.derHex)
  if (pem?.label === 'RSA PRIVATE KEY' || pem?.label === 'EC PRIVATE KEY') {
    throw new TypeError(`The private key is in an older format. Convert it: openssl pkcs8 -topk8 -nocrypt -in key.pem`)
  }
  throw new TypeError('The private key is not PEM in PKCS#8 (BEGIN PRIVATE KEY). Were its line breaks lost?')
}
