import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey, Session } from '../../model/state.ts'
import type { App, AppStore, Provider, ProviderKey, RegisteredKey, SignInFacts } from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
import type { Database } from './database.ts'
import { profileOf } from './lists.ts'
import { type Row, toSession } from './rows.ts'

/** What one sign-in asks for: an app, and what the token names. */
export type AskedForSignIn = Parameters<AppStore['forSignIn']>

/** Apps, providers, keys and sessions. */
export function sqliteApps(db: Database): Synchronous<AppStore> {
  return {
    secret: () => db.sql(`SELECT value FROM store WHERE name = 'secret'`).pluck().get() as string,
    create(created, provider, key) {
      db.transaction('write', () => {
        const { id, environment, name, sessionSeconds, allowedOrigins, createdAt, suspendedAt } = created
        const { lastInsertRowid } = db
          .sql('INSERT INTO apps VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)')
          .run(
            id,
            environment,
            name,
            sessionSeconds,
            allowedOrigins && JSON.stringify(allowedOrigins),
            createdAt,
            suspendedAt,
          )
        putProvider(db, { ...provider, app: Number(lastInsertRowid) as AppKey })
        if (key) putKey(db, key)
      })
    },
    all: () => (db.sql('SELECT * FROM apps ORDER BY created_at').all() as Row[]).map(toApp),
    byId: (id) => appOf(db, id),
    byKey(key) {
      const row = db.sql('SELECT * FROM apps WHERE key = ?').get(key) as Row | undefined
      return row && toApp(row)
    },
    provider: (id) => providerOf(db, id),
    providersOf: (key) => (db.sql('SELECT * FROM providers WHERE app = ?').all(key) as Row[]).map(toProvider),
    key: (id) => keyOf(db, id),
    forSignIn: (...asked) => signInFacts(db, [asked])[0],
    keysOf: (provider) =>
      (db.sql('SELECT * FROM provider_keys WHERE provider = ? ORDER BY created_at').all(provider) as Row[]).map(toKey),
    putApp({ key, name, sessionSeconds, allowedOrigins, suspendedAt }) {
      db.sql('UPDATE apps SET name = ?, session_seconds = ?, allowed_origins = ?, suspended_at = ? WHERE key = ?').run(
        name,
        sessionSeconds,
        allowedOrigins && JSON.stringify(allowedOrigins),
        suspendedAt,
        key,
      )
    },
    putProvider: (provider) => putProvider(db, provider),
    putKey: (key) => putKey(db, key),
    session(tokenHash) {
      const row = db.sql('SELECT * FROM sessions WHERE token_hash = ?').get(tokenHash) as Row | undefined
      return row && toSession(row)
    },
    endedSince: (sinceMs) => db.sql('SELECT id FROM sessions WHERE ended_at >= ?').all(sinceMs) as { id: Uuid }[],
    liveSessionsOf: (key, userId) =>
      (
        db.sql('SELECT * FROM sessions WHERE app = ? AND user_id = ? AND ended_at IS NULL').all(key, userId) as Row[]
      ).map((row): Session => toSession(row)),
    endSessionsOf: (key, userId: UserId, atMs) =>
      db
        .sql('UPDATE sessions SET ended_at = ? WHERE app = ? AND user_id = ? AND ended_at IS NULL')
        .run(atMs, key, userId).changes,
    endSessionsOfApp: (key, atMs) =>
      db.sql('UPDATE sessions SET ended_at = ? WHERE app = ? AND ended_at IS NULL').run(atMs, key).changes,
  }
}

function appOf(db: Database, id: Uuid): App | undefined {
  const row = db.sql('SELECT * FROM apps WHERE id = ?').get(id) as Row | undefined
  return row && toApp(row)
}

function providerOf(db: Database, id: Uuid): Provider | undefined {
  const row = db.sql('SELECT * FROM providers WHERE id = ?').get(id) as Row | undefined
  return row && toProvider(row)
}

function keyOf(db: Database, id: string): ProviderKey | undefined {
  const row = db.sql('SELECT * FROM provider_keys WHERE id = ?').get(id) as Row | undefined
  return row && toKey(row)
}

/** What several ask for who sign in together, at one moment: what they have in common is read once. */
export const signInFacts = (db: Database, asked: readonly AskedForSignIn[]): (SignInFacts | undefined)[] =>
  db.transaction('read', () => {
    const theApp = once((id: Uuid) => appOf(db, id))
    const registered = once((keyId: string): RegisteredKey | undefined => {
      const key = keyOf(db, keyId)
      const provider = key && providerOf(db, key.provider)
      return provider && { key, provider }
    })
    return asked.map(([appId, named]) => {
      const app = theApp(appId)
      if (!app || !named) return app && { app, registered: undefined, isSuspended: false }
      const isSuspended = profileOf(db, app.key, named.userId as UserId)?.suspendedAt != null
      return { app, registered: registered(named.keyId), isSuspended }
    })
  })

/** The same, found out once for each key. */
function once<Key, Value>(find: (key: Key) => Value): (key: Key) => Value {
  const found = new Map<Key, Value>()
  return (key) => {
    if (!found.has(key)) found.set(key, find(key))
    return found.get(key) as Value
  }
}

function putProvider(db: Database, provider: Provider): void {
  db.sql(
    'INSERT INTO providers VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET app = excluded.app, jwks_url = excluded.jwks_url',
  ).run(provider.id, provider.app, provider.jwksUrl)
}

function putKey(db: Database, key: ProviderKey): void {
  db.sql(
    'INSERT INTO provider_keys VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state',
  ).run(key.id, key.provider, key.algorithm, JSON.stringify(key.publicJwk), key.state, key.createdAt)
}

const toApp = (row: Row): App => ({
  key: row.key! as AppKey,
  id: row.id!,
  environment: row.environment!,
  name: row.name!,
  sessionSeconds: row.session_seconds!,
  allowedOrigins: row.allowed_origins === null ? null : JSON.parse(row.allowed_origins!),
  createdAt: row.created_at!,
  suspendedAt: row.suspended_at!,
})

const toProvider = (row: Row): Provider => ({ id: row.id!, app: row.app! as AppKey, jwksUrl: row.jwks_url! })

const toKey = (row: Row): ProviderKey => ({
  id: row.id!,
  provider: row.provider!,
  algorithm: row.algorithm!,
  publicJwk: readJwk(row.public_jwk!),
  state: row.state!,
  createdAt: row.created_at!,
})

/** Texts of keys that were read; of more than these, all are read again. */
const MAX_READ = 100
const read = new Map<string, ProviderKey['publicJwk']>()

/** Each sign-in looks its key up, and nearly always it is as it was: to read it is more than to find it. */
function readJwk(text: string): ProviderKey['publicJwk'] {
  const known = read.get(text)
  if (known) return known
  if (read.size >= MAX_READ) read.clear()
  const jwk = JSON.parse(text)
  read.set(text, jwk)
  return jwk
}
