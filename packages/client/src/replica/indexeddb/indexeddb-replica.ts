import {
  assertTerm,
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
import { answer, completion, readBackwards } from './requests.ts'
import { SCHEMA_VERSION, upgradeSchema } from './schema.ts'

/**
 * Replicas in the browser: one IndexedDB database for each app, one object store for each table, rows as they are
 * under their key as an array.
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

const databaseName = (appId: string) => `parley:${appId}`

function assertAvailable(): void {
  if (typeof indexedDB === 'undefined') throw new ReplicaError('unavailable', 'There is no IndexedDB here.')
}

/** Waits until no other tab keeps an older version open; each lets go when asked. */
function openDatabase(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name, SCHEMA_VERSION)
  opening.onupgradeneeded = ({ oldVersion }) => upgradeSchema(opening.result, oldVersion)
  return answer(opening)
}

class IndexedDbReplica implements Replica {
  /** Undefined before it opened and once it closed. */
  #database: IDBDatabase | undefined

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
    return this.#read(table, (store) => answer(store.get(key as IDBValidKey)))
  }

  getMany<T extends TableName>(table: T, keys: readonly Key[]): Promise<(Tables[T] | undefined)[]> {
    return this.#read(table, (store) => Promise.all(keys.map((key) => answer(store.get(key as IDBValidKey)))))
  }

  scan<T extends TableName>(table: T, range: Range = {}): Promise<Tables[T][]> {
    return this.#read(table, async (store) => {
      const bounds = keyRange(range)
      const { limit = Infinity } = range
      if (bounds === 'empty' || limit <= 0) return []
      return range.reverse ? readBackwards(store, bounds, limit) : answer(store.getAll(bounds, range.limit))
    })
  }

  count(table: TableName, range: Range = {}): Promise<number> {
    return this.#read(table, async (store) => {
      const bounds = keyRange(range)
      const count = bounds === 'empty' ? 0 : await answer(store.count(bounds))
      return Math.max(0, Math.min(range.limit ?? Infinity, count))
    })
  }

  commit(writes: readonly Write[], { durability, term }: CommitOptions): Promise<void> {
    return this.#use(async (database) => {
      if (writes.length === 0) return
      const tables = new Set<TableName>(writes.map((write) => write.table))
      if (term !== undefined) tables.add('meta')
      const transaction = database.transaction([...tables], 'readwrite', { durability })
      const done = completion(transaction)
      let fenced: unknown
      const check = term === undefined ? undefined : transaction.objectStore('meta').get([TERM])
      // Looked at while the writes are on their way, which are undone if it is another's.
      if (check) {
        check.onsuccess = () => {
          fenced = fault(() => assertTerm(term, check.result))
          if (fenced) transaction.abort()
        }
      }
      const cause = fault(() => {
        for (const write of writes) apply(transaction.objectStore(write.table), write)
      })
      if (cause) transaction.abort()
      await done.catch((error) => {
        throw cause ?? fenced ?? error
      })
    })
  }

  async close(): Promise<void> {
    this.#database?.close()
    this.#database = undefined
  }

  #read<T>(table: TableName, work: (store: IDBObjectStore) => Promise<T>): Promise<T> {
    return this.#use((database) => work(database.transaction(table).objectStore(table)))
  }

  #use<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    return translated(async () => {
      if (!this.#database) throw new ReplicaError('closed', 'This replica is closed.')
      return work(this.#database)
    })
  }
}

/** What the work threw. */
function fault(work: () => void): unknown {
  try {
    work()
    return undefined
  } catch (error) {
    return error
  }
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
