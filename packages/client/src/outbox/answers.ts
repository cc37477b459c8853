/**
 * Who waits for what becomes of an operation. It knows nothing of when that is decided: the outbox tells it, once the
 * commit that says the same has succeeded.
 */
import type { ConversationId, Json } from '@parley/protocol'
import { type Deferred, deferred } from '../deferred.ts'
import { type ParleyError, refused } from '../errors.ts'
import type { OutboxEntry } from '../replica/replica.ts'

/** What became of an operation, for whoever waits. */
export interface Acknowledged {
  readonly result: Json
  /** Differs from what was asked for when a distinct conversation was found. */
  readonly conversation: ConversationId
}

export class Answers {
  /** By the operation's id; all who wait for one hear the same. */
  readonly #awaited = new Map<string, Deferred<Acknowledged>>()

  to(id: string): Promise<Acknowledged> {
    const awaited = this.#awaited.get(id) ?? deferred()
    this.#awaited.set(id, awaited)
    return awaited.promise
  }

  accept(id: string, acknowledged: Acknowledged): void {
    this.#take(id)?.resolve(acknowledged)
  }

  fail(id: string, error: ParleyError): void {
    this.#take(id)?.reject(error)
  }

  /** Whoever waits for an operation hears what becomes of the one that took its place. */
  replace(id: string, by: string): void {
    const old = this.#take(id)
    if (old) this.to(by).then(old.resolve, old.reject)
  }

  failAll(error: ParleyError): void {
    for (const id of [...this.#awaited.keys()]) this.fail(id, error)
  }

  #take(id: string): Deferred<Acknowledged> | undefined {
    const awaited = this.#awaited.get(id)
    this.#awaited.delete(id)
    return awaited
  }
}

/** What became of an entry that waits no longer. */
export async function outcomeOf({ state, conversation }: OutboxEntry): Promise<Acknowledged> {
  if (state.state === 'failed') throw refused(state.error)
  return { result: state.state === 'acknowledged' ? state.result : null, conversation }
}
