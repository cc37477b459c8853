import { storeFile } from '@parley/server'
import { type Database, loadSqlite } from '@parley/sqlite'

const Sqlite = loadSqlite()

/** Reads the server's store behind its back. */
export function lookIntoStore<T>(dataFolder: string, look: (store: Database) => T): T {
  const store = new Sqlite(storeFile(dataFolder), { timeout: 5_000 })
  try {
    return look(store)
  } finally {
    store.close()
  }
}

/** Message id → position, as committed. */
export const committedPositions = (dataFolder: string): ReadonlyMap<string, number> =>
  lookIntoStore(
    dataFolder,
    (store) =>
      new Map(
        (store.prepare('SELECT id, position FROM messages').all() as { id: string; position: number }[]).map(
          ({ id, position }) => [`layer:///messages/${id}`, position],
        ),
      ),
  )

export const isIntact = (dataFolder: string): boolean =>
  lookIntoStore(dataFolder, (store) => store.pragma('integrity_check', { simple: true }) === 'ok')
