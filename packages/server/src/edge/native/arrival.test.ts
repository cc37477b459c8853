import type { UserId } from '@parley/protocol'
import { describe, expect, it } from 'vitest'
import { APP, LaneWorld, newId, Somebody } from '../../../test/lane-world.ts'
import { Delivery } from '../../delivery/delivery.ts'
import type { Session } from '../../model/state.ts'
import { openSession } from '../../operations/open-session.ts'
import { openMemoryStore } from '../../store/memory/memory-store.ts'
import { StoreOutage } from '../../store/store.ts'
import { arrivalOf } from './arrival.ts'

/** A lane, people who signed in through it, and what the store is asked beside it. */
function world({ hasOneWriter = true } = {}) {
  const store = openMemoryStore()
  const asked: string[] = []
  let isAway = false
  let committing: Promise<void> = Promise.resolve()
  const lanes = new LaneWorld({
    store: {
      ...store,
      hasOneWriter,
      log: {
        ...store.log,
        commit: async (writes) => {
          await committing
          if (isAway) throw new StoreOutage('away')
          return store.log.commit(writes)
        },
      },
    },
  })
  const { lists, streams } = store
  const watched = {
    ...store,
    lists: { ...lists, profile: ask('profile', lists.profile) },
    streams: { ...streams, moved: ask('moved', streams.moved) },
  }
  function ask<Args extends unknown[], Value>(name: string, method: (...args: Args) => Value) {
    return (...args: Args) => {
      asked.push(name)
      return method(...args)
    }
  }
  const edge = { lane: lanes.lane, store: watched, delivery: new Delivery(watched.streams) }
  const signIn = (userId: string, name?: string) =>
    lanes.lane.submit({
      operation: openSession,
      input: {
        id: newId(),
        tokenHash: newId(),
        expiresAt: lanes.now + 1_000,
        claims: { displayName: name },
        showIn: [],
        nonce: { nonceHash: newId(), isGood: true, forgetAt: 0 },
        isSuspended: false,
      },
      app: APP,
      userId: userId as UserId,
    })
  const arrive = (userId: string, after = 0) => arrivalOf(edge, { app: APP, userId } as Session, after)
  /** Commits wait until the answer is called. */
  const hold = () => {
    let release!: () => void
    committing = new Promise((resolve) => {
      release = resolve
    })
    return release
  }
  return { lanes, asked, signIn, arrive, hold, setAway: (value: boolean) => (isAway = value), store }
}

describe('CON-2 who arrives', () => {
  it('and signed in a moment ago, for the first time, is told so without a look into the store', async () => {
    const { signIn, arrive, asked, store } = world()
    await signIn('ada', 'Ada')
    expect(await arrive('ada')).toEqual({
      profile: expect.objectContaining({ displayName: 'Ada' }),
      moved: await store.streams.moved(APP, 'ada' as UserId, 0),
    })
    expect(asked).toEqual([])
  })

  it('hears what the store would say, once there is anything in their inbox', async () => {
    const { lanes, signIn, arrive, asked, store } = world()
    await signIn('ada')
    await signIn('ben')
    const ben = new Somebody(lanes, 'ben')
    const made = await ben.ask('create-conversation', { id: newId(), participants: ['ada' as never], distinct: false })
    expect(made).toHaveProperty('result')
    const { moved } = await arrive('ada')
    expect(moved).toEqual(await store.streams.moved(APP, 'ada' as UserId, 0))
    expect(moved.conversations).toHaveLength(1)
    expect(asked).toContain('moved')
  })

  it('and is not known here is looked up', async () => {
    const { lanes, arrive, asked } = world()
    await lanes.people('cleo')
    expect((await arrive('cleo')).profile.userId).toBe('cleo')
    expect(asked).toEqual(['profile', 'moved'])
    await expect(arrive('nobody')).rejects.toThrow('without its identity')
  })

  it('is looked up where others write to the same store', async () => {
    const { signIn, arrive, asked } = world({ hasOneWriter: false })
    await signIn('ada')
    await arrive('ada')
    expect(asked).toEqual(['profile', 'moved'])
  })

  it('hears nothing of what is not committed yet, or never is', async () => {
    const { signIn, arrive, hold, setAway } = world()
    await signIn('ada', 'Ada')
    const release = hold()
    const changing = signIn('ada', 'Countess')
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    expect((await arrive('ada')).profile.displayName).toBe('Ada')
    setAway(true)
    release()
    expect(await changing).toMatchObject({ refusal: { id: 'service_unavailable' } })
    expect((await arrive('ada')).profile.displayName).toBe('Ada')
  })
})
