/** What every bus keeps, whatever it is made of. An adapter's own test names it and says how to open it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Bus, type BusState, MAX_PAYLOAD_BYTES } from './bus.ts'

export interface BusWorld {
  /** One more node of a deployment. */
  join(deployment: 'ours' | 'theirs'): Promise<Bus>
  close(): Promise<void>
}

const bytes = (text: string) => new TextEncoder().encode(text)

/** What a node heard on a channel, as text. */
function ears(bus: Bus, channel: Parameters<Bus['subscribe']>[0]) {
  const heard: string[] = []
  const stop = bus.subscribe(channel, (payload) => heard.push(new TextDecoder().decode(payload)))
  return { heard, stop }
}

export function busContract(open: () => Promise<BusWorld>): void {
  let world: BusWorld
  let a: Bus
  let b: Bus
  let c: Bus

  beforeEach(async () => {
    world = await open()
    a = await world.join('ours')
    b = await world.join('ours')
    c = await world.join('ours')
  })
  afterEach(() => world.close())

  const ready = () => Promise.all([a, b, c].map((bus) => bus.flush()))

  describe('what is published', () => {
    it('is heard by all others, and not by the one who said it', async () => {
      const [atA, atB, atC] = [ears(a, 'nodes'), ears(b, 'nodes'), ears(c, 'nodes')]
      await ready()
      a.publish('nodes', bytes('from a'))
      b.publish('nodes', bytes('from b'))
      await expect.poll(() => atA.heard).toEqual(['from b'])
      await expect.poll(() => atB.heard).toEqual(['from a'])
      await expect.poll(() => [...atC.heard].sort()).toEqual(['from a', 'from b'])
      expect(atA.heard).toEqual(['from b'])
    })

    it('is heard on its channel alone', async () => {
      const [one, two, people] = [ears(b, 'changes.1'), ears(b, 'changes.2'), ears(b, 'people')]
      await ready()
      a.publish('changes.2', bytes('2'))
      a.publish('changes.1', bytes('1'))
      await expect.poll(() => [one.heard, two.heard]).toEqual([['1'], ['2']])
      expect(people.heard).toEqual([])
    })

    it('is heard in its own deployment alone', async () => {
      const stranger = await world.join('theirs')
      const [atStranger, atB] = [ears(stranger, 'nodes'), ears(b, 'nodes')]
      await Promise.all([ready(), stranger.flush()])
      a.publish('nodes', bytes('ours'))
      stranger.publish('nodes', bytes('theirs'))
      const other = await world.join('theirs')
      other.publish('nodes', bytes('last'))
      await expect.poll(() => [atB.heard, atStranger.heard]).toEqual([['ours'], ['last']])
    })

    it('keeps the order of one node on one channel', async () => {
      const { heard } = ears(b, 'changes.0')
      await ready()
      const said = Array.from({ length: 500 }, (_, i) => String(i))
      for (const text of said) a.publish('changes.0', bytes(text))
      await expect.poll(() => heard).toEqual(said)
    })

    it('may be as long as half a megabyte; what is longer is dropped and counted', async () => {
      const sizes: number[] = []
      b.subscribe('changes.0', (payload) => sizes.push(payload.length))
      await ready()
      a.publish('changes.0', new Uint8Array(MAX_PAYLOAD_BYTES + 1))
      a.publish('changes.0', new Uint8Array(MAX_PAYLOAD_BYTES).fill(7))
      await expect.poll(() => sizes).toEqual([MAX_PAYLOAD_BYTES])
      expect(a.counts).toMatchObject({ dropped: 1, published: 1, publishedBytes: MAX_PAYLOAD_BYTES })
      expect(b.counts).toMatchObject({ received: 1, receivedBytes: MAX_PAYLOAD_BYTES })
    })
  })

  describe('who listens', () => {
    it('hears nothing more once it stopped, while others go on', async () => {
      const [one, two] = [ears(b, 'nodes'), ears(b, 'nodes')]
      await ready()
      a.publish('nodes', bytes('1'))
      await expect.poll(() => one.heard).toEqual(['1'])
      one.stop()
      one.stop()
      await b.flush()
      a.publish('nodes', bytes('2'))
      await expect.poll(() => two.heard).toEqual(['1', '2'])
      expect(one.heard).toEqual(['1'])
    })

    it('may stumble without harm to the others', async () => {
      b.subscribe('nodes', () => {
        throw new Error('stumbled')
      })
      const { heard } = ears(b, 'nodes')
      await ready()
      a.publish('nodes', bytes('1'))
      a.publish('nodes', bytes('2'))
      await expect.poll(() => heard).toEqual(['1', '2'])
    })
  })

  describe('its state', () => {
    it('is connected once it was flushed, and degraded after it was closed', async () => {
      expect(await a.flush()).toBe(true)
      expect(a.state).toEqual({ state: 'connected' })
      const told: BusState[] = []
      a.watch((state) => told.push(state))
      await a.close()
      await a.close()
      expect(a.state.state).toBe('degraded')
      expect(told.map(({ state }) => state)).toEqual(['degraded'])
      expect(await a.flush()).toBe(false)
    })

    it('closed, it says and hears nothing more, and does not mind being asked to', async () => {
      const [atA, atB] = [ears(a, 'nodes'), ears(b, 'nodes')]
      await ready()
      await a.close()
      a.publish('nodes', bytes('late'))
      b.publish('nodes', bytes('on'))
      c.publish('nodes', bytes('on'))
      await expect.poll(() => atB.heard).toEqual(['on'])
      expect(atA.heard).toEqual([])
      expect(a.counts.dropped).toBe(1)
    })
  })
}
