/** What a store says no with, and what that means for whoever asked. */
import type { ErrorId } from '@parley/protocol'
import type { Place } from './cursor.ts'
import { NOTHING, type Outdated } from './log-store.ts'

/** A commit was refused whole because the id of a new message is taken: somebody repeats what was done before. */
export class MessageExists extends Error {
  override readonly name = 'MessageExists'
}

/** A commit was refused whole because somebody else changed what it rests on. */
export class Stale extends Error {
  override readonly name = 'Stale'
  readonly outdated: Outdated
  /** @param outdated whatever it is, if the store does not say */
  constructor(outdated: Partial<Outdated> = {}) {
    const all = { ...NOTHING, ...outdated }
    const named = Object.entries(all).flatMap(([kind, items]) => (items.length > 0 ? [`${items.length} ${kind}`] : []))
    super(`Somebody else changed ${named.join(', ') || 'something'}.`)
    this.outdated = all
  }
}

/** The store cannot do its work right now; nothing was changed. */
export class StoreOutage extends Error {
  override readonly name: string = 'StoreOutage'
  /** What callers are told. */
  readonly refusal: ErrorId = 'service_unavailable'
}

/** The store went away in the middle of a commit, and for now nobody knows whether it happened. */
export class CommitUnknown extends StoreOutage {
  override readonly name = 'CommitUnknown'
  /**
   * Where the commit stands, or undefined if it did not happen and never will. Until this has answered, what was
   * committed may not have been told.
   * @throws StoreOutage if it still cannot be known
   */
  readonly fate: () => Promise<Place | undefined>
  constructor(message: string, fate: () => Promise<Place | undefined>, options?: ErrorOptions) {
    super(message, options)
    this.fate = fate
  }
}

/** The store cannot be used at all; the sentence says why and what to do. */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError'
  readonly code = 'store_unusable'
}
