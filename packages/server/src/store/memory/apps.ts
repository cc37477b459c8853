import type { AppKey, Session } from '../../model/state.ts'
import type { AppStore } from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
import { keyOf, type Tables } from './tables.ts'

/** Apps, providers, keys and sessions. */
export function memoryApps(tables: Tables, secret: string): Synchronous<AppStore> {
  const endSessions = (app: AppKey, atMs: number, isMeant: (session: Session) => boolean): number => {
    const live = [...tables.sessions].filter(
      ([, { session }]) => session.app === app && session.endedAt === null && isMeant(session),
    )
    for (const [id, { session, tokenHash }] of live) {
      tables.sessions.set(id, { session: { ...session, endedAt: atMs }, tokenHash })
    }
    return live.length
  }
  return {
    secret: () => secret,
    create(app, provider, key) {
      if (tables.apps.some(({ id }) => id === app.id)) throw new Error(`The app ${app.id} exists.`)
      const created = { ...app, key: (tables.apps.length + 1) as AppKey }
      tables.apps.push(created)
      tables.providers.set(provider.id, { ...provider, app: created.key })
      if (key) tables.keys.set(key.id, key)
    },
    all: () => [...tables.apps].sort((a, b) => a.createdAt - b.createdAt),
    byId: (id) => tables.apps.find((app) => app.id === id),
    byKey: (key) => tables.apps.find((app) => app.key === key),
    provider: (id) => tables.providers.get(id),
    providersOf: (app) => [...tables.providers.values()].filter((provider) => provider.app === app),
    key: (id) => tables.keys.get(id),
    forSignIn(appId, named) {
      const app = tables.apps.find(({ id }) => id === appId)
      if (!app) return undefined
      const key = named && tables.keys.get(named.keyId)
      const provider = key && tables.providers.get(key.provider)
      const person = named && tables.people.get(keyOf(app.key, named.userId))
      return { app, registered: provider && { key, provider }, isSuspended: person?.profile.suspendedAt != null }
    },
    keysOf: (provider) =>
      [...tables.keys.values()].filter((key) => key.provider === provider).sort((a, b) => a.createdAt - b.createdAt),
    putApp({ key, name, sessionSeconds, allowedOrigins, suspendedAt }) {
      const index = tables.apps.findIndex((app) => app.key === key)
      const before = tables.apps[index]
      if (before) tables.apps[index] = { ...before, name, sessionSeconds, allowedOrigins, suspendedAt }
    },
    putProvider: (provider) => {
      tables.providers.set(provider.id, provider)
    },
    putKey: (key) => {
      const before = tables.keys.get(key.id)
      tables.keys.set(key.id, before ? { ...before, state: key.state } : key)
    },
    session: (hash) => [...tables.sessions.values()].find(({ tokenHash }) => tokenHash === hash)?.session,
    endedSince: (sinceMs) =>
      [...tables.sessions.values()].flatMap(({ session: { id, endedAt } }) =>
        endedAt !== null && endedAt >= sinceMs ? [{ id }] : [],
      ),
    liveSessionsOf: (app, userId) =>
      [...tables.sessions.values()].flatMap(({ session }) =>
        session.app === app && session.userId === userId && session.endedAt === null ? [session] : [],
      ),
    endSessionsOf: (app, userId, atMs) => endSessions(app, atMs, (session) => session.userId === userId),
    endSessionsOfApp: (app, atMs) => endSessions(app, atMs, () => true),
  }
}
