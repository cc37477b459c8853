/** A commit whose answer is lost: nobody knows whether it happened, and whoever listens wants to. */
import { beforeEach, describe, expect, it } from 'vitest'
import { LaneWorld, newId, type Somebody, says } from '../../test/lane-world.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { CommitUnknown, type Place, StoreOutage } from '../store/store.ts'

let fate: () => Promise<Place | undefined>
let isLosing: 'the answer' | 'the commit' | undefined
let isAway: boolean
let questions: number
let timers: { readonly ms: number; readonly ring: () => void; isOver: boolean }[]
let lane: LaneWorld
let send: () => ReturnType<Somebody['ask']>

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A second passes. */
const wait = async () => {
  for (const timer of timers.filter(({ isOver }) => !isOver)) {
    timer.isOver = true
    timer.ring()
  }
  await turns()
}

const told = () => lane.committed.filter(({ operation }) => operation === 'send-message').length

beforeEach(async () => {
  isLosing = undefined
  isAway = false
  questions = 0
  timers = []
  const inner = openMemoryStore({ writers: 'many' })
  const commit: typeof inner.log.commit = async (writes) => {
    if (!isLosing) return inner.log.commit(writes)
    const place = isLosing === 'the answer' ? await inner.log.commit(writes) : undefined
    fate = async () => {
      questions++
      if (isAway) throw new StoreOutage('Still away.')
      return place
    }
    throw new CommitUnknown('Its answer was lost.', () => fate())
  }
  lane = new LaneWorld({
    store: { ...inner, log: { ...inner.log, commit } },
    after: (ms, ring) => {
      const timer = { ms, ring, isOver: false }
      timers.push(timer)
      return () => {
        timer.isOver = true
      }
    },
  })
  const { alice } = await lane.people('alice', 'ben')
  const conversation = await alice.starts(['ben'])
  send = () => alice.ask('send-message', { id: newId(), conversation, parts: says('Hello') })
})

describe('P1 a commit whose answer was lost', () => {
  it('is told a second later, though its sender never asks again', async () => {
    isLosing = 'the answer'
    expect(await send()).toEqual({ refusal: { id: 'service_unavailable', retryAfterMs: 1_000 } })
    await turns()
    expect(told()).toBe(0)
    expect(timers.map(({ ms }) => ms)).toEqual([1_000])
    await wait()
    expect([told(), questions]).toEqual([1, 1])
    await wait()
    expect([told(), questions]).toEqual([1, 1])
  })

  it('is not told if it never happened', async () => {
    isLosing = 'the commit'
    await send()
    await wait()
    expect([told(), questions]).toEqual([0, 1])
    isLosing = undefined
    expect(await send()).toMatchObject({ result: { position: 1 } })
  })

  it('is asked for until the store is there again', async () => {
    isLosing = 'the answer'
    isAway = true
    await send()
    for (let second = 0; second < 3; second++) await wait()
    expect([told(), questions]).toEqual([0, 3])
    expect(lane.logged.filter((line) => line.startsWith('what became of a commit'))).toHaveLength(3)
    isAway = false
    await wait()
    await wait()
    expect([told(), questions]).toEqual([1, 4])
  })

  it('is told once, before what comes after it, if somebody writes first', async () => {
    isLosing = 'the answer'
    await send()
    isLosing = undefined
    expect(await send()).toMatchObject({ result: { position: 2 } })
    await wait()
    expect([told(), questions]).toEqual([2, 1])
    const cursors = lane.committed.map(({ cursor }) => cursor)
    expect(cursors).toEqual([...cursors].sort((a, b) => a - b))
  })

  it('what is sent while it is asked for waits for its fate, and comes after it', async () => {
    isLosing = 'the answer'
    await send()
    isLosing = undefined
    let answer: () => void = () => undefined
    const known = fate
    fate = () => new Promise((resolve) => (answer = () => resolve(known())))
    await wait()
    const second = send()
    await turns()
    expect(told()).toBe(0)
    answer()
    expect(await second).toMatchObject({ result: { position: 2 } })
    expect(told()).toBe(2)
  })

  it('is not asked for by a lane that is closed', async () => {
    isLosing = 'the answer'
    await send()
    await lane.lane.close()
    await wait()
    expect(questions).toBe(0)
  })
})
