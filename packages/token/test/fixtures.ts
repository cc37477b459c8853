import { base64url, CompactSign, type CryptoKey, importPKCS8 } from 'jose'
import type { SigningAlgorithm } from '../src/algorithms.ts'
import { generateProviderKey, type ProviderKey } from '../src/keys/generate-provider-key.ts'
import { importPublicKey } from '../src/keys/import-public-key.ts'
import type { FoundKey, IdentityTokenPorts } from '../src/verify/verify-identity-token.ts'

export const NOW_MS = 1_800_000_000_000
export const NOW = NOW_MS / 1000
export const APP = 'layer:///apps/staging/5d2e1b0a-0000-4000-8000-000000000001'
export const PROVIDER = 'layer:///providers/f0e1d2c3-b4a5-4968-8776-655443322110'
export const STRANGER_PROVIDER = 'layer:///providers/0a0a0a0a-b4a5-4968-8776-655443322110'

const made = new Map<string, Promise<ProviderKey>>()

/** A key pair of this algorithm, the same one each time: RSA keys are slow to make. */
export function providerKey(algorithm: SigningAlgorithm, name = 'first'): Promise<ProviderKey> {
  const id = `${algorithm} ${name}`
  const key = made.get(id) ?? generateProviderKey(algorithm)
  made.set(id, key)
  return key
}

export async function signingKey(key: ProviderKey): Promise<CryptoKey> {
  return importPKCS8(key.privateKeyPem, key.algorithm)
}

export async function activeKey(key: ProviderKey, providerId = PROVIDER): Promise<FoundKey> {
  const imported = await importPublicKey(key.publicKeyPem)
  if (!imported.ok) throw new Error(imported.error)
  return { status: 'active', algorithm: imported.algorithm, key: imported.key, providerId }
}

export const goodHeader = (key: ProviderKey) => ({
  typ: 'JWT',
  alg: key.algorithm as string,
  cty: 'layer-eit;v=1',
  kid: key.keyId,
})

export const goodClaims = () => ({ iss: PROVIDER, prn: 'alice', iat: NOW, exp: NOW + 3600, nce: 'nonce-1' })

/** Encodes a value as JSON; text is taken as it is, so that a test can send JSON no serialiser writes. */
export function part(value: unknown): string {
  return base64url.encode(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))
}

/** Signs any two parts with a key, whatever they say: through WebCrypto, since the library would refuse some. */
export async function sign(header: unknown, claims: unknown, key: ProviderKey): Promise<string> {
  return signParts(`${part(header)}.${part(claims)}`, key)
}

export async function signParts(input: string, key: ProviderKey): Promise<string> {
  const parameters = {
    RS256: { name: 'RSASSA-PKCS1-v1_5' },
    ES256: { name: 'ECDSA', hash: 'SHA-256' },
    EdDSA: { name: 'Ed25519' },
  }[key.algorithm]
  const bytes = await crypto.subtle.sign(parameters, await signingKey(key), new TextEncoder().encode(input))
  return `${input}.${base64url.encode(new Uint8Array(bytes))}`
}

/** A token the library signs, for headers it agrees with. */
export async function signWithLibrary(key: ProviderKey, claims: unknown = goodClaims()): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader(goodHeader(key))
    .sign(await signingKey(key))
}

export interface RecordedPorts extends IdentityTokenPorts {
  /** What was asked of the ports, in order. */
  readonly asked: string[]
}

/** A registry that knows the given keys and one provider, any nonce once, and no suspended user. */
export async function portsFor(
  keys: readonly ProviderKey[],
  overrides: Partial<IdentityTokenPorts> = {},
): Promise<RecordedPorts> {
  const found = new Map<string, FoundKey>()
  for (const key of keys) found.set(key.keyId.slice('layer:///keys/'.length), await activeKey(key))
  const spent = new Set<string>()
  const asked: string[] = []
  return {
    appId: APP,
    nowMs: NOW_MS,
    leewayMs: 5000,
    asked,
    findKey: (keyId) => {
      asked.push(`findKey ${keyId}`)
      return found.get(keyId) ?? { status: 'unknown' }
    },
    findProvider: (providerId) => {
      asked.push(`findProvider ${providerId}`)
      return PROVIDER.endsWith(providerId) ? 'bound' : STRANGER_PROVIDER.endsWith(providerId) ? 'not-bound' : 'unknown'
    },
    consumeNonce: (nonce) => {
      asked.push(`consumeNonce ${nonce}`)
      const fresh = !spent.has(nonce)
      spent.add(nonce)
      return fresh
    },
    isSuspended: (userId) => {
      asked.push(`isSuspended ${userId}`)
      return false
    },
    ...overrides,
  }
}
