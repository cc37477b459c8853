import type { Json } from '@parley/protocol'
import {
  type CommitOptions,
  type Key,
  keyOfRow,
  type LossReason,
  type OpenOptions,
  type Range,
  type Replica,
  ReplicaError,
  type ReplicaStorage,
  type TableName,
  type Tables,
  TERM,
  type Write,
} from '../replica.ts'
import { answer, completion } from './requests.ts'
import { PAST_TERMS, POSITIONS, SCHEMA_VERSION, upgradeSchema } from './schema.ts'

/**
 * Replicas in the browser: one IndexedDB database for each app, one object store for each table, rows as they are
 * under their key as an array. Positions are an index of the messages, which writes itself.
 */
export function createIndexedDbStorage(): ReplicaStorage {
  return {
    async open(appId, options = {}) {
      assertAvailable()
      const replica = new IndexedDbReplica()
      await replica.open(databaseName(appId), options)
      return replica
    },
    async destroy(appId) {
      assertAvailable()
      // Every connection, also another tab's, is told by `versionchange` and lets go; until then this waits.
      await translated(() => answer(indexedDB.deleteDatabase(databaseName(appId))))
    },
  }
}

/** Nobody wakes up after so many others have owned. */
const MAX_PAST_TERMS = 1_000

const databaseName = (appId: string) => `parley:${appId}`

function assertAvailable(): void {
  if (typeof indexedDB === 'undefined') throw new ReplicaError('unavailable', 'There is no IndexedDB here.')
}

/** Waits until no other tab keeps an older version open; each lets go when asked. */
function openDatabase(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, SCHEMA_VERSION)
  opening.onupgradeneeded = ({ oldVersion }) => upgradeSchema(opening.result, opening.transaction!, oldVersion)
  return answer(opening)
}

/** What can be read alike of a store and of an index of one. */
type Rows = Pick<IDBIndex, 'get' | 'getAll' | 'count' | 'openKeyCursor'>

interface Read {
  readonly table: TableName
  readonly run: (store: Rows) => void
  readonly reject: (error: unknown) => void
}

class IndexedDbReplica implements Replica {
  /** Undefined before it opened and once it closed. */
  #database: IDBDatabase | undefined
  #reads: Read[] = []

  async open(name: string, { onLost }: OpenOptions): Promise<void> {
    const lose = (reason: LossReason) => {
      if (!this.#database) return
      void this.close()
      onLost?.(reason)
    }
    const database = await translated(() => openDatabase(name), OPEN_CODES)
    // Another tab wants to delete or upgrade the database and waits for us: let go at once.
    database.onversionchange = ({ newVersion }) => lose(newVersion === null ? 'deleted' : 'superseded')
    // The browser closed it by itself, for instance because the user cleared the site's data.
    database.onclose = () => lose('broken')
    this.#database = database
  }

  get<T extends TableName>(table: T, key: Key): Promise<Tables[T] | undefined> {
    return this.#read(table, async (store) => answer(store.get(key as IDBValidKey)))
  }

  getMany<T extends TableName>(table: T, keys: readonly Key[]): Promise<(Tables[T] | undefined)[]> {
    return this.#read(table, async (store) => Promise.all(keys.map((key) => answer(store.get(key as IDBValidKey)))))
  }

  async scan<T extends TableName>(table: T, range: Range = {}): Promise<Tables[T][]> {
    const { limit = Infinity, reverse = false } = range
    const bounds = keyRange(range)
    const all = (within: typeof bounds, count?: number): Promise<Tables[T][]> =>
      this.#read(table, async (store) => (within === 'empty' || limit <= 0 ? [] : answer(store.getAll(within, count))))
    if (!reverse) return all(bounds, range.limit)
    const last = range.limit === undefined ? undefined : await this.#lastKey(table, range)
    const number = last?.at(-1)
    if (!last || typeof number !== 'number') return (await all(bounds)).reverse().slice(0, limit)
    // Backwards there is only stepping, which waits for the page: so from where the last so many should begin, and
    // from further below if there are gaps.
    for (let span = limit; ; span *= 4) {
      const isAll = number - span < 0
      const from = isAll ? range.from : Math.max(number - span + 1, Number(range.from ?? 0))
      const found = await all(keyRange({ ...range, from, to: number }))
      if (isAll || found.length >= limit) return found.reverse().slice(0, limit)
    }
  }

  /** Of a range in which only the last part of the key differs. */
  async #lastKey(table: TableName, range: Range): Promise<Key | undefined> {
    const bounds = keyRange(range)
    if (bounds === 'empty') return undefined
    const cursor = await this.#read(table, async (store) => answer(store.openKeyCursor(bounds, 'prev')))
    const key = cursor?.key as Key | undefined
    return key?.length === (range.prefix?.length ?? 0) + 1 ? key : undefined
  }

