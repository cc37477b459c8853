import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { assemble } from '../assemble.ts'
import type { AppKey } from '../model/state.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import type { Store } from '../store/store.ts'
import type { OpenedSession, Sessions } from './sessions.ts'

describe('sessions', () => {
  const now = 1_800_000_000_000
  let store: Store
  const appId = randomUUID() as never
  /** A server that has just started on the store: it remembers no session. */
  async function fresh(over: Store = store): Promise<Sessions> {
    const { edge } = await assemble(over, {
      clock: { now: () => now, after: () => () => undefined },
      log: () => undefined,
      baseUrl: () => '',
      tokens: {
        verify: async (token) => ({ ok: true, claims: { prn: token, iss: '', iat: 0, exp: now / 1000 + 60, nce: '' } }),
      },
    })
    return edge.sessions
  }
  beforeEach(async () => {
    store = openMemoryStore()
    const app = { key: 0 as AppKey, id: appId, environment: 'staging', name: 'App' } as const
    const rest = { sessionSeconds: null, allowedOrigins: null, createdAt: 0, suspendedAt: null }
    await store.apps.create({ ...app, ...rest }, { id: randomUUID() as never, app: 0 as AppKey, jwksUrl: null }, null)
  })
  const open = async (sessions: Sessions) => (await sessions.open(appId, 'alice')) as OpenedSession

  it('AUTH-13 one that ends while it is being looked up is not found', async () => {
    const { session, token } = await open(await fresh())
    let isFound = () => {}
    const found = new Promise<void>((resolve) => {
      isFound = resolve
    })
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const sessions = await fresh({
      ...store,
      apps: {
        ...store.apps,
        session: async (hash) => {
          const read = await store.apps.session(hash)
          isFound()
          await answered
          return read
        },
      },
    })
    const looking = sessions.find(token)
    await found
    expect(await sessions.end(session)).toBeUndefined()
    answer()
    expect(await looking).toBeUndefined()
    expect(await sessions.find(token)).toBeUndefined()
  })

  it('AUTH-13 a connection that comes to hold one that has just ended is told at once', async () => {
    const sessions = await fresh()
    const { session } = await open(sessions)
    await sessions.end(session)
    let ends = 0
    const release = sessions.hold(session, { ended: () => ends++, renewed: () => undefined })
    release()
    await sessions.end(session)
    expect(ends).toBe(1)
  })

  it('AUTH-13 a connection that has let go is not told', async () => {
    const sessions = await fresh()
    const { session } = await open(sessions)
    const told: string[] = []
    const letGo = sessions.hold(session, { ended: () => told.push('gone'), renewed: () => undefined })
    sessions.hold(session, { ended: () => told.push('there'), renewed: () => undefined })
    letGo()
    await sessions.end(session)
    await sessions.end(session)
    expect(told).toEqual(['there'])
  })

  it('AUTH-31 what another process ended is noticed at the next sweep, and told once', async () => {
    const sessions = await fresh()
    const { session, token } = await open(sessions)
    let ends = 0
    sessions.hold(session, { ended: () => ends++, renewed: () => undefined })
    expect(await sessions.find(token)).toBeDefined()
    expect(await store.apps.endSessionsOf(session.app, session.userId, now)).toBe(1)
    await sessions.sweep()
    await sessions.sweep()
    expect(await sessions.find(token)).toBeUndefined()
    expect(ends).toBe(1)
  })

  it('AUTH-46 a user who is suspended between the look at their token and the opening is refused', async () => {
    const sessions = await fresh()
    const { profile, session } = await open(sessions)
    const cursor = (await store.log.lastCursor()) + 1
    const none = {
      conversations: [],
      participants: [],
      messages: [],
      purged: [],
      sessions: [],
      nonces: [],
      operations: [],
    }
    const suspended = {
      app: session.app,
      profile: { ...profile, suspendedAt: 1 },
      inboxSequence: 0,
      isInboxMoved: false,
    }
    await store.log.commit({ ...none, cursor, at: now, people: [suspended] })
    expect(await (await fresh()).open(appId, 'alice')).toMatchObject({ refusal: { id: 'user_suspended' } })
  })

  it('AUTH-27 nothing opens in an app that is suspended or does not exist', async () => {
    const sessions = await fresh()
    expect(await sessions.open(randomUUID() as never, 'alice')).toEqual({ refusal: { id: 'invalid_app_id' } })
  })
})
