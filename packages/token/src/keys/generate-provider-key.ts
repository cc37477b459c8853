import { exportPKCS8, exportSPKI, generateKeyPair } from 'jose'
import type { SigningAlgorithm } from '../algorithms.ts'
import { keyId } from '../ids.ts'
import { importPublicKey, type PublicJwk } from './import-public-key.ts'

/** A new key pair: the private half for the app's authentication service, the public half for the server. */
export interface ProviderKey {
  /** `layer:///keys/<uuid>` */
  readonly keyId: string
  readonly algorithm: SigningAlgorithm
  /** PKCS#8 in PEM. Shown once, kept by the app alone. */
  readonly privateKeyPem: string
  /** SubjectPublicKeyInfo in PEM. */
  readonly publicKeyPem: string
  readonly publicJwk: PublicJwk
}

/**
 * Makes a key pair for a provider: RSA of 2048 bits, EC on P-256, or Ed25519.
 * @param options.uuid the key's id; a random one when absent
 * @example
 * const key = await generateProviderKey('ES256')
 */
export async function generateProviderKey(
  algorithm: SigningAlgorithm = 'RS256',
  options: { readonly uuid?: string } = {},
): Promise<ProviderKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true, modulusLength: 2048 })
  const publicKeyPem = await exportSPKI(pair.publicKey)
  const imported = await importPublicKey(publicKeyPem)
  if (!imported.ok) throw new Error(`a key just made was refused: ${imported.error}`)
  return {
    keyId: keyId(options.uuid ?? crypto.randomUUID()),
    algorithm,
    privateKeyPem: await exportPKCS8(pair.privateKey),
    publicKeyPem,
    publicJwk: imported.publicJwk,
  }
}
