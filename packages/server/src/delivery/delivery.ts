import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey } from '../model/state.ts'
import type { Committed } from '../operations/lane.ts'
import type { Cursor, MovedStreams, StreamStore } from '../store/store.ts'
import type { Listener, Typing } from './change.ts'
import { RecentChanges } from './recent-changes.ts'

/** Conversations whose audience is kept for typing signals. */
const MAX_AUDIENCES = 20_000

/**
 * From a committed change to everybody who should hear of it. It knows listeners by app and identity, and nothing of
 * sockets or frames.
 */
export class Delivery {
  readonly #streams: StreamStore
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #audiences = new Map<string, readonly UserId[]>()
  readonly #recent = new RecentChanges()

  constructor(streams: StreamStore) {
    this.#streams = streams
  }

  /** Registers a listener of an identity; the answer takes it away again. */
  listen(app: AppKey, userId: UserId, listener: Listener): () => void {
    const name = keyOf(app, userId)
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(name) === listeners) this.#listeners.delete(name)
    }
  }

  /** Tells everybody concerned, in the order of the log. */
  publish(committed: readonly Committed[]): void {
    for (const one of committed) {
      this.#recent.add(one)
      for (const move of one.moves) {
        const change = { committed: one, move }
        if (move.stream === 'inbox') {
          this.#tell(one.app, move.userId, (listener) => listener.change(change))
          continue
        }
        this.#rememberAudience(keyOf(one.app, move.conversation.id), move.audience)
        for (const userId of move.audience) this.#tell(one.app, userId, (listener) => listener.change(change))
      }
    }
  }

  /** Passes a typing signal on to the other participants who are there. A stranger's goes nowhere. */
  async type(app: AppKey, typing: Typing): Promise<void> {
    const audience = await this.#audience(app, typing.conversation)
    if (!audience.includes(typing.sender)) return
    for (const userId of audience) {
      if (userId !== typing.sender) this.#tell(app, userId, (listener) => listener.typing(typing))
    }
  }

  /** What moved for an identity after a cursor: from memory if it is recent, from the store otherwise. */
  async moved(app: AppKey, userId: UserId, after: Cursor): Promise<MovedStreams> {
    return this.#recent.since(app, userId, after) ?? (await this.#streams.moved(app, userId, after))
  }

  #tell(app: AppKey, userId: UserId, tell: (listener: Listener) => void): void {
    const listeners = this.#listeners.get(keyOf(app, userId))
    if (listeners) for (const listener of listeners) tell(listener)
  }

  async #audience(app: AppKey, conversation: Uuid): Promise<readonly UserId[]> {
    const name = keyOf(app, conversation)
    const known = this.#audiences.get(name)
    if (known) return known
    const loaded = await this.#streams.audience(app, conversation)
    // A change published meanwhile is newer than what was read.
    return this.#audiences.get(name) ?? this.#rememberAudience(name, loaded)
  }

  #rememberAudience(name: string, audience: readonly UserId[]): readonly UserId[] {
    this.#audiences.delete(name)
    this.#audiences.set(name, audience)
    if (this.#audiences.size > MAX_AUDIENCES) this.#audiences.delete(this.#audiences.keys().next().value as string)
    return audience
  }
}

const keyOf = (app: AppKey, key: string) => `${app} ${key}`
