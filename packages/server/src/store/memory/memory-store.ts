import { randomUUID } from 'node:crypto'
import type { Store } from '../store.ts'
import { StoreOutage } from '../store.ts'
import { memoryApps } from './apps.ts'
import { memoryClaims } from './claims.ts'
import { memoryLists } from './lists.ts'
import { memoryLog } from './log.ts'
import { memoryStreams } from './streams.ts'
import { emptyTables } from './tables.ts'

/**
 * A store that forgets everything when the process ends: for tests and for the simulator. It keeps the same contract as
 * the real ones, values copied at the border included, so that nobody comes to share an object with it.
 *
 * @param options.writers whether several lanes may write to it, as they may to PostgreSQL
 */
export function openMemoryStore(options: { readonly writers?: 'one' | 'many' } = {}): Store {
  const tables = emptyTables()
  let isOpen = true
  const port = <Port extends object>(parts: object): Port =>
    Object.fromEntries(
      Object.entries(parts).map(([name, method]: [string, (...args: unknown[]) => unknown]) => [
        name,
        async (...args: unknown[]) => {
          if (!isOpen) throw new StoreOutage('The store is closed.')
          return structuredClone(method(...structuredClone(args)))
        },
      ]),
    ) as Port
  return {
    epoch: randomUUID(),
    ...(options.writers === 'many' && { hasOneWriter: false, claims: memoryClaims() }),
    log: port(memoryLog(tables, options.writers)),
    streams: port(memoryStreams(tables)),
    lists: port(memoryLists(tables)),
    apps: port(memoryApps(tables, randomUUID() + randomUUID())),
    async close() {
      isOpen = false
    },
  }
}
