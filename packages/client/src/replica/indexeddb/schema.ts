import type { TableName } from '../replica.ts'

/** Each version and what it added. A published entry never changes: a device may come from any of them. */
const versions: readonly { readonly tables: readonly TableName[] }[] = [
  {
    tables: ['meta', 'streams', 'conversations', 'participants', 'memberships', 'messages', 'positions', 'outbox'],
  },
]

export const SCHEMA_VERSION = versions.length

/** From whatever version the device has (0 for none) to the newest. */
export function upgradeSchema(database: IDBDatabase, from: number): void {
  for (const version of versions.slice(from)) {
    for (const table of version.tables) database.createObjectStore(table)
  }
}
