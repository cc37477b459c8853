/** Stores to be moved, and what is in both, read without any of the code that moves them. */

import { loadSqlite } from '@parley/sqlite'
import { SeededChance } from '@parley/testkit'
import { sumOf } from '../../src/store/sqlite/row-sums.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { query } from '../fresh-databases.ts'

const Sqlite = loadSqlite()

/** What every row holds; the rest is only on one side. */
export const COLUMNS: Readonly<Record<string, { readonly key: string; readonly columns: string }>> = {
  apps: {
    key: 'key',
    columns: 'key, id, environment, name, session_seconds, allowed_origins, created_at, suspended_at',
  },
  providers: { key: 'id', columns: 'id, app, jwks_url' },
  provider_keys: { key: 'id', columns: 'id, provider, algorithm, public_jwk, state, created_at' },
  identities: {
    key: 'app, user_id',
    columns:
      'app, user_id, display_name, avatar_url, first_name, last_name, email_address, phone_number, public_key, metadata, created_at, suspended_at, inbox_sequence, inbox_moved',
  },
  sessions: { key: 'id', columns: 'id, token_hash, app, user_id, created_at, expires_at, ended_at' },
  used_nonces: { key: 'hash', columns: 'hash, forget_at' },
  conversations: {
    key: 'app, id',
    columns:
      'app, id, created_at, created_by, distinct_key, metadata, deleted_at, sequence, changed_at, head_sequence, head_position, last_message_at, moved, moved_at',
  },
  participants: {
    key: 'app, conversation, user_id',
    columns:
      'app, conversation, user_id, state, join_order, joined_at, absent, delivered, read, hidden, last_position, sequence, inbox_sequence, changed_at',
  },
  messages: {
    key: 'app, conversation, position',
    columns:
      'app, conversation, position, id, sender, sent_at, parts, deleted_at, sequence, first_sequence, changed_at',
  },
  operations: { key: 'app, user_id, id', columns: 'app, user_id, id, name, at, effect, result' },
}
const JSON_COLUMNS = new Set([
  'allowed_origins',
  'public_jwk',
  'metadata',
  'absent',
  'delivered',
  'read',
  'hidden',
  'parts',
  'result',
])

type Rows = Record<string, unknown[]>

export function rowsOfFile(file: string): Rows {
  const db = new Sqlite(file, { readonly: true })
  try {
    return Object.fromEntries(
      Object.entries(COLUMNS).map(([table, { key, columns }]) => [
        table,
        db.prepare(`SELECT ${columns} FROM ${table} ORDER BY ${key}`).all(),
      ]),
    )
  } finally {
    db.close()
  }
}

export async function rowsOfDatabase(url: string): Promise<Rows> {
  const rows: Rows = {}
  for (const [table, { key, columns }] of Object.entries(COLUMNS)) {
    const texts = columns
      .split(', ')
      .map((name) => (JSON_COLUMNS.has(name) ? `${name}::text AS ${name}` : name))
      .join(', ')
    const found = await query(url, `SELECT ${texts} FROM parley.${table} ORDER BY ${key}`)
    // The plain driver gives 64-bit integers as text.
    rows[table] = found.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asNumber(table, name, value)])),
    )
  }
  return rows
}

const TEXTS =
  /(^id|name|_by|key|user_id|sender|hash|url|address|number|state|environment|algorithm|provider|conversation|effect)$/
const asNumber = (table: string, name: string, value: unknown) =>
  typeof value === 'string' && !JSON_COLUMNS.has(name) && (!TEXTS.test(name) || (table === 'apps' && name === 'key'))
    ? Number(value)
    : value

/** Ids of messages that PostgreSQL keeps beside them. */
export const strayIds = async (url: string): Promise<number> =>
  Number(
    (
      await query(
        url,
        `SELECT count(*) AS count FROM parley.messages m FULL JOIN parley.message_ids i USING (app, id, conversation, position)
         WHERE m.sender IS NULL OR i.id IS NULL`,
      )
    )[0]!.count,
  )

const ODD = [
  '',
  'plain',
  'quote " and \\ back',
  'line\nbreak\ttab',
  '\u0001\u001f\u007f',
  '\u2028\u2029',
  'Zoë 🦜',
  '﷽',
  '{}',
  'null',
]

/** Rows of every table, with odd texts in them, some without sums, as if they had been written over years. */
export function fillFile(file: string, size: { readonly messages: number; readonly seed?: number }): void {
  void openSqliteStore(file).close()
  const chance = new SeededChance(size.seed ?? 1)
  const db = new Sqlite(file)
  const uuid = () => {
    const hex = Buffer.from(chance.bytes(16)).toString('hex')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }
  const text = () => `${chance.pick(ODD)}${chance.below(1_000)}`
  const maybe = <T>(value: T) => (chance.below(3) === 0 ? null : value)
  const sum = (values: readonly unknown[]) => (chance.below(5) === 0 ? null : sumOf(values))
  const time = () => 1_700_000_000_000 + chance.below(1_000_000_000)
  const put = (table: string, values: unknown[]) =>
    db.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`).run(values as never[])
  db.transaction(() => {
    for (const app of [1, 2, 7]) {
      put('apps', [app, uuid(), 'staging', text(), maybe(3600), maybe('["https://a.example"]'), time(), maybe(time())])
      const provider = uuid()
      put('providers', [provider, app, maybe('https://a.example/keys')])
      put('provider_keys', [text() + uuid(), provider, 'RS256', '{"kty": "RSA",  "n":"x"}', 'active', time()])
      const people = Array.from({ length: 20 }, (_, n) => `user ${n} ${chance.pick(ODD)}`)
      for (const person of people) {
        const values = [
          person,
          ...Array.from({ length: 7 }, () => maybe(text())),
          JSON.stringify({ [text()]: text() }),
          time(),
          maybe(time()),
        ]
        put('identities', [app, ...values, chance.below(50), chance.below(1_000), sum(values)])
        const session = [uuid(), uuid(), app, person, time()]
        put('sessions', [...session, time(), maybe(time()), sum(session)])
        put('used_nonces', [uuid(), time()])
        for (const answer of [[null, null] as const, [uuid(), `{"outcome": ${JSON.stringify(text())}}`] as const]) {
          const operation = [person, uuid(), text(), time(), ...answer]
          put('operations', [app, ...operation, sum(operation)])
        }
      }
      for (let left = Math.ceil(size.messages / 3); left > 0; ) {
        const id = uuid()
        const count = Math.min(left, 1 + chance.below(200))
        left -= count
        const record = [
          id,
          time(),
          chance.pick(people),
          maybe(text() + id),
          '{"a":"b"}',
          maybe(time()),
          3,
          time(),
          count + 3,
          count,
          time(),
        ]
        put('conversations', [app, ...record, 1 + chance.below(900), time(), sum(record)])
        for (const person of people.slice(0, 3)) {
          const own = [person, 'joined', 1, time(), '[]', '[1,3]', '[1,2]', '[]', maybe(3), 4, chance.below(90), time()]
          put('participants', [app, id, ...own, sum(own)])
        }
        for (let position = 1; position <= count; position++) {
          const parts = JSON.stringify([{ mimeType: 'text/plain', body: text() }])
          const message = [
            id,
            position,
            uuid(),
            chance.pick(people),
            time(),
            parts,
            maybe(time()),
            position + 3,
            position + 3,
            time(),
          ]
          put('messages', [app, ...message, sum(message)])
        }
      }
    }
    db.prepare('UPDATE log SET cursor = ?').run(4_000_000_000)
  })()
  db.close()
}
