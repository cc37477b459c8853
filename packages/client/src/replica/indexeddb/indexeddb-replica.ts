import { deleteDB, type IDBPDatabase, openDB, unwrap } from 'idb'
import {
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
  type Write,
} from '../replica.ts'
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
      await translated(() => deleteDB(databaseName(appId)))
    },
  }
}

const databaseName = (appId: string) => `parley:${appId}`

function assertAvailable(): void {
  if (typeof indexedDB === 'undefined') throw new ReplicaError('unavailable', 'There is no IndexedDB here.')
}

class IndexedDbReplica implements Replica {
  /** Undefined before it opened and once it closed. */
  #database: IDBPDatabase | undefined

  async open(name: string, { onLost }: OpenOptions): Promise<void> {
    const lose = (reason: LossReason) => {
      if (!this.#database) return
      void this.close()
      onLost?.(reason)
    }
    const open = () =>
      openDB(name, SCHEMA_VERSION, {
        upgrade: upgradeSchema,
        // Another tab wants to delete or upgrade the database and waits for us: let go at once.
        blocking: (_current, blockedVersion) => lose(blockedVersion === null ? 'deleted' : 'superseded'),
        // The browser closed it by itself, for instance because the user cleared the site's data.
        terminated: () => lose('broken'),
      })
    this.#database = await translated(open, OPEN_CODES)
  }

  get<T extends TableName>(table: T, key: Key): Promise<Tables[T] | undefined> {
    return this.#use((database) => database.get(table, key as IDBValidKey))
  }

  getMany<T extends TableName>(table: T, keys: readonly Key[]): Promise<(Tables[T] | undefined)[]> {
    return this.#use((database) => {
      const { store } = database.transaction(table)
      return Promise.all(keys.map((key) => store.get(key as IDBValidKey)))
    })
  }

  scan<T extends TableName>(table: T, range: Range = {}): Promise<Tables[T][]> {
    return this.#use(async (database) => {
      if (range.limit !== undefined && range.limit <= 0) return []
      const bounds = keyRange(range)
      if (bounds === 'empty') return []
      if (!range.reverse) return database.getAll(table, bounds, range.limit)
      const rows: Tables[T][] = []
      let cursor = await database.transaction(table).store.openCursor(bounds, 'prev')
      while (cursor) {
        rows.push(cursor.value)
        if (rows.length === range.limit) break
        cursor = await cursor.continue()
      }
      return rows
    })
  }

  count(table: TableName, range: Range = {}): Promise<number> {
    return this.#use(async (database) => {
      const bounds = keyRange(range)
      const count = bounds === 'empty' ? 0 : await database.count(table, bounds)
      return Math.max(0, Math.min(range.limit ?? Infinity, count))
    })
  }

  commit(writes: readonly Write[], options: { readonly durability: 'strict' | 'relaxed' }): Promise<void> {
    return this.#use(async (database) => {
      if (writes.length === 0) return
      // The bare transaction instead of idb's: thousands of promises cost, each would reject by itself when the
      // transaction aborts, and `done` forgets whether it was for want of room.
      const tables = new Set(writes.map((write) => write.table))
      const transaction = unwrap(database).transaction([...tables], 'readwrite', options)
      const done = completion(transaction)
      try {
        for (const write of writes) apply(transaction.objectStore(write.table), write)
      } catch (cause) {
        transaction.abort()
        await done.catch(() => {})
        throw cause
      }
      await done
    })
  }

  async close(): Promise<void> {
    this.#database?.close()
    this.#database = undefined
  }

  #use<T>(work: (database: IDBPDatabase) => Promise<T>): Promise<T> {
    return translated(async () => {
      if (!this.#database) throw new ReplicaError('closed', 'This replica is closed.')
      return work(this.#database)
    })
  }
}

function completion(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
  })
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
