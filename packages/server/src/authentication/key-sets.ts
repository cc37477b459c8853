import { type ImportedPublicKey, importPublicKey } from '@parley/token'
import type { Tally } from '../observability/tally.ts'
import type { Provider } from '../store/store.ts'

/** A provider's published keys are fetched anew at most this often, however many unknown key ids arrive. */
const REFRESH_INTERVAL_MS = 30_000
/**
 * A set older than this is fetched anew before one of its keys is believed: a key that its provider withdrew is out then,
 * though nobody asks for another one.
 */
const MAX_AGE_MS = 10 * 60_000
/** A JWK set as an answer, in bytes. */
const MAX_SET_BYTES = 262_144
const MAX_KEYS = 64

/** Fetches a JWK set; what it may reach and how long it may take is decided where it is made. */
export type FetchKeySet = (url: string, maxBytes: number) => Promise<string>

const NEVER = Number.NEGATIVE_INFINITY

interface KeySet {
  keys: ReadonlyMap<string, ImportedPublicKey>
  /** When it was last asked for, and when the answer was good. */
  askedAt: number
  goodAt: number
  loading?: Promise<void>
}

/** Keys that providers publish at a JWKS address: cached, refreshed when an unknown key id shows up. */
export class KeySets {
  readonly #fetch: FetchKeySet
  readonly #now: () => number
  readonly #sets = new Map<string, KeySet>()

  readonly #tally: Tally | undefined

  constructor(fetch: FetchKeySet, now: () => number, tally?: Tally) {
    this.#tally = tally
    this.#fetch = fetch
    this.#now = now
  }

  /** The key, from the last good set. An address that does not answer leaves that set in use. */
  async find(provider: Provider, keyId: string): Promise<ImportedPublicKey | undefined> {
    if (provider.jwksUrl === null) return undefined
    const url = provider.jwksUrl
    const set: KeySet = this.#sets.get(url) ?? { keys: new Map(), askedAt: NEVER, goodAt: NEVER }
    this.#sets.set(url, set)
    const known = set.keys.get(keyId)
    if (known && this.#now() - set.goodAt < MAX_AGE_MS) return known
    if (!set.loading && this.#now() - set.askedAt >= REFRESH_INTERVAL_MS) set.loading = this.#refresh(url, set)
    await set.loading
    return set.keys.get(keyId)
  }

  async #refresh(url: string, set: KeySet): Promise<void> {
    set.askedAt = this.#now()
    const from = performance.now()
    try {
      set.keys = await this.#load(url)
      set.goodAt = set.askedAt
      this.#tally?.keySetFetches.add('good')
    } catch {
      // The last good set stays in use.
      this.#tally?.keySetFetches.add('failed')
    } finally {
      this.#tally?.keySetSeconds.note((performance.now() - from) / 1_000)
      delete set.loading
    }
  }

  async #load(url: string): Promise<ReadonlyMap<string, ImportedPublicKey>> {
    const set = JSON.parse(await this.#fetch(url, MAX_SET_BYTES)) as { keys?: unknown } | null
    // An error page in JSON is no set without keys.
    if (!Array.isArray(set?.keys)) throw new Error('This is not a JWK set.')
    const jwks = set.keys.slice(0, MAX_KEYS)
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
