import { SeededChance, VirtualClock } from '@parley/testkit'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../clock.ts'
import { busContract } from '../bus.contract.ts'
import { MemoryBusNetwork, type Weather } from './memory-bus.ts'

describe('the bus in memory', () => {
  busContract(async () => {
    const network = () => new MemoryBusNetwork({ clock: systemClock, onError: () => undefined })
    const networks = { ours: network(), theirs: network() }
    return { join: async (deployment) => networks[deployment].join(), close: async () => undefined }
  })

  /** What of a thousand numbered messages arrives, in which order. */
  async function arrived(weather: Weather, seed = 1) {
    const clock = new VirtualClock()
    const network = new MemoryBusNetwork({ clock, chance: new SeededChance(seed).number })
    const [from, to] = [network.join(), network.join()]
    const heard: number[] = []
    to.subscribe('changes.0', (payload) => heard.push(payload[0]! * 256 + payload[1]!))
    network.suffer(weather)
    for (let i = 0; i < 1_000; i++) {
      from.publish('changes.0', Uint8Array.of(i >> 8, i & 255))
      if (i % 10 === 9) await clock.advance(10)
    }
    await clock.advance(5_000)
    return heard
  }
  const unordered = (heard: readonly number[]) => heard.filter((n, i) => i > 0 && n < heard[i - 1]!).length

  it('drops, doubles, reorders and delays as it is told, the same way for the same seed', async () => {
    expect(await arrived({})).toHaveLength(1_000)
    expect((await arrived({ dropped: 0.3 })).length).toBeGreaterThan(600)
    expect((await arrived({ dropped: 0.3 })).length).toBeLessThan(800)
    expect((await arrived({ doubled: 0.3 })).length).toBeGreaterThan(1_200)
    expect(unordered(await arrived({ reordered: 0.3 }))).toBeGreaterThan(50)
    expect(unordered(await arrived({ delayMs: 2_000 }))).toBeGreaterThan(50)
    const wild = { dropped: 0.3, doubled: 0.3, reordered: 0.3, delayMs: 500 }
    expect(await arrived(wild, 7)).toEqual(await arrived(wild, 7))
    expect(await arrived(wild, 7)).not.toEqual(await arrived(wild, 8))
  })

  it('a node that is cut off neither says nor hears anything, until it is healed', async () => {
    const clock = new VirtualClock()
    const network = new MemoryBusNetwork({ clock })
    const [a, b] = [network.join(), network.join()]
    const heard: string[] = []
    a.subscribe('nodes', () => heard.push('a'))
    b.subscribe('nodes', () => heard.push('b'))
    const states: unknown[] = []
    a.watch((state) => states.push(state))
    a.cut()
    a.publish('nodes', Uint8Array.of(1))
    b.publish('nodes', Uint8Array.of(2))
    await clock.advance(10)
    expect(heard).toEqual([])
    a.heal()
    a.publish('nodes', Uint8Array.of(3))
    b.publish('nodes', Uint8Array.of(4))
    await clock.advance(10)
    expect(heard.sort()).toEqual(['a', 'b'])
    expect(states).toEqual([{ state: 'degraded', sinceMs: 0 }, { state: 'connected' }])
  })
})
