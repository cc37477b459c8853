import type { Uuid } from '@parley/protocol'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LaneWorld, newId, type Somebody, says } from '../../test/lane-world.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { MANY, MAX_WAIT_MS } from './gathering.ts'
import type { Outcome } from './lane-request.ts'

const COMMIT_MS = 12

/** A lane on a store that takes its time, and the pauses it makes, which end when the test says so. */
async function world(writers: 'one' | 'many') {
  const store = openMemoryStore({ writers })
  const commits: number[] = []
  const slow = {
    ...store,
    log: {
      ...store.log,
      commit: async (writes: Parameters<typeof store.log.commit>[0]) => {
        const place = await store.log.commit(writes)
        commits.push(writes.messages.length)
        vi.advanceTimersByTime(COMMIT_MS)
        return place
      },
    },
  }
  const pauses: { readonly ms: number; readonly end: () => void; isOver: boolean }[] = []
  const lane = new LaneWorld({
    store: slow,
    after: (ms, end) => {
      const pause = { ms, end, isOver: false }
      pauses.push(pause)
      return () => {
        pause.isOver = true
      }
    },
  })
  const { alice } = await lane.people('alice', 'bob')
  const conversation = newId()
  await alice.ask('create-conversation', { id: conversation, participants: ['bob'], distinct: false } as never)
  const say = (count: number) => Array.from({ length: count }, () => send(alice, conversation))
  return { lane, commits, pauses, say }
}

const send = (sender: Somebody, conversation: Uuid): Promise<Outcome> =>
  sender.ask('send-message', {
    id: newId(),
    conversation: `layer:///conversations/${conversation}`,
    parts: says('Hello'),
  } as never)

const turns = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** The same after a batch of a hundred, when so many have asked again and wait. */
async function worldThatWaits(count: number) {
  const { say, ...rest } = await world('many')
  await Promise.all(say(100))
  const asked = say(count)
  await turns()
  expect(rest.commits.slice(-1)).toEqual([100])
  return { say, asked, ...rest }
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

describe('on a store of many servers, after a large batch', () => {
  it('the next one waits for more, no longer than the last took', async () => {
    const { commits, pauses, asked } = await worldThatWaits(10)
    expect(pauses).toMatchObject([{ ms: COMMIT_MS, isOver: false }])
    expect(COMMIT_MS).toBeLessThan(MAX_WAIT_MS)
    pauses[0]!.end()
    for (const outcome of await Promise.all(asked)) expect(outcome).toHaveProperty('result')
    expect(commits.slice(-1)).toEqual([10])
  })

  it('it goes on as soon as most have asked again', async () => {
    const { commits, pauses, asked, say } = await worldThatWaits(50)
    await Promise.all([...asked, ...say(45)])
    expect(pauses).toMatchObject([{ isOver: true }])
    expect(commits.slice(-1)).toEqual([95])
  })

  it('whoever closes does not wait', async () => {
    const { lane, commits, pauses, asked } = await worldThatWaits(3)
    await lane.lane.close()
    expect(pauses).toMatchObject([{ isOver: true }])
    for (const outcome of await Promise.all(asked)) expect(outcome).toHaveProperty('result')
    expect(commits.slice(-1)).toEqual([3])
  })
})

describe('nobody waits', () => {
  it.each<[string, 'one' | 'many', number]>([
    ['after a small batch', 'many', MANY - 1],
    ['on a store that has one writer', 'one', 100],
  ])('%s', async (_, writers, count) => {
    const { commits, pauses, say } = await world(writers)
    await Promise.all(say(count))
    await Promise.all(say(3))
    expect(pauses).toEqual([])
    expect(commits.slice(-2)).toEqual([count, 3])
  })

  it('when the time that the last batch took has passed since', async () => {
    const { commits, pauses, say } = await world('many')
    await Promise.all(say(100))
    vi.advanceTimersByTime(COMMIT_MS)
    await Promise.all(say(3))
    expect(pauses).toEqual([])
    expect(commits.slice(-2)).toEqual([100, 3])
  })
})
