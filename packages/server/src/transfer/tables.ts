/**
 * The tables that are copied, as both stores have them: columns in the order in which SQLite has them, keys in the order
 * in which both sort by them. What only one side has (row sums; revisions, ids of messages) is made or left out on the way.
 */

export type ColumnType = 'integer' | 'bigint' | 'text' | 'uuid' | 'json'

export interface Column {
  readonly name: string
  readonly type: ColumnType
}

export interface Table {
  readonly name: string
  /** The primary key, in the order of its index. */
  readonly key: readonly Column[]
  readonly columns: readonly Column[]
  /** From and to which column SQLite's row sum is made, if it has one. */
  readonly summed?: readonly [number, number]
  /** PostgreSQL counts how often a row was changed. */
  readonly hasRevision?: boolean
}

/** A row as SQLite has it; `sum` where the table has one. */
export type TableRow = Readonly<Record<string, string | number | null>>
/** Values of a key, in its order. */
export type Key = readonly (string | number)[]

export const tables: readonly Table[] = [
  table(
    'apps',
    'key',
    'key:integer id:uuid environment name session_seconds:bigint allowed_origins:json created_at:bigint suspended_at:bigint',
  ),
  table('providers', 'id', 'id:uuid app:integer jwks_url'),
  table('provider_keys', 'id', 'id provider:uuid algorithm public_jwk:json state created_at:bigint'),
  {
    ...table(
      'identities',
      'app user_id',
      'app:integer user_id display_name avatar_url first_name last_name email_address phone_number public_key ' +
        'metadata:json created_at:bigint suspended_at:bigint inbox_sequence:bigint inbox_moved:bigint',
    ),
    summed: [1, 12],
    hasRevision: true,
  },
  {
    ...table(
      'sessions',
      'id',
      'id:uuid token_hash app:integer user_id created_at:bigint expires_at:bigint ended_at:bigint',
    ),
    summed: [0, 5],
  },
  table('used_nonces', 'hash', 'hash forget_at:bigint'),
  {
    ...table(
      'conversations',
      'app id',
      'app:integer id:uuid created_at:bigint created_by distinct_key metadata:json deleted_at:bigint sequence:bigint ' +
        'changed_at:bigint head_sequence:bigint head_position:bigint last_message_at:bigint moved:bigint moved_at:bigint',
    ),
    summed: [1, 12],
    hasRevision: true,
  },
  {
    ...table(
      'participants',
      'app conversation user_id',
      'app:integer conversation:uuid user_id state join_order:bigint joined_at:bigint absent:json delivered:json ' +
        'read:json hidden:json last_position:bigint sequence:bigint inbox_sequence:bigint changed_at:bigint',
    ),
    summed: [2, 14],
  },
  {
    ...table(
      'messages',
      'app conversation position',
      'app:integer conversation:uuid position:bigint id:uuid sender sent_at:bigint parts:json deleted_at:bigint ' +
        'sequence:bigint first_sequence:bigint changed_at:bigint',
    ),
    summed: [1, 11],
  },
  {
    ...table('operations', 'app user_id id', 'app:integer user_id id:uuid name at:bigint effect:uuid result:json'),
    summed: [1, 7],
  },
]

export function tableOf(name: string): Table {
  const found = tables.find((one) => one.name === name)
  if (!found) throw new Error(`There is no table ${name}.`)
  return found
}

/** @param columns names, each with its type in PostgreSQL unless that is text */
function table(name: string, key: string, columns: string): Table {
  const all = columns.split(' ').map((column): Column => {
    const [called, type = 'text'] = column.split(':')
    return { name: called!, type: type as ColumnType }
  })
  const named = (one: string) => all.find((column) => column.name === one)!
  return { name, columns: all, key: key.split(' ').map(named) }
}

export const keyOf = (table: Table, row: TableRow): Key => table.key.map(({ name }) => row[name]!)
