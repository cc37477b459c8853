import { limits, type UserId, type Uuid } from '@parley/protocol'
import {
  type FoundKey,
  type IdentityTokenPorts,
  type IdentityTokenVerdict,
  type ImportedPublicKey,
  importPublicKey,
  verifyIdentityToken,
} from '@parley/token'
import type { App, Provider, ProviderKey, RegisteredKey, Store } from '../store/store.ts'
import type { KeySets } from './key-sets.ts'

/** Imported keys kept, so that a sign-in costs one signature check and no key parsing. */
const MAX_IMPORTED = 1_000

/** What the caller does, or has looked up. */
export type VerificationOptions = Pick<IdentityTokenPorts, 'consumeNonce'> &
  Partial<Pick<IdentityTokenPorts, 'isSuspended'>> & {
    /** The key of this id, as the store has it at this moment. */
    readonly looked?: { readonly keyId: string; readonly registered: RegisteredKey | undefined } | undefined
  }

/** Verifies identity tokens against the keys the store holds at this moment: a disabled key is out at once. */
export class IdentityTokens {
  readonly #store: Store
  readonly #keySets: KeySets
  readonly #imported = new Map<string, ImportedPublicKey>()

  constructor(store: Store, keySets: KeySets) {
    this.#store = store
    this.#keySets = keySets
  }

  verify(
    token: string,
    app: App,
    nowMs: number,
    { looked, ...steps }: VerificationOptions,
  ): Promise<IdentityTokenVerdict> {
    const { apps, lists } = this.#store
    let known: Provider | undefined
    return verifyIdentityToken(token, {
      appId: app.id,
      nowMs,
      leewayMs: limits.clockLeewayMs,
      maxTokenLength: limits.maxIdentityTokenLength,
      findKey: async (keyId) => {
        const registered = looked?.keyId === keyId ? looked.registered : await this.#registered(app, keyId)
        if (!registered) return this.#findPublished(app, keyId)
        known = registered.provider
        return this.#asFound(registered.key)
      },
      findProvider: async (providerId) => {
        const provider = known?.id === providerId ? known : await apps.provider(providerId as Uuid)
        if (!provider) return 'unknown'
        return provider.app === app.key ? 'bound' : 'not-bound'
      },
      isSuspended: async (userId) => (await lists.profile(app.key, userId as UserId))?.suspendedAt != null,
      ...steps,
    })
  }

  async #registered(app: App, keyId: string): Promise<RegisteredKey | undefined> {
    return (await this.#store.apps.forSignIn(app.id, { keyId, userId: '' }))?.registered
  }

  async #asFound(registered: ProviderKey): Promise<FoundKey> {
    if (registered.state !== 'active') return { status: registered.state }
    const { algorithm, key } = await this.#import(registered)
    return { status: 'active', algorithm, key, providerId: registered.provider }
  }

  async #findPublished(app: App, keyId: string): Promise<FoundKey> {
    const { apps } = this.#store
    for (const provider of await apps.providersOf(app.key)) {
      const published = await this.#keySets.find(provider, keyId)
      if (published) {
        return { status: 'active', algorithm: published.algorithm, key: published.key, providerId: provider.id }
      }
    }
    return { status: 'unknown' }
  }

  async #import(key: ProviderKey): Promise<ImportedPublicKey> {
    const known = this.#imported.get(key.id)
    if (known) return known
    const imported = await importPublicKey(key.publicJwk)
    if (!imported.ok) throw new Error(`The registered key ${key.id} is unusable: ${imported.error}`)
    this.#imported.set(key.id, imported)
    if (this.#imported.size > MAX_IMPORTED) this.#imported.delete(this.#imported.keys().next().value as string)
    return imported
  }
}
