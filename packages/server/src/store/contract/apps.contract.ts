/** Apps, their keys and providers, sessions; and that nothing crosses from one app to another. */
import type { Uuid } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import type { AppKey } from '../../model/state.ts'
import type { Store } from '../store.ts'
import {
  alice,
  ben,
  commit,
  conversation,
  ONE,
  participant,
  person,
  session,
  T,
  TWO,
  uuid,
} from './records.contract.ts'
import { chatOfEverything, picture } from './whole-app.contract.ts'

export function appsContract(store: () => Store, open: () => Promise<Store>): void {
  describe('apps, keys and sessions', () => {
    const app = (n: number) => ({
      key: 0 as AppKey,
      id: uuid(n),
      environment: 'staging' as const,
      name: `App ${n}`,
      sessionSeconds: n === 1 ? null : 60,
      allowedOrigins: n === 1 ? null : ['https://a.example'],
      createdAt: T + n,
      suspendedAt: null,
    })
    const key = (id: string, provider: Uuid) => ({
      id,
      provider,
      algorithm: 'ES256' as const,
      publicJwk: { kty: 'EC', x: 'ü' },
      state: 'active' as const,
      createdAt: T,
    })
    const provider = (n: number) => ({ id: uuid(n), app: 0 as AppKey, jwksUrl: null })

    it('keeps a secret, always the same, and no other store’s', async () => {
      const secret = await store().apps.secret()
      expect(secret.length).toBeGreaterThanOrEqual(32)
      expect(await store().apps.secret()).toBe(secret)
      const other = await open()
      expect(await other.apps.secret()).not.toBe(secret)
      expect(other.epoch).not.toBe(store().epoch)
      await other.close()
    })

    it('gives each app a key of its own, and its provider to it', async () => {
      await store().apps.create(app(1), provider(11), key('k1', uuid(11)))
      await store().apps.create(app(2), provider(12), null)
      const all = await store().apps.all()
      expect(all.map(({ id }) => id)).toEqual([uuid(1), uuid(2)])
      expect(new Set(all.map((one) => one.key)).size).toBe(2)
      for (const one of all) {
        expect(one).toEqual({ ...app(one.name === 'App 1' ? 1 : 2), key: one.key })
        expect(await store().apps.byKey(one.key)).toEqual(one)
        expect(await store().apps.byId(one.id)).toEqual(one)
        expect((await store().apps.providersOf(one.key)).map(({ id }) => id)).toEqual([
          one.name === 'App 1' ? uuid(11) : uuid(12),
        ])
      }
      expect(await store().apps.byId(uuid(3))).toBeUndefined()
      expect(await store().apps.byKey(99 as AppKey)).toBeUndefined()
      expect(await store().apps.provider(uuid(11))).toMatchObject({ app: all[0]!.key, jwksUrl: null })
      expect(await store().apps.provider(uuid(19))).toBeUndefined()
      await expect(store().apps.create(app(1), provider(13), null)).rejects.toThrow()
      expect(await store().apps.provider(uuid(13))).toBeUndefined()
    })

    it('changes of an app what may change, and nothing of another', async () => {
      await store().apps.create(app(1), provider(11), null)
      await store().apps.create(app(2), provider(12), null)
      const before = (await store().apps.byId(uuid(1)))!
      const change = { name: 'New', sessionSeconds: 90, allowedOrigins: ['https://b.example'], suspendedAt: T + 9 }
      await store().apps.putApp({ ...before, ...change, id: uuid(7), environment: 'production', createdAt: 0 })
      expect(await store().apps.byId(uuid(1))).toEqual({ ...before, ...change })
      expect(await store().apps.byKey(before.key)).toEqual({ ...before, ...change })
      expect(await store().apps.byId(uuid(2))).toMatchObject({ name: 'App 2', suspendedAt: null })
      await store().apps.putApp({ ...before, allowedOrigins: null, suspendedAt: null })
      expect(await store().apps.byId(uuid(1))).toEqual(before)
      await store().apps.putApp({ ...before, key: 99 as AppKey, name: 'Nobody' })
      expect((await store().apps.all()).map(({ name }) => name)).toEqual(['App 1', 'App 2'])
    })

    it('keeps several keys per provider, and changes nothing of a key but its state', async () => {
      await store().apps.create(app(1), provider(11), key('k1', uuid(11)))
      await store().apps.putKey({ ...key('k2', uuid(11)), createdAt: T + 1 })
      await store().apps.putKey({ ...key('k1', uuid(12)), publicJwk: { kty: 'swapped' }, state: 'disabled' })
      expect(await store().apps.key('k1')).toEqual({ ...key('k1', uuid(11)), state: 'disabled' })
      expect((await store().apps.keysOf(uuid(11))).map(({ id, state }) => [id, state])).toEqual([
        ['k1', 'disabled'],
        ['k2', 'active'],
      ])
      expect(await store().apps.key('K1')).toBeUndefined()
      await store().apps.putProvider({ ...provider(11), app: 1 as AppKey, jwksUrl: 'https://keys.example' })
      expect(await store().apps.provider(uuid(11))).toMatchObject({ jwksUrl: 'https://keys.example' })
    })

    it('knows in one look what a sign-in asks for', async () => {
      await store().apps.create(app(1), provider(11), key('k1', uuid(11)))
      await store().apps.create(app(2), provider(12), key('k2', uuid(12)))
      const known = (await store().apps.byId(uuid(1)))!
      expect(await store().apps.forSignIn(uuid(1))).toEqual({ app: known, registered: undefined, isSuspended: false })
      // Whose key it is, the one who asks decides upon.
      expect(await store().apps.forSignIn(uuid(1), { keyId: 'k2', userId: alice })).toEqual({
        app: known,
        registered: { key: await store().apps.key('k2'), provider: await store().apps.provider(uuid(12)) },
        isSuspended: false,
      })
      const nobody = await store().apps.forSignIn(uuid(1), { keyId: 'K1', userId: '' })
      expect(nobody).toEqual({ app: known, registered: undefined, isSuspended: false })
      expect(await store().apps.forSignIn(uuid(9), { keyId: 'k1', userId: alice })).toBeUndefined()
      // Strangers choose these.
      for (const odd of ['k1\0', '\ud800', 'x'.repeat(10_000), "'"]) {
        expect(await store().apps.key(odd)).toBeUndefined()
        expect(await store().apps.forSignIn(uuid(1), { keyId: odd, userId: odd })).toEqual(nobody)
      }
    })

    it('finds a session by the hash of its token, prolongs it and ends it', async () => {
      await commit(store(), { sessions: [{ session: session(uuid(1)), tokenHash: 'h1' }] })
      expect(await store().apps.session('h1')).toEqual(session(uuid(1)))
      expect(await store().apps.session('h2')).toBeUndefined()
      await commit(store(), { sessions: [{ session: session(uuid(1), { expiresAt: T + 9 }), tokenHash: null }] })
      expect(await store().apps.session('h1')).toEqual(session(uuid(1), { expiresAt: T + 9 }))
      await commit(store(), { sessions: [{ session: session(uuid(1), { endedAt: T + 5 }), tokenHash: null }] })
      expect(await store().apps.session('h1')).toMatchObject({ endedAt: T + 5 })
    })

    it('ends all live sessions of one identity, and tells which ended since', async () => {
      await commit(store(), {
        sessions: [
          { session: session(uuid(1)), tokenHash: 'h1' },
          { session: session(uuid(2)), tokenHash: 'h2' },
          { session: session(uuid(3), { endedAt: T - 10 }), tokenHash: 'h3' },
          { session: session(uuid(4), { userId: ben }), tokenHash: 'h4' },
          { session: session(uuid(5), { app: TWO }), tokenHash: 'h5' },
        ],
      })
      expect((await store().apps.liveSessionsOf(ONE, alice)).map(({ id }) => id).sort()).toEqual([uuid(1), uuid(2)])
      expect(await store().apps.endSessionsOf(ONE, alice, T + 20)).toBe(2)
      expect(await store().apps.endSessionsOf(ONE, alice, T + 30)).toBe(0)
      expect(await store().apps.liveSessionsOf(ONE, alice)).toEqual([])
      const ended = async (since: number) => (await store().apps.endedSince(since)).map(({ id }) => id).sort()
      expect(await ended(T + 20)).toEqual([uuid(1), uuid(2)])
      expect(await ended(T + 21)).toEqual([])
      expect(await ended(T - 10)).toEqual([uuid(1), uuid(2), uuid(3)])
      expect(await store().apps.session('h4')).toMatchObject({ endedAt: null })
      expect(await store().apps.session('h5')).toMatchObject({ endedAt: null })
      // And of all who are left in an app.
      expect(await store().apps.endSessionsOfApp(ONE, T + 40)).toBe(1)
      expect(await store().apps.endSessionsOfApp(ONE, T + 50)).toBe(0)
      expect(await store().apps.session('h1')).toMatchObject({ endedAt: T + 20 })
      expect(await store().apps.session('h4')).toMatchObject({ endedAt: T + 40 })
      expect(await store().apps.session('h5')).toMatchObject({ endedAt: null })
    })

    it('AUTH-31 a renewal that crosses a revocation does not undo it', async () => {
      await commit(store(), { sessions: [{ session: session(uuid(1)), tokenHash: 'h1' }] })
      await store().apps.endSessionsOf(ONE, alice, T + 1)
      // What a lane commits that loaded the session a moment before the other process ended it.
      await commit(store(), { sessions: [{ session: session(uuid(1), { expiresAt: T + 99 }), tokenHash: null }] })
      expect(await store().apps.session('h1')).toMatchObject({ endedAt: T + 1 })
    })
  })

  it('nothing crosses from one app to another, though every id and name is the same', async () => {
    await chatOfEverything(store(), ONE, 'one')
    const before = await picture(store(), ONE)
    await chatOfEverything(store(), TWO, 'two')
    expect(await picture(store(), ONE)).toEqual(before)
    const pictures = JSON.stringify([await picture(store(), ONE), await picture(store(), TWO)])
    expect(pictures.split('canary one').length).toBe(pictures.split('canary two').length)
    expect(JSON.stringify(await picture(store(), ONE))).not.toContain('canary two')
    expect(JSON.stringify(await picture(store(), TWO))).not.toContain('canary one')

    await commit(store(), {
      purged: [{ app: TWO, key: uuid(1) }],
      conversations: [conversation(uuid(1), { sequence: 9, headPosition: 3 }, { deletedAt: T }, TWO)],
      participants: [participant(uuid(1), ben, { state: 'left', order: 2, sequence: 8, inboxSequence: 2 }, TWO)],
      people: [person(ben, 2, TWO, { displayName: 'canary two, changed' })],
    })
    await store().apps.endSessionsOf(TWO, alice, T)
    expect(await picture(store(), ONE)).toEqual(before)
  })
}
