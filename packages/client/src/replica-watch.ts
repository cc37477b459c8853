/**
 * Tells live queries what is there to see and when it changed. It owns the present replica with whose data it is, and
 * the listeners.
 */
import type { BasicIdentity } from '@parley/protocol'
import type { ViewBasis, ViewSource } from './queries/view-source.ts'
import type { Replica, Write } from './replica/replica.ts'

type Listener = (touched: readonly Write[] | 'everything') => void

export class ReplicaWatch implements ViewSource {
  readonly report: (error: unknown) => void
  readonly #listeners = new Set<Listener>()
  #basis: ViewBasis | null = null

  constructor(report: (error: unknown) => void) {
    this.report = report
  }

  /** From now on this is what there is to see; of nobody: nothing. */
  show(replica: Replica, identity: BasicIdentity | undefined): void {
    const isSame =
      identity !== undefined && this.#basis?.replica === replica && sameProfile(this.#basis.identity, identity)
    if (isSame || (identity === undefined && this.#basis === null)) return
    this.#basis = identity ? { replica, identity } : null
    this.touched('everything')
  }

  current(): ViewBasis | null {
    return this.#basis
  }

  subscribe(listener: Listener): () => void {
    const own: Listener = (touched) => listener(touched)
    this.#listeners.add(own)
    return () => void this.#listeners.delete(own)
  }

  /** These were committed, by this tab or another. */
  touched(touched: readonly Write[] | 'everything'): void {
    for (const listener of [...this.#listeners]) listener(touched)
  }
}

const sameProfile = (a: BasicIdentity, b: BasicIdentity) =>
  a.id === b.id && a.display_name === b.display_name && a.avatar_url === b.avatar_url
