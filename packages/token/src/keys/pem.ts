import type { SigningAlgorithm } from '../algorithms.ts'

/** A PEM block: its label and its DER bytes in hexadecimal. */
export interface PemBlock {
  readonly label: string
  readonly derHex: string
}

const BLOCK = /^\s*-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*$/

/** Reads a text that is exactly one PEM block. */
export function readPem(text: string): PemBlock | undefined {
  const [, label, body] = BLOCK.exec(text) ?? []
  if (!label || !body) return undefined
  try {
    const bytes = Uint8Array.from(atob(body.replace(/\s/g, '')), (char) => char.charCodeAt(0))
    return { label, derHex: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('') }
  } catch {
    return undefined
  }
}

/** What kind of key a DER structure says it holds. */
export type DerKind = SigningAlgorithm | 'other-curve' | 'other-type' | 'unreadable'

const SEQUENCE = '30(?:[0-7].|81..|82....|83......)'
const LEADING = new RegExp(`^${SEQUENCE}(?:020100)?${SEQUENCE}(06.*)$`)
const RSA_ENCRYPTION = '06092a864886f70d010101'
const EC_PUBLIC_KEY = '06072a8648ce3d0201'
const P_256 = '06082a8648ce3d030107'
const ED25519 = '06032b6570'

/**
 * The kind of key in SubjectPublicKeyInfo or PKCS#8. Both begin with a sequence, PKCS#8 then says version 0, and then
 * comes the algorithm's sequence, whose object identifiers decide. WebCrypto wants to be told before it reads.
 */
export function derKind(derHex: string): DerKind {
  const algorithm = LEADING.exec(derHex)?.[1]
  if (algorithm === undefined) return 'unreadable'
  if (algorithm.startsWith(RSA_ENCRYPTION)) return 'RS256'
  if (algorithm.startsWith(ED25519)) return 'EdDSA'
  if (!algorithm.startsWith(EC_PUBLIC_KEY)) return 'other-type'
  return algorithm.startsWith(EC_PUBLIC_KEY + P_256) ? 'ES256' : 'other-curve'
}
