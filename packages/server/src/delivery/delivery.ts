import type { UserId, Uuid } from '@parley/protocol'
import { AppMap } from '../model/app-map.ts'
import { RecentMap } from '../model/recent-map.ts'
import type { AppKey } from '../model/state.ts'
import { Tally } from '../observability/tally.ts'
import type { Committed } from '../operations/committed.ts'
import type { Cursor, MovedStreams, StreamStore } from '../store/store.ts'
import type { Change, Listener, Typing } from './change.ts'
import { RecentChanges } from './recent-changes.ts'

export type TypingWatcher = (app: AppKey, typing: Typing, audience: readonly UserId[]) => void
export type ListeningWatcher = (app: AppKey, userId: UserId, isListening: boolean) => void

/** Conversations whose audience is kept for typing signals. */
const MAX_AUDIENCES = 20_000

/** Who is in a conversation, as of the last that was heard of it: in milliseconds of a clock that does not jump. */
interface Audience {
  of: readonly UserId[]
  heardAt: number
}

/**
 * From a committed change to everybody who should hear of it. It knows listeners by app and identity, and nothing of
 * sockets or frames.
 */
export class Delivery {
  readonly #streams: StreamStore
  /** Lists are replaced, never changed: whoever is told may leave while others are still being told. */
  readonly #listeners = new AppMap<readonly Listener[]>()
  /** Since when an identity has connections here, on a clock that does not jump. Undefined where nobody else writes. */
  readonly #since: AppMap<number> | undefined
  readonly #audiences = new RecentMap<Audience>()
  /** Undefined where others write as well: what they moved would be missing in it. */
  readonly #recent: RecentChanges | undefined
  readonly #watchers = new Set<ListeningWatcher>()
  readonly #typingWatchers = new Set<TypingWatcher>()

  readonly #tally: Tally

  constructor(streams: StreamStore, options: { readonly tally?: Tally; readonly isAlone?: boolean } = {}) {
    const { tally = new Tally(), isAlone = true } = options
    this.#streams = streams
    this.#tally = tally
    this.#recent = isAlone ? new RecentChanges() : undefined
    this.#since = isAlone ? undefined : new AppMap()
  }

  /** Registers a listener of an identity; the answer takes it away again. */
  listen(app: AppKey, userId: UserId, listener: Listener): () => void {
    const others = this.#listeners.get(app, userId)
    // A list that is spread out has room for sixteen more, and nearly everybody is there once.
    this.#listeners.set(app, userId, others ? [...others, listener] : [listener])
    if (!others) {
      this.#since?.set(app, userId, performance.now())
      this.#tellWatchers(app, userId, true)
    }
    return () => this.#leave(app, userId, listener)
  }

  /** Whether an identity has a connection here. */
  isListening(app: AppKey, userId: UserId): boolean {
    return this.#listeners.get(app, userId) !== undefined
  }

  /**
   * Since when an identity has been connected here without a break, in milliseconds of `performance.now()`; undefined if it
   * is not. Where others write as well.
   */
  listeningSince(app: AppKey, userId: UserId): number | undefined {
    return this.#since?.get(app, userId)
  }

