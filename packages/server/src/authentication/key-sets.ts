import { type ImportedPublicKey, importPublicKey } from '@parley/token'
import type { Provider } from '../store/store.ts'

/** A provider's published keys are fetched anew at most this often, however many unknown key ids arrive. */
const REFRESH_INTERVAL_MS = 30_000
/** A JWK set as an answer, in bytes. */
const MAX_SET_BYTES = 262_144
const MAX_KEYS = 64

/** Fetches a JWK set; what it may reach and how long it may take is decided where it is made. */
export type FetchKeySet = (url: string, maxBytes: number) => Promise<string>

interface KeySet {
  keys: ReadonlyMap<string, ImportedPublicKey>
  /** When it was last asked for. */
  at: number
  loading?: Promise<void>
}

/** Keys that providers publish at a JWKS address: cached, refreshed when an unknown key id shows up. */
export class KeySets {
  readonly #fetch: FetchKeySet
  readonly #now: () => number
  readonly #sets = new Map<string, KeySet>()

  constructor(fetch: FetchKeySet, now: () => number) {
    this.#fetch = fetch
    this.#now = now
  }

  /** The key, from the last good set. An address that does not answer leaves that set in use. */
  async find(provider: Provider, keyId: string): Promise<ImportedPublicKey | undefined> {
    if (provider.jwksUrl === null) return undefined
    const set: KeySet = this.#sets.get(provider.jwksUrl) ?? { keys: new Map(), at: Number.NEGATIVE_INFINITY }
    this.#sets.set(provider.jwksUrl, set)
    const known = set.keys.get(keyId)
    if (known) return known
    if (!set.loading && this.#now() - set.at >= REFRESH_INTERVAL_MS) {
      set.at = this.#now()
      const url = provider.jwksUrl
      set.loading = this.#load(url).then(
        (keys) => {
          set.keys = keys
          delete set.loading
        },
        () => {
          delete set.loading
        },
      )
    }
    await set.loading
    return set.keys.get(keyId)
  }

  async #load(url: string): Promise<ReadonlyMap<string, ImportedPublicKey>> {
    const set = JSON.parse(await this.#fetch(url, MAX_SET_BYTES)) as { keys?: unknown }
    const jwks = Array.isArray(set.keys) ? set.keys.slice(0, MAX_KEYS) : []
    const imported = await Promise.all(
      jwks.map(async (jwk): Promise<[string, ImportedPublicKey][]> => {
        const kid = (jwk as { kid?: unknown } | null)?.kid
        if (typeof kid !== 'string') return []
        const outcome = await importPublicKey(jwk)
        return outcome.ok ? [[kid.toLowerCase().replace('layer:///keys/', ''), outcome]] : []
      }),
    )
    return new Map(imported.flat())
  }
}
