import type { App, AppStore, Provider, ProviderKey } from '../store.ts'
import type { Database } from './database.ts'
import { type Row, toSession } from './rows.ts'

/** Apps, providers, keys and sessions. */
export function postgresApps(db: Database): AppStore {
  const one = async <T>(as: (row: Row) => T, text: string, values: readonly unknown[]): Promise<T | undefined> => {
    const [row] = await db.ask(text, values)
    return row && as(row)
  }
  return {
    async secret() {
      const [row] = await db.ask(`SELECT value FROM parley.store WHERE name = 'secret'`)
      return row!.value!
    },
    async create(app, provider, key) {
      const { id, environment, name, sessionSeconds, allowedOrigins, createdAt, suspendedAt } = app
      await db.askOnce(CREATE, [
        ...[id, environment, name, sessionSeconds, asJson(allowedOrigins), createdAt, suspendedAt],
        ...[provider.id, provider.jwksUrl],
        ...[key?.id, key?.provider, key?.algorithm, asJson(key?.publicJwk), key?.state, key?.createdAt],
      ])
    },
    all: async () => (await db.ask('SELECT * FROM parley.apps ORDER BY created_at')).map(toApp),
    byId: (id) => one(toApp, 'SELECT * FROM parley.apps WHERE id = $1', [id]),
    byKey: (key) => one(toApp, 'SELECT * FROM parley.apps WHERE key = $1', [key]),
    provider: (id) => one(toProvider, 'SELECT * FROM parley.providers WHERE id = $1', [id]),
    providersOf: async (app) =>
      (await db.ask('SELECT * FROM parley.providers WHERE app = $1 ORDER BY id', [app])).map(toProvider),
    key: (id) => one(toKey, 'SELECT * FROM parley.provider_keys WHERE id = $1', [storable(id)]),
    async forSignIn(appId, named) {
      const [row] = await db.ask(FOR_SIGN_IN, [appId, storable(named?.keyId), storable(named?.userId)])
      if (!row) return undefined
      const [key, provider] = [row.registered_key as Row | null | undefined, row.provider as Row | null | undefined]
      return {
        app: toApp(row),
        registered: key && provider ? { key: toKey(key), provider: toProvider(provider) } : undefined,
        isSuspended: row.is_suspended!,
      }
    },
    keysOf: async (provider) =>
      (await db.ask('SELECT * FROM parley.provider_keys WHERE provider = $1 ORDER BY created_at', [provider])).map(
        toKey,
      ),
    async putApp({ key, name, sessionSeconds, allowedOrigins, suspendedAt }) {
      await db.ask(
        `UPDATE parley.apps SET name = $2, session_seconds = $3, allowed_origins = $4, suspended_at = $5 WHERE key = $1`,
        [key, name, sessionSeconds, asJson(allowedOrigins), suspendedAt],
      )
    },
    async putProvider({ id, app, jwksUrl }) {
      await db.ask(
        `INSERT INTO parley.providers (id, app, jwks_url) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET app = excluded.app, jwks_url = excluded.jwks_url`,
        [id, app, jwksUrl],
      )
    },
    async putKey({ id, provider, algorithm, publicJwk, state, createdAt }) {
      await db.ask(
        `INSERT INTO parley.provider_keys (id, provider, algorithm, public_jwk, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET state = excluded.state`,
        [id, provider, algorithm, asJson(publicJwk), state, createdAt],
      )
    },
    session: (tokenHash) => one(toSession, 'SELECT * FROM parley.sessions WHERE token_hash = $1', [tokenHash]),
    endedSince: async (sinceMs) =>
      (await db.ask('SELECT id FROM parley.sessions WHERE ended_at >= $1', [sinceMs])).map((row) => ({ id: row.id! })),
    liveSessionsOf: async (app, userId) =>
      (
        await db.ask('SELECT * FROM parley.sessions WHERE app = $1 AND user_id = $2 AND ended_at IS NULL', [
          app,
          userId,
        ])
      ).map(toSession),
    async endSessionsOf(app, userId, atMs) {
      const rows = await db.ask(
        `UPDATE parley.sessions SET ended_at = $1 WHERE app = $2 AND user_id = $3 AND ended_at IS NULL RETURNING 1`,
        [atMs, app, userId],
      )
      return rows.length
    },
    async endSessionsOfApp(app, atMs) {
      const rows = await db.ask(
        `UPDATE parley.sessions SET ended_at = $1 WHERE app = $2 AND ended_at IS NULL RETURNING 1`,
        [atMs, app],
      )
      return rows.length
    },
  }
}

const FOR_SIGN_IN = `
  SELECT a.*, to_json(k) AS registered_key, to_json(p) AS provider, i.suspended_at IS NOT NULL AS is_suspended
  FROM parley.apps a
  LEFT JOIN parley.provider_keys k ON k.id = $2
  LEFT JOIN parley.providers p ON p.id = k.provider
  LEFT JOIN parley.identities i ON i.app = a.key AND i.user_id = $3
  WHERE a.id = $1`

/** Text that a stranger chose; one that cannot be stored was never stored. */
const storable = (text: string | undefined): string | null => (text?.includes('\0') ? null : (text ?? null))

const CREATE = `
  WITH created AS (
    INSERT INTO parley.apps (id, environment, name, session_seconds, allowed_origins, created_at, suspended_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING key
  ), provided AS (
    INSERT INTO parley.providers (id, app, jwks_url) SELECT $8, created.key, $9 FROM created
  )
  INSERT INTO parley.provider_keys (id, provider, algorithm, public_jwk, state, created_at)
  SELECT $10, $11, $12, $13, $14, $15 FROM created WHERE $10::text IS NOT NULL`

const asJson = (value: unknown): string | null => (value == null ? null : JSON.stringify(value))

const toApp = (row: Row): App => ({
  key: row.key!,
  id: row.id!,
  environment: row.environment!,
  name: row.name!,
  sessionSeconds: row.session_seconds!,
  allowedOrigins: row.allowed_origins!,
  createdAt: row.created_at!,
  suspendedAt: row.suspended_at!,
})

const toProvider = (row: Row): Provider => ({ id: row.id!, app: row.app!, jwksUrl: row.jwks_url! })

const toKey = (row: Row): ProviderKey => ({
  id: row.id!,
  provider: row.provider!,
  algorithm: row.algorithm!,
  publicJwk: row.public_jwk!,
  state: row.state!,
  createdAt: row.created_at!,
})
