import { VirtualClock } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { Pausable } from '../../test/bus-nodes.ts'
import type { ClaimStore } from '../store/store.ts'
import { CLAIM_MS, ClaimedWork, RENEW_MS } from './claimed-work.ts'

const EVERY_MS = 600_000

/** A store with a clock that can be cranked. */
function storeOf(clock: VirtualClock) {
  let claimed: { holder: string; until: number } | undefined
  const store = { isAway: false }
  const claims: ClaimStore = {
    async claim(_work, holder, ms) {
      if (store.isAway) throw new Error('The store is away.')
      if (claimed && claimed.holder !== holder && claimed.until > clock.now()) return false
      claimed = { holder, until: clock.now() + ms }
      return true
    },
  }
  return { store, claims }
}

class World {
  readonly clock = new VirtualClock()
  readonly done: string[] = []
  readonly logged: string[] = []
  readonly #store = storeOf(this.clock)
  readonly store = this.#store.store

  server(holder: string, options: { readonly isAlone?: boolean; readonly work?: () => Promise<void> } = {}) {
    const clock = new Pausable(this.clock)
    const claimed = new ClaimedWork({
      claims: options.isAlone ? undefined : this.#store.claims,
      ...{ clock, holder, name: 'pruning', everyMs: EVERY_MS },
      work: async () => {
        this.done.push(`${holder} at ${Math.round(this.clock.now() / 1_000)}`)
        await options.work?.()
      },
      log: (message, { error }) => this.logged.push(`${holder}: ${error ?? message}`),
    })
    return { clock, stop: () => claimed.stop() }
  }
}

describe('38 work that one of all servers does', () => {
  it('is done again and again by a server that is alone', async () => {
    const world = new World()
    const { stop } = world.server('a', { isAlone: true })
    await world.clock.advance(3 * EVERY_MS + RENEW_MS)
    expect(world.done).toEqual(['a at 600', 'a at 1200', 'a at 1800'])
    stop()
    await world.clock.advance(3 * EVERY_MS)
    expect(world.done).toHaveLength(3)
    expect(world.clock.timers).toBe(0)
  })

  it('is done by one of three', async () => {
    const world = new World()
    for (const name of ['a', 'b', 'c']) world.server(name)
    await world.clock.advance(3 * EVERY_MS + RENEW_MS)
    expect(world.done).toEqual(['a at 600', 'a at 1200', 'a at 1800'])
    expect(world.logged).toEqual([])
  })

  it('is done by another at once when that one dies, within the claim and a turn', async () => {
    const world = new World()
    const a = world.server('a')
    world.server('b')
    await world.clock.advance(300_000)
    a.clock.isPaused = true
    await world.clock.advance(CLAIM_MS + RENEW_MS)
    // When it was done last nobody knows.
    expect(world.done).toEqual(['b at 330'])
    expect(world.logged).toEqual(['b: work of another server is done here from now on'])
    await world.clock.advance(EVERY_MS)
    expect(world.done).toEqual(['b at 330', 'b at 930'])
    // It was only frozen, finds its work with another one, and leaves it there.
    a.clock.isPaused = false
    await world.clock.advance(2 * EVERY_MS)
    expect(world.done.filter((one) => one.startsWith('a'))).toEqual([])
  })

  it('is done by another within a turn when that one is stopped', async () => {
    const world = new World()
    const a = world.server('a')
    world.server('b')
    await world.clock.advance(105_000)
    a.stop()
    await world.clock.advance(RENEW_MS)
    expect(world.done).toEqual(['b at 110'])
  })

  it('stays where it is while it takes long, and is never begun twice there', async () => {
    const world = new World()
    let finish = () => {}
    world.server('a', { work: () => new Promise((resolve) => (finish = resolve)) })
    world.server('b')
    await world.clock.advance(3 * EVERY_MS)
    expect(world.done).toEqual(['a at 600'])
    finish()
    await world.clock.advance(RENEW_MS)
    expect(world.done).toEqual(['a at 600', 'a at 1810'])
  })

  it('goes on where it was after the store was away, and after it failed', async () => {
    const world = new World()
    let isFailing = true
    world.server('a', {
      work: async () => {
        if (isFailing) throw new Error('No.')
      },
    })
    world.server('b')
    await world.clock.advance(100_000)
    world.store.isAway = true
    await world.clock.advance(200_000)
    world.store.isAway = false
    await world.clock.advance(2 * EVERY_MS)
    isFailing = false
    await world.clock.advance(EVERY_MS)
    expect(new Set(world.done.map((one) => one.split(' ')[0])).size).toBe(1)
    expect(world.done).toHaveLength(3)
    expect(world.logged).toContain('a: Error: No.')
  })
})
