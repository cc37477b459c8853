import { CompactSign, type JWK } from 'jose'
import { CONTENT_TYPE, type SigningAlgorithm } from './algorithms.ts'
import { keyId, parseKeyId, parseProviderId, providerId } from './ids.ts'
import { importPrivateKey, type SigningKey } from './keys/import-private-key.ts'
import { isUserId, MAX_USER_ID_LENGTH } from './text/storable-text.ts'
import { type ProfileClaims, profileClaimNames } from './verify/read-claims.ts'

/**
 * Two weeks. The session that a token opens ends with it, and a device that stays offline past that end loses its
 * local copy: a holiday should fit in. A stolen token gains nothing from a long life, as its nonce is spent at once.
 */
export const DEFAULT_LIFETIME_SECONDS = 14 * 24 * 3600

/** Who signs: as given when the app was created. */
export interface IdentityTokenMinterOptions {
  /** `layer:///providers/<uuid>`, or the bare UUID. */
  readonly providerId: string
  /** `layer:///keys/<uuid>`, or the bare UUID. */
  readonly keyId: string
  /** PKCS#8 in PEM (`BEGIN PRIVATE KEY`), or a JWK. */
  readonly privateKey: string | JWK
  /** Only to be sure: the algorithm follows from the key, and another one is an error. */
  readonly algorithm?: SigningAlgorithm
  /** From `iat` to `exp`. {@link DEFAULT_LIFETIME_SECONDS} when absent. */
  readonly lifetimeSeconds?: number
  /** Unix time in milliseconds. The system clock when absent. */
  readonly now?: () => number
}

/** For whom, and in answer to which nonce. */
export interface MintRequest {
  /** The id of the person *your service* has just authenticated: 1 to 128 characters. */
  readonly userId: string
  /** As the client sent it. */
  readonly nonce: string
  /** Seeds the person's profile. */
  readonly claims?: ProfileClaims
  /** Instead of the minter's lifetime, for this token. */
  readonly expiresInSeconds?: number
}

/** Signs identity tokens with one key. */
export interface IdentityTokenMinter {
  /** A signed identity token. Neither it nor the nonce may be cached. */
  mint(request: MintRequest): Promise<string>
}

/**
 * Makes a minter. Mistakes in the ids throw here; a private key that does not work rejects the first `mint`.
 *
 * @example
 * const minter = createIdentityTokenMinter({ providerId, keyId, privateKey })
 * const token = await minter.mint({ userId: 'ada', nonce })
 */
export function createIdentityTokenMinter(options: IdentityTokenMinterOptions): IdentityTokenMinter {
  const providerUuid = parseProviderId(options.providerId)
  if (!providerUuid) throw new TypeError('providerId has to look like layer:///providers/<uuid>.')
  const keyUuid = parseKeyId(options.keyId)
  if (!keyUuid) throw new TypeError('keyId has to look like layer:///keys/<uuid>.')
  const { now = Date.now, lifetimeSeconds = DEFAULT_LIFETIME_SECONDS } = options
  let signingKey: Promise<SigningKey> | undefined

  return {
    async mint(request) {
      const iat = Math.floor(now() / 1000)
      const lifetime = request.expiresInSeconds ?? lifetimeSeconds
      assertMintable(request, lifetime)
      signingKey ??= importSigningKey(options)
      const { key, algorithm } = await signingKey
      const { userId: prn, nonce: nce } = request
      const claims = { iss: providerId(providerUuid), prn, iat, exp: iat + lifetime, nce, ...profile(request.claims) }
      return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
        .setProtectedHeader({ typ: 'JWT', alg: algorithm, cty: CONTENT_TYPE, kid: keyId(keyUuid) })
        .sign(key)
    },
  }
}

async function importSigningKey(options: IdentityTokenMinterOptions): Promise<SigningKey> {
  const signingKey = await importPrivateKey(options.privateKey)
  if (options.algorithm === undefined || options.algorithm === signingKey.algorithm) return signingKey
  throw new TypeError(`The private key signs with ${signingKey.algorithm}, not with ${options.algorithm}.`)
}

/** What the server would refuse is better found here, where the stack trace points at the cause. */
function assertMintable(request: MintRequest, lifetimeSeconds: number): void {
  if (typeof request.userId !== 'string' || !isUserId(request.userId)) {
    throw new TypeError(`userId has to be a well-formed string of 1 to ${MAX_USER_ID_LENGTH} characters.`)
  }
  if (typeof request.nonce !== 'string' || request.nonce === '') throw new TypeError('nonce has to be a string.')
  if (!Number.isInteger(lifetimeSeconds) || lifetimeSeconds <= 0) {
    throw new TypeError('The lifetime of a token has to be a whole number of seconds above 0.')
  }
}

/** Only the documented names: a record spread into `claims` by mistake must not reach the token. */
function profile(claims: ProfileClaims = {}): ProfileClaims {
  const entries = profileClaimNames.map((name) => [name, claims[name]] as const)
  return Object.fromEntries(entries.filter(([, value]) => typeof value === 'string'))
}
