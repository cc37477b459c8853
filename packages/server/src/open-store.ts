import { isPostgresUrl, openPostgresStore } from './store/postgres/postgres-store.ts'
import { openSqliteStore, openThreadedSqliteStore, storeFile } from './store/sqlite/sqlite-store.ts'
import { type Store, StoreOpenError } from './store/store.ts'
import { openForAll } from './transfer/target.ts'
import { transferable } from './transfer/transferable-store.ts'

/** Where a store is: in a folder (embedded), or in a database of PostgreSQL, which then counts. */
export interface StorePlace {
  readonly dataFolder?: string
  /** Such as `postgres://parley@db.example/parley`. */
  readonly store?: string
}

export interface OpenOptions {
  /** To serve from: on threads of its own, where that is a matter of choice. */
  readonly isServing?: boolean
  /** Whether the server is given a bus, by which it hears of others on its store. */
  readonly hasBus?: boolean
  readonly log?: (message: string, details: Record<string, unknown>) => void
}

/** @throws StoreOpenError if there is none and none can be made; the sentence says why */
export async function openStore({ dataFolder, store }: StorePlace, options: OpenOptions = {}): Promise<Store> {
  if (store !== undefined) {
    if (!isPostgresUrl(store))
      throw new StoreOpenError(`A store's address begins with postgres://, and ${store} does not.`)
    return openPostgresStore(store, {
      ...(options.log && { log: options.log }),
      ...(options.isServing && { serving: options.hasBus ? 'with a bus' : 'without a bus' }),
    })
  }
  if (dataFolder === undefined) throw new StoreOpenError('Neither a data folder nor a store was named.')
  if (!options.isServing) return openSqliteStore(storeFile(dataFolder))
  const { log = () => undefined } = options
  const embedded = await openThreadedSqliteStore(storeFile(dataFolder))
  const openTarget = (url: string, whileFilledBy: string) =>
    openPostgresStore(url, { log, whileFilledBy, serving: 'alone' })
  return transferable(embedded, { openTarget, openForAll, log })
}
