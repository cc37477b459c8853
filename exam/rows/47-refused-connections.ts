import { createClient } from '@parley/client'
import { createMemoryStorage } from '@parley/client/memory'
import { FakeServer, SeededChance, settle, VirtualClock } from '@parley/testkit'
import { judge, type Row } from '../row.ts'

const CLIENTS = 1_000
const REFUSALS = 20
/** By then, the first attempts of all have long mixed. */
const STEADY_AFTER_MS = 60_000
/** Attempts are counted in slots of so long. */
const SLOT_MS = 100

export const row: Row = {
  id: 47,
  tier: 'q',
  title: 'twenty refused connections: nobody tries in step with the others',
  async run({ seed }) {
    const clock = new VirtualClock()
    const chance = new SeededChance(seed)
    const server = new FakeServer(clock)
    const attempts: number[][] = []
    const clients = Array.from({ length: CLIENTS }, (_, i) => {
      const mine: number[] = []
      attempts.push(mine)
      return createClient({
        appId: 'app',
        url: 'http://parley.test',
        challenge: async ({ nonce }) => server.tokenFor(`user ${i}`, nonce),
        fetch: server.fetch,
        clock,
        chance,
        hints: () => () => {},
        storage: createMemoryStorage(),
        sockets: (url, protocol) => {
          mine.push(clock.now())
          return server.network.open(url, protocol)
        },
      })
    })
    const signedIn = Promise.all(clients.map((client, i) => client.authenticate(`user ${i}`)))
    for (let i = 0; i < 10; i++) {
      await settle(4)
      server.network.deliver()
    }
    await signedIn
    // A connection that falls at once is another matter: these have held.
    await clock.advance(20_000)
    server.network.deliver()
    server.network.isRefusing = true
    server.network.cut()
    const cutAt = clock.now()
    while (attempts.some((mine) => mine.length < 1 + REFUSALS)) {
      await clock.advance(SLOT_MS)
      server.network.deliver()
      if (clock.now() - cutAt > 30 * 60_000) break
    }
    const firstMs = Math.max(...attempts.map((mine) => (mine[1] ?? Number.POSITIVE_INFINITY) - cutAt))
    const gaps = attempts.flatMap((mine) => mine.slice(1).map((at, i) => at - (i === 0 ? cutAt : mine[i]!)))
    const first = attempts.map((mine) => mine[1]!)
    const [from, to] = [cutAt + STEADY_AFTER_MS, cutAt + 2 * STEADY_AFTER_MS]
    const steady = attempts.flat().filter((at) => at >= from && at < to)
    const worst = Math.max(crowding(first), crowding(steady))
    server.network.isRefusing = false
    for (const client of clients) void client.close()
    return judge({
      bites: attempts.reduce((sum, mine) => sum + mine.length - 1, 0),
      figures: { firstMs: Math.round(firstMs), longestMs: Math.round(Math.max(...gaps)), crowding: worst.toFixed(1) },
      holds: {
        'everybody tried again within a second': firstMs <= 1_000 + SLOT_MS,
        'nobody waited longer than 30 s': Math.max(...gaps) <= 30_000 + SLOT_MS,
        'no slot was three times as full as the mean': worst <= 3,
      },
    })
  },
}

/** How full the fullest slot is, against the mean over the time in which they came. */
function crowding(instants: readonly number[]): number {
  const slots = new Map<number, number>()
  for (const at of instants) slots.set(Math.floor(at / SLOT_MS), (slots.get(Math.floor(at / SLOT_MS)) ?? 0) + 1)
  const span = Math.max(...slots.keys()) - Math.min(...slots.keys()) + 1
  return Math.max(...slots.values()) / (instants.length / span)
}
