import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey, Session } from '../../model/state.ts'
import type { App, AppStore, Provider, ProviderKey } from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
import type { Database } from './database.ts'
import { profileOf } from './lists.ts'
import { type Row, toSession } from './rows.ts'

/** Apps, providers, keys and sessions. */
export function sqliteApps(db: Database): Synchronous<AppStore> {
  const app = (row: Row | undefined): App | undefined => row && toApp(row)
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
    byId: (id) => app(db.sql('SELECT * FROM apps WHERE id = ?').get(id) as Row | undefined),
    byKey: (key) => app(db.sql('SELECT * FROM apps WHERE key = ?').get(key) as Row | undefined),
    provider(id) {
      const row = db.sql('SELECT * FROM providers WHERE id = ?').get(id) as Row | undefined
      return row && toProvider(row)
    },
    providersOf: (key) => (db.sql('SELECT * FROM providers WHERE app = ?').all(key) as Row[]).map(toProvider),
    key(id) {
      const row = db.sql('SELECT * FROM provider_keys WHERE id = ?').get(id) as Row | undefined
      return row && toKey(row)
    },
    forSignIn(appId, named) {
      const found = app(db.sql('SELECT * FROM apps WHERE id = ?').get(appId) as Row | undefined)
      if (!found || !named) return found && { app: found, registered: undefined, isSuspended: false }
      const key = db.sql('SELECT * FROM provider_keys WHERE id = ?').get(named.keyId) as Row | undefined
      const provider = key && (db.sql('SELECT * FROM providers WHERE id = ?').get(key.provider) as Row | undefined)
      return {
        app: found,
        registered: provider && { key: toKey(key), provider: toProvider(provider) },
        isSuspended: profileOf(db, found.key, named.userId as UserId)?.suspendedAt != null,
      }
    },
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
  publicJwk: JSON.parse(row.public_jwk!),
  state: row.state!,
  createdAt: row.created_at!,
})
