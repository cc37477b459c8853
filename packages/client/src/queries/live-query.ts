/**
 * A live query: what a screen subscribes to. It owns its window, its last snapshot and its listeners; what to load is a
 * function, when to look again is told by `invalidate`. Whatever happens in one turn, or while it loads, is one look.
 */
import { type Deferred, deferred } from '../deferred.ts'
import { type ListChange, listChanges } from './list-changes.ts'
import { shareItems } from './share.ts'

export interface LiveQuery<T> extends AsyncIterable<readonly T[]> {
  /** Resolves once the first snapshot is there; rejects if it could not be read. */
  readonly ready: Promise<void>
  readonly isReady: boolean
  /** The same array with the same items until something in it truly changes. Empty before `ready`. */
  readonly snapshot: () => readonly T[]
  /** How many there are, those outside the window included. */
  readonly total: number
  /** Whether there are any outside the window. */
  readonly hasMore: boolean
  /** At most this many are in the snapshot. */
  readonly window: number
  /** Resolves once a snapshot with that window is there. */
  readonly setWindow: (size: number) => Promise<void>
  /** Widens the window. */
  readonly loadMore: (count: number) => Promise<void>
  /** Calls the listener after each change, until the returned function is called. */
  readonly subscribe: (listener: (update: QueryUpdate<T>) => void) => () => void
  /** Ends it; safe to call twice. The last snapshot stays. */
  readonly close: () => void
}

export interface QueryUpdate<T> {
  readonly snapshot: readonly T[]
  /** What leads from the previous snapshot to this one; empty if only the total is another, and for an empty first one. */
  readonly changes: readonly ListChange<T>[]
  readonly total: number
  readonly hasMore: boolean
}

export interface Loaded<T> {
  readonly items: readonly T[]
  readonly total: number
  readonly hasMore: boolean
}

export interface LiveQueryOptions<T> {
  readonly window: number
  readonly load: (window: number) => Promise<Loaded<T>>
  readonly report: (error: unknown) => void
  readonly onClose?: () => void
}

/** A look that was overtaken is thrown away and repeated, so many times; under a constant stream one has to do. */
const MAX_OVERTAKEN = 2

export interface RunningQuery<T> {
  readonly query: LiveQuery<T>
  /** What it shows may be out of date. */
  readonly invalidate: () => void
}

export function createLiveQuery<T extends { readonly id: string }>(options: LiveQueryOptions<T>): RunningQuery<T> {
  const listeners = new Set<(update: QueryUpdate<T>) => void>()
  const ready = deferred()
  let { window } = options
  let current: Loaded<T> = { items: [], total: 0, hasMore: false }
  let isReady = false
  let isClosed = false
  let isStale = false
  let isLooking = false
  /** Who asked for a window and waits for a look that began afterwards. */
  let waiting: Deferred[] = []
  /** Whom the present look will serve. */
  let served: Deferred[] = []
  let nextUpdate = deferred()

  function invalidate(): void {
    isStale = true
    if (!isLooking) void look()
  }

  async function look(): Promise<void> {
    isLooking = true
    await null
    for (let overtaken = 0; isStale && !isClosed; overtaken++) {
      isStale = false
      served = waiting
      waiting = []
      try {
        const loaded = await options.load(window)
        if (isClosed) return
        if (isStale && overtaken < MAX_OVERTAKEN) {
          waiting = [...served, ...waiting]
          continue
        }
        publish(loaded)
        for (const { resolve } of served) resolve()
      } catch (error) {
        fail(error)
      }
    }
    isLooking = false
  }

  function publish(loaded: Loaded<T>): void {
    const previous = current
    current = { ...loaded, items: shareItems(previous.items, loaded.items) }
    const isSame =
      current.items === previous.items && current.total === previous.total && current.hasMore === previous.hasMore
    if (isReady && isSame) return
    isReady = true
    ready.resolve()
    const changes = current.items === previous.items ? [] : listChanges(previous.items, current.items)
    const update = { snapshot: current.items, changes, total: current.total, hasMore: current.hasMore }
    for (const listener of [...listeners]) {
      try {
        if (listeners.has(listener)) listener(update)
      } catch (error) {
        options.report(error)
      }
    }
    wake()
  }

  function fail(error: unknown): void {
    for (const { reject } of served) reject(error)
    ready.reject(error)
    options.report(error)
  }

  function wake(): void {
    const { resolve } = nextUpdate
    nextUpdate = deferred()
    resolve()
  }

  async function setWindow(size: number): Promise<void> {
    if (!(size >= 1)) throw new RangeError('A window holds at least one item.')
    if (isClosed) return
    window = size
    const wanted = deferred()
    waiting.push(wanted)
    invalidate()
    await wanted.promise
  }

  function close(): void {
    if (isClosed) return
    isClosed = true
    listeners.clear()
    ready.resolve()
    for (const { resolve } of [...served, ...waiting]) resolve()
    wake()
    options.onClose?.()
  }

  async function* snapshots(): AsyncGenerator<readonly T[], void> {
    await ready.promise
    while (!isClosed) {
      const { items } = current
      yield items
      // A reader that was slow gets the newest one and not every one between.
      while (items === current.items && !isClosed) await nextUpdate.promise
    }
  }

  invalidate()
  const query: LiveQuery<T> = {
    ready: ready.promise,
    snapshot: () => current.items,
    setWindow,
    loadMore: (count) => setWindow(window + count),
    subscribe(listener) {
      // A function of our own, so that the same listener may come twice and each can leave.
      const own = (update: QueryUpdate<T>) => listener(update)
      if (!isClosed) listeners.add(own)
      return () => listeners.delete(own)
    },
    close,
    [Symbol.asyncIterator]: snapshots,
    get isReady() {
      return isReady
    },
    get total() {
      return current.total
    },
    get hasMore() {
      return current.hasMore
    },
    get window() {
      return window
    },
  }
  return { query, invalidate }
}
