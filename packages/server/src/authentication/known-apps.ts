import type { Uuid } from '@parley/protocol'
import type { Clock } from '../clock.ts'
import type { App, Store } from '../store/store.ts'

/** How long an app is taken to be what it was: as long as it takes until an operator's word is heard on open connections. */
const KNOWN_MS = 1_000
/** Of more apps than this, the first ones are asked for again. */
const MAX_KNOWN = 1_000

/**
 * Apps as they were within the last second, for what opens nothing by itself: whoever asks for a nonce is looked at again
 * when they come with a token for it. Thousands ask within a second for the same few apps, and each question to the store
 * wakes a thread. An app that is not there is never remembered: anybody can make up names.
 */
export class KnownApps {
  readonly #store: Pick<Store, 'apps'>
  readonly #clock: Pick<Clock, 'now'>
  readonly #known = new Map<Uuid, { readonly app: App; readonly at: number }>()

  constructor(store: Pick<Store, 'apps'>, clock: Pick<Clock, 'now'>) {
    this.#store = store
    this.#clock = clock
  }

  /** At once, if it is known. */
  find(id: Uuid): App | Promise<App | undefined> {
    const known = this.#known.get(id)
    // A clock that was set back makes nothing younger.
    const age = known ? this.#clock.now() - known.at : KNOWN_MS
    return known && age >= 0 && age < KNOWN_MS ? known.app : this.#ask(id)
  }

  async #ask(id: Uuid): Promise<App | undefined> {
    const at = this.#clock.now()
    const app = await this.#store.apps.byId(id)
    this.#known.delete(id)
    if (!app) return undefined
    this.#known.set(id, { app, at })
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value as Uuid)
    return app
  }
}
