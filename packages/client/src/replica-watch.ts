/**
 * Tells live queries what is there to see and when it changed. It owns the present replica with whose data it is, and
 * the listeners; every commit goes through a replica it has wrapped, whoever makes it.
 */
import type { BasicIdentity } from '@parley/protocol'
import type { ViewBasis, ViewSource } from './queries/view-source.ts'
import type { Replica, ReplicaStorage, Write } from './replica/replica.ts'

type Listener = (touched: readonly Write[] | 'everything') => void

export class ReplicaWatch implements ViewSource {
  readonly #onError: (error: unknown) => void
  readonly #listeners = new Set<Listener>()
  #basis: ViewBasis | null = null

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError
  }

  /** The same storage, watched. */
  over(storage: ReplicaStorage): ReplicaStorage {
    return {
      open: async (appId, options) => this.#watch(await storage.open(appId, options)),
      destroy: (appId) => storage.destroy(appId),
    }
  }

  /** From now on this is what there is to see; of nobody: nothing. */
  show(replica: Replica, identity: BasicIdentity | undefined): void {
    const isSame =
      identity !== undefined && this.#basis?.replica === replica && sameProfile(this.#basis.identity, identity)
    if (isSame || (identity === undefined && this.#basis === null)) return
    this.#basis = identity ? { replica, identity } : null
    this.#tell('everything')
  }

  current(): ViewBasis | null {
    return this.#basis
  }

  subscribe(listener: Listener): () => void {
    const own: Listener = (touched) => listener(touched)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  report(error: unknown): void {
    this.#onError(error)
  }

  #watch(replica: Replica): Replica {
    return {
      get: (table, key) => replica.get(table, key),
      getMany: (table, keys) => replica.getMany(table, keys),
      scan: (table, range) => replica.scan(table, range),
      count: (table, range) => replica.count(table, range),
      close: () => replica.close(),
      commit: async (writes, options) => {
        await replica.commit(writes, options)
        this.#tell(writes)
      },
    }
  }

  #tell(touched: readonly Write[] | 'everything'): void {
    for (const listener of [...this.#listeners]) listener(touched)
  }
}

const sameProfile = (a: BasicIdentity, b: BasicIdentity) =>
  a.id === b.id && a.display_name === b.display_name && a.avatar_url === b.avatar_url
