import type { Database } from '@parley/sqlite'
import type { TableName } from '../replica.ts'

/** Table → the columns of its key, in order. Names go into SQL as they are; they come from here only. */
export const keyColumns: { readonly [T in TableName]: readonly string[] } = {
  meta: ['name'],
  streams: ['stream'],
  conversations: ['id'],
  participants: ['conversation', 'identity'],
  memberships: ['conversation'],
  messages: ['conversation', 'position'],
  positions: ['id'],
  outbox: ['"order"'],
}

/** Each version's steps. A published entry never changes: a file may come from any of them. */
const versions: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE streams (stream TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE conversations (id TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE participants (
    conversation TEXT NOT NULL, identity TEXT NOT NULL, row TEXT NOT NULL, PRIMARY KEY (conversation, identity)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE memberships (conversation TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE messages (
    conversation TEXT NOT NULL, position INTEGER NOT NULL, row TEXT NOT NULL, PRIMARY KEY (conversation, position)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE positions (id TEXT PRIMARY KEY, row TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE outbox ("order" INTEGER PRIMARY KEY, row TEXT NOT NULL) STRICT;
  `,
]

/** Brings a file of any earlier version up to date; throws for one that newer code has written. */
export function upgradeSchema(database: Database): void {
  const found = database.pragma('user_version', { simple: true }) as number
  if (found > versions.length) throw new Error(`This replica was written by newer code (version ${found}).`)
  const upgrade = database.transaction(() => {
    for (const steps of versions.slice(found)) database.exec(steps)
    database.pragma(`user_version = ${versions.length}`)
  })
  if (found < versions.length) upgrade.immediate()
}
