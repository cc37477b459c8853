import { randomUUID } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { assemble } from '../assemble.ts'
import type { AppKey, Profile } from '../model/state.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { type Store, StoreOutage } from '../store/store.ts'
import type { OpenedSession, Sessions } from './sessions.ts'

describe('sessions', () => {
  const now = 1_800_000_000_000
  let store: Store
  /** Of every token, if there is one; a fresh one each time otherwise. */
  let nonce: string | undefined
  const appId = randomUUID() as never
  /** A server that has just started on the store: it remembers no session. */
  async function fresh(over: Store = store): Promise<Sessions> {
    const { edge } = await assemble(over, {
      clock: { now: () => now, after: () => () => undefined },
      log: () => undefined,
      baseUrl: () => '',
      tokens: {
        // A token is the name of its user, and answers a nonce that was just issued.
        async verify(token, _app, _now, { consumeNonce, isSuspended }) {
          const nce = nonce ?? edge.sessions.nonce(null)
          const claims = { prn: token, iss: '', iat: 0, exp: now / 1000 + 60, nce }
          const error = !(await consumeNonce(claims.nce, claims))
            ? 'eit_nonce_not_found'
            : (await isSuspended?.(token))
              ? 'eit_user_suspended'
              : undefined
          return error ? { ok: false, error, sentence: '' } : { ok: true, claims }
        },
      },
    })
    return edge.sessions
  }
  beforeEach(async () => {
    store = openMemoryStore()
    nonce = undefined
    const app = { key: 0 as AppKey, id: appId, environment: 'staging', name: 'App' } as const
    const rest = { sessionSeconds: null, allowedOrigins: null, createdAt: 0, suspendedAt: null }
    await store.apps.create({ ...app, ...rest }, { id: randomUUID() as never, app: 0 as AppKey, jwksUrl: null }, null)
  })
  async function suspend(profile: Profile, of: AppKey): Promise<void> {
    const cursor = (await store.log.lastCursor()) + 1
    const nothing = {
      ...{ conversations: [], participants: [], messages: [], purged: [] },
      ...{ sessions: [], nonces: [], operations: [] },
    }
    const person = { app: of, profile: { ...profile, suspendedAt: 1 }, inboxSequence: 0, isInboxMoved: false }
    await store.log.commit({ ...nothing, cursor, at: now, people: [person] })
  }
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
    const hold = sessions.hold(session, { ended: () => ends++, renewed: () => undefined })
    hold.release()
    await sessions.end(session)
    expect(ends).toBe(1)
  })

  it('AUTH-13 a connection that has let go is not told', async () => {
    const sessions = await fresh()
    const { session } = await open(sessions)
    const told: string[] = []
    const first = sessions.hold(session, { ended: () => told.push('gone'), renewed: () => undefined })
    sessions.hold(session, { ended: () => told.push('there'), renewed: () => undefined })
    first.release()
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
    await suspend(profile, session.app)
    expect(await (await fresh()).open(appId, 'alice')).toMatchObject({ refusal: { id: 'user_suspended' } })
  })

  it('AUTH-27 nothing opens in an app that is suspended, of another environment, or does not exist', async () => {
    const sessions = await fresh()
    const unknown = { refusal: { id: 'invalid_app_id' } }
    expect(await sessions.open(randomUUID() as never, 'alice')).toEqual(unknown)
    expect(await sessions.open(appId, 'alice', { environment: 'production' })).toEqual(unknown)
    const app = (await store.apps.byId(appId))!
    const forSignIn = async () => ({ app: { ...app, suspendedAt: 1 }, registered: undefined, isSuspended: false })
    const suspended = await fresh({ ...store, apps: { ...store.apps, forSignIn } })
    expect(await suspended.open(appId, 'alice')).toEqual({ refusal: { id: 'app_suspended' } })
  })

  it('AUTH-24 a nonce is spent in the commit that opens the session, or not at all', async () => {
    let isAway = true
    const sessions = await fresh({
      ...store,
      log: {
        ...store.log,
        commit: (writes) => (isAway ? Promise.reject(new StoreOutage('away')) : store.log.commit(writes)),
      },
    })
    nonce = sessions.nonce(null)
    expect(await sessions.open(appId, 'alice')).toMatchObject({ refusal: { id: 'service_unavailable' } })
    isAway = false
    expect(await sessions.open(appId, 'alice')).toMatchObject({ profile: { userId: 'alice' } })
    expect(await sessions.open(appId, 'alice')).toMatchObject({
      refusal: { data: { reason: 'eit_nonce_not_found' } },
    })
  })

  it('AUTH-46 who is suspended has spent the nonce all the same', async () => {
    const before = await fresh()
    const { profile, session } = await open(before)
    await suspend(profile, session.app)
    const sessions = await fresh()
    nonce = sessions.nonce(null)
    expect(await sessions.open(appId, 'alice')).toMatchObject({ refusal: { id: 'user_suspended' } })
    expect(await sessions.open(appId, 'alice')).toMatchObject({
      refusal: { data: { reason: 'eit_nonce_not_found' } },
    })
  })
})