  count(table: TableName, range: Range = {}): Promise<number> {
    return this.#read(table, async (store) => {
      const bounds = keyRange(range)
      const count = bounds === 'empty' ? 0 : await answer(store.count(bounds))
      return Math.max(0, Math.min(range.limit ?? Infinity, count))
    })
  }

  /**
   * Everything is asked for at once, and the commit as well: a page that is frozen half-way must not keep others from
   * reading and writing. For that reason no answer is waited for to know whether the term is over, either: the commit
   * adds the key of its term, which fails, and all with it, if it is there; and takes it away again unless the term
   * ends with this commit.
   */
  commit(all: readonly Write[], { durability, term }: CommitOptions): Promise<void> {
    return this.#use(async (database) => {
      const writes = all.filter(({ table }) => table !== POSITIONS)
      if (writes.length === 0) return
      const stores = new Set<string>(writes.map((write) => write.table))
      if (term !== undefined) stores.add(PAST_TERMS)
      const transaction = database.transaction([...stores], 'readwrite', { durability })
      const done = completion(transaction)
      let check: IDBRequest | undefined
      try {
        if (term !== undefined) {
          const past = transaction.objectStore(PAST_TERMS)
          check = past.add(1, term)
          if (termAfter(writes, term) === term) past.delete(term)
          else past.delete(IDBKeyRange.upperBound(term - MAX_PAST_TERMS))
        }
        for (const write of writes) apply(transaction.objectStore(write.table), write)
        transaction.commit()
      } catch (cause) {
        transaction.abort()
        await done.catch(() => {})
        throw cause
      }
      await done.catch((error) => {
        if (check?.error?.name !== 'ConstraintError') throw error
        throw new ReplicaError('fenced', `Term ${term} is over: another tab writes now.`)
      })
    })
  }

  async close(): Promise<void> {
    this.#look()
    this.#database?.close()
    this.#database = undefined
  }

  /**
   * What is asked for in one go is one transaction: opening them is most of what small reads cost.
   * @param work throws nothing, it rejects
   */
  #read<T>(table: TableName, work: (store: Rows) => Promise<T>): Promise<T> {
    return this.#use(
      () =>
        new Promise<T>((resolve, reject) => {
          this.#reads.push({ table, run: (store) => resolve(work(store)), reject })
          if (this.#reads.length === 1) queueMicrotask(() => this.#look())
        }),
    )
  }

  /** See {@link commit}. */
  #look(): void {
    const reads = this.#reads
    this.#reads = []
    // Closing was faster, and has looked.
    if (!this.#database || reads.length === 0) return
    try {
      const stores = reads.map(({ table }) => (table === POSITIONS ? 'messages' : table))
      const transaction = this.#database.transaction([...new Set(stores)])
      reads.forEach(({ table, run }, i) => {
        const store = transaction.objectStore(stores[i]!)
        run(table === POSITIONS ? store.index(POSITIONS) : store)
      })
      transaction.commit()
    } catch (error) {
      for (const { reject } of reads) reject(error)
    }
  }

  #use<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    return translated(async () => {
      if (!this.#database) throw new ReplicaError('closed', 'This replica is closed.')
      return work(this.#database)
    })
  }
}

/** The term that is the present one after these writes, given the one before. */
function termAfter(writes: readonly Write[], before: number): Json {
  const claim = writes.find((write) => write.type === 'put' && write.table === 'meta' && write.row.name === TERM)
  return (claim as { readonly row: Tables['meta'] } | undefined)?.row.value ?? before
}

function apply(store: IDBObjectStore, write: Write): void {
  if (write.type === 'put') store.put(write.row, keyOfRow(write.table, write.row) as IDBValidKey)
  else if (write.type === 'delete') store.delete(write.key as IDBValidKey)
  else {
    const range = keyRange(write)
    if (range !== 'empty') store.delete(range ?? allKeys())
  }
}

/** Arrays sort after numbers and texts, so `[]` as the next part is beyond every key that begins this way. */
function keyRange({ prefix = [], from, to }: Range): IDBKeyRange | undefined | 'empty' {
  if (prefix.length === 0 && from === undefined && to === undefined) return undefined
  if (from !== undefined && to !== undefined && from > to) return 'empty'
  const lower = from === undefined ? prefix : [...prefix, from]
  const upper = to === undefined ? prefix : [...prefix, to]
  return IDBKeyRange.bound(lower, [...upper, []])
}

const allKeys = () => IDBKeyRange.lowerBound([])

/** Every error that leaves this file is a ReplicaError. */
async function translated<T>(work: () => Promise<T>, codes = USE_CODES): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof ReplicaError) throw cause
    const name = (cause as { name?: string } | null)?.name ?? ''
    throw new ReplicaError(codes[name] ?? 'broken', `IndexedDB failed: ${String(cause)}`, { cause })
  }
}

type Codes = Readonly<Record<string, ReplicaError['code']>>
const USE_CODES: Codes = { QuotaExceededError: 'full', InvalidStateError: 'closed' }
/** How private windows and blocked third-party frames say that there is no storage for them. */
const OPEN_CODES: Codes = { QuotaExceededError: 'full', InvalidStateError: 'unavailable', SecurityError: 'unavailable' }
