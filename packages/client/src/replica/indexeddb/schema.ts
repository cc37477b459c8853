import type { TableName } from '../replica.ts'

/** A key for each term that is over: what a commit in such a term stumbles over. */
export const PAST_TERMS = 'past-terms'
/**
 * Messages by their ids: the table of positions, read off the messages. A store of its own took twice as long to write
 * as this does, and half of the time of a long history was its.
 */
export const POSITIONS = 'positions'

/** Each version and what it added. A published entry never changes: a device may come from any of them. */
const versions: readonly ((database: IDBDatabase, transaction: IDBTransaction) => void)[] = [
  (database) => {
    const tables: TableName[] = [
      'meta',
      'streams',
      'conversations',
      'participants',
      'memberships',
      'messages',
      'outbox',
    ]
    for (const table of [...tables, POSITIONS]) database.createObjectStore(table)
  },
  (database) => database.createObjectStore(PAST_TERMS),
  (database, transaction) => {
    database.deleteObjectStore(POSITIONS)
    transaction.objectStore('messages').createIndex(POSITIONS, ['id'])
  },
]

export const SCHEMA_VERSION = versions.length

/** From whatever version the device has (0 for none) to the newest. */
export function upgradeSchema(database: IDBDatabase, transaction: IDBTransaction, from: number): void {
  for (const version of versions.slice(from)) version(database, transaction)
}
