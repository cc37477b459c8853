import type { TableName } from '../replica.ts'

/** A key for each term that is over: what a commit in such a term stumbles over. */
export const PAST_TERMS = 'past-terms'

/** Each version and what it added. A published entry never changes: a device may come from any of them. */
const versions: readonly { readonly stores: readonly (TableName | typeof PAST_TERMS)[] }[] = [
  {
    stores: ['meta', 'streams', 'conversations', 'participants', 'memberships', 'messages', 'positions', 'outbox'],
  },
  { stores: [PAST_TERMS] },
]

export const SCHEMA_VERSION = versions.length

/** From whatever version the device has (0 for none) to the newest. */
export function upgradeSchema(database: IDBDatabase, from: number): void {
  for (const version of versions.slice(from)) {
    for (const store of version.stores) database.createObjectStore(store)
  }
}