  /** Tells whenever an identity's first connection came or its last one went; the answer stops it. */
  watch(watcher: ListeningWatcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  /** Tells everybody concerned of what this server committed, in the order of the log: a server that is alone. */
  publish(committed: readonly Committed[]): void {
    this.#audiences.trim(MAX_AUDIENCES)
    for (const one of committed) {
      this.#recent?.add(one)
      this.#tally.changes += one.moves.length
      for (const move of one.moves) {
        const change = { committed: one, move, cursor: one.settled }
        if (move.stream === 'inbox') this.#tell(one.app, move.userId, change)
        else this.#tellAll(one.app, move.audience, change, move.conversation.record.deletedAt !== null)
      }
    }
  }

  /**
   * Tells everybody concerned of a change, whoever committed it.
   * @param audience who hears of a conversation
   */
  tell(app: AppKey, change: Change, audience: readonly UserId[]): void {
    const { move } = change
    this.#tally.changes++
    if (move.stream === 'inbox') {
      this.#tell(app, move.userId, change)
      return
    }
    this.#audiences.trim(MAX_AUDIENCES)
    const isOver = move.rows.some((row) => row.type === 'conversation' && row.record.deletedAt !== null)
    this.#tellAll(app, audience, change, isOver)
  }

  /** Who is in a conversation, if that is known without a look. */
  knownAudience(app: AppKey, conversation: Uuid): readonly UserId[] | undefined {
    return this.#audiences.get(app, conversation)?.of
  }

  /** Who is in a conversation was changed elsewhere. */
  forgetAudience(app: AppKey, conversation: Uuid): void {
    this.#audiences.delete(app, conversation)
  }

  /** Anybody may have been added or removed elsewhere. */
  forgetAudiences(): void {
    this.#audiences.clear()
  }

  /** Passes a typing signal on to the other participants who are there. A stranger's goes nowhere. */
  async type(app: AppKey, typing: Typing): Promise<void> {
    const audience = await this.#audience(app, typing.conversation)
    if (!audience.includes(typing.sender)) return
    this.#tellTyping(app, typing, audience)
    for (const watcher of this.#typingWatchers) watcher(app, typing, audience)
  }

  /** Tells of each signal that was passed on, and who is in its conversation; the answer stops it. */
  watchTyping(watcher: TypingWatcher): () => void {
    this.#typingWatchers.add(watcher)
    return () => this.#typingWatchers.delete(watcher)
  }

  /**
   * Passes on a typing signal that came to another server, which looked whether it is a stranger's.
   * @param named who is in the conversation, if they are few enough to be named
   */
  async typeElsewhere(app: AppKey, typing: Typing, named: readonly UserId[] | null): Promise<void> {
    const audience = this.#stillKnown(app, typing.conversation) ?? named
    this.#tellTyping(app, typing, audience ?? (await this.#audience(app, typing.conversation)))
  }

  /** What moved for an identity after a cursor: from memory if it is recent, from the store otherwise. */
  async moved(app: AppKey, userId: UserId, after: Cursor): Promise<MovedStreams> {
    const recent = this.#recent?.since(app, userId, after)
    this.#tally.arrivals.add(recent ? 'memory' : 'store')
    return recent ?? (await this.#streams.moved(app, userId, after))
  }

  #leave(app: AppKey, userId: UserId, listener: Listener): void {
    const before = this.#listeners.get(app, userId) ?? []
    const after = before.filter((other) => other !== listener)
    if (after.length === before.length) return
    if (after.length > 0) this.#listeners.set(app, userId, after)
    else {
      this.#listeners.delete(app, userId)
      this.#since?.delete(app, userId)
      this.#tellWatchers(app, userId, false)
    }
  }

  #tellWatchers(app: AppKey, userId: UserId, isListening: boolean): void {
    for (const watcher of this.#watchers) watcher(app, userId, isListening)
  }

  #tellAll(app: AppKey, audience: readonly UserId[], change: Change, isOver: boolean): void {
    const { move } = change
    if (move.stream === 'inbox') return
    // Its people hear of the end of a conversation, and of nothing in it afterwards.
    this.#remember(app, move.conversation.id, isOver ? NOBODY : audience)
    for (const userId of audience) this.#tell(app, userId, change)
  }

  #tell(app: AppKey, userId: UserId, change: Change): void {
    const listeners = this.#listeners.get(app, userId)
    if (!listeners) return
    this.#tally.delivered += listeners.length
    for (const listener of listeners) listener.change(change)
  }

  #tellTyping(app: AppKey, typing: Typing, audience: readonly UserId[]): void {
    for (const userId of audience) {
      if (userId === typing.sender) continue
      for (const listener of this.#listeners.get(app, userId) ?? []) listener.typing(typing)
    }
  }

  async #audience(app: AppKey, conversation: Uuid): Promise<readonly UserId[]> {
    const known = this.#stillKnown(app, conversation)
    if (known) return known
    const outdatedAt = this.#audiences.get(app, conversation)?.heardAt
    const loaded = await this.#streams.audience(app, conversation)
    // A change published meanwhile is newer than what was read.
    const newer = this.#audiences.get(app, conversation)
    if (newer && newer.heardAt !== outdatedAt) return newer.of
    this.#remember(app, conversation, loaded)
    this.#audiences.trim(MAX_AUDIENCES)
    return loaded
  }

  /** Of a conversation in which nobody was here for a while, this server was told nothing meanwhile. */
  #stillKnown(app: AppKey, conversation: Uuid): readonly UserId[] | undefined {
    const since = this.#since
    const known = this.#audiences.get(app, conversation)
    if (!known || !since) return known?.of
    const { of, heardAt } = known
    return of.some((userId) => (since.get(app, userId) ?? Number.POSITIVE_INFINITY) <= heardAt) ? of : undefined
  }

  #remember(app: AppKey, conversation: Uuid, of: readonly UserId[]): void {
    const heardAt = this.#since ? performance.now() : 0
    const known = this.#audiences.get(app, conversation)
    if (!known) this.#audiences.set(app, conversation, { of, heardAt })
    else {
      known.of = of
      known.heardAt = heardAt
    }
  }
}

const NOBODY: readonly UserId[] = []
