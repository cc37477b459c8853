import type { BasicIdentity } from '@parley/protocol'
import type { Replica, Write } from '../replica/replica.ts'

/** Where views come from; whoever owns the replica implements it. */
export interface ViewSource {
  /** What there is to see; null while nobody is authenticated: every query is empty then. */
  current(): ViewBasis | null
  /**
   * Calls the listener after each commit with what it wrote, or with `everything` when {@link current} is another one
   * or what was written isn't known.
   */
  subscribe(listener: (touched: readonly Write[] | 'everything') => void): () => void
  /** A listener threw or a read failed. Queries go on. */
  report(error: unknown): void
}

export interface ViewBasis {
  readonly replica: Replica
  readonly identity: BasicIdentity
}
