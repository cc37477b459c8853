import {
  assertTerm,
  type CommitOptions,
  type Key,
  keyOfRow,
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
import { SortedTable } from './sorted-table.ts'

/**
 * Replicas that live as long as this storage object: closing and opening again finds what was written, a new storage
 * object is empty. For tests, for servers that render a page, and where a browser has no IndexedDB.
 */
export function createMemoryStorage(): ReplicaStorage {
  const apps = new Map<string, StoredApp>()
  return {
    async open(appId, options = {}) {
      const app = apps.get(appId) ?? { tables: new Map(), handles: new Set() }
      apps.set(appId, app)
      return new MemoryReplica(app, options)
    },
    async destroy(appId) {
      const app = apps.get(appId)
      apps.delete(appId)
      for (const handle of app?.handles ?? []) handle.lose()
    },
  }
}

interface StoredApp {
  readonly tables: Map<TableName, SortedTable>
  readonly handles: Set<MemoryReplica>
}

class MemoryReplica implements Replica {
  readonly #app: StoredApp
  readonly #options: OpenOptions
  #isOpen = true

  constructor(app: StoredApp, options: OpenOptions) {
    this.#app = app
    this.#options = options
    app.handles.add(this)
  }

  async get<T extends TableName>(table: T, key: Key): Promise<Tables[T] | undefined> {
    return this.#table(table).get(key) as Tables[T] | undefined
  }

  async getMany<T extends TableName>(table: T, keys: readonly Key[]): Promise<(Tables[T] | undefined)[]> {
    const rows = this.#table(table)
    return keys.map((key) => rows.get(key) as Tables[T] | undefined)
  }

  async scan<T extends TableName>(table: T, range: Range = {}): Promise<Tables[T][]> {
    return this.#table(table).scan(range) as Tables[T][]
  }

  async count(table: TableName, range: Range = {}): Promise<number> {
    return this.#table(table).count(range)
  }

  async commit(writes: readonly Write[], { term }: CommitOptions): Promise<void> {
    assertTerm(term, this.#table('meta').get([TERM]) as Tables['meta'] | undefined)
    // Copying can fail, writing can't: so copies come first, and the commit is all or nothing.
    const copies = copy(writes)
    for (const write of copies) {
      const table = this.#table(write.table)
      if (write.type === 'put') table.put(keyOfRow(write.table, write.row), write.row)
      else if (write.type === 'delete') table.delete(write.key)
      else table.deleteAll(write.prefix)
    }
  }

  async close(): Promise<void> {
    this.#isOpen = false
    this.#app.handles.delete(this)
  }

  lose(): void {
    this.#isOpen = false
    this.#options.onLost?.('deleted')
  }

  #table(name: TableName): SortedTable {
    if (!this.#isOpen) throw new ReplicaError('closed', 'This replica is closed.')
    const table = this.#app.tables.get(name) ?? new SortedTable()
    this.#app.tables.set(name, table)
    return table
  }
}

function copy(writes: readonly Write[]): readonly Write[] {
  try {
    return structuredClone(writes)
  } catch (cause) {
    throw new ReplicaError('broken', `These rows cannot be stored: ${String(cause)}`, { cause })
  }
}
