import { type SeededChance, startTcpProxy, type TcpProxy } from '@parley/testkit'
import { throughAFault } from '../load/through-a-fault.ts'
import { pause } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const SEEDS = 50
/** Between one link and the next, at most. */
const STEP_MS = 300

export const row: Row = {
  id: 36,
  tier: 'n',
  title: 'links of people, nodes, NATS and PostgreSQL are stopped one by one and freed in another order, fifty times',
  limitMs: 300_000,
  async run(context) {
    let people: TcpProxy | undefined
    let stopped = 0
    const { bites, figures, findings, holds, refused } = await throughAFault(context, {
      cluster: { isProxied: true },
      hardSenders: 6,
      websocketUrl: async (cluster) => {
        people = await startTcpProxy({ target: { port: cluster.port } })
        context.onEnd(() => people?.close())
        return `ws://127.0.0.1:${people.port}`
      },
      fault: async ({ cluster }) => {
        const links = [people!, ...cluster.nodes.flatMap(({ database, bus }) => [database!, bus!])]
        for (let seed = 0; seed < SEEDS; seed++) {
          const chosen = shuffled(links, context.chance).slice(0, 1 + context.chance.below(links.length - 1))
          for (const link of chosen) {
            link.stall()
            stopped++
            await pause(context.chance.number() * STEP_MS)
          }
          for (const link of shuffled(chosen, context.chance)) {
            await link.calm()
            await pause(context.chance.number() * STEP_MS)
          }
          await pause(STEP_MS)
        }
        return stopped
      },
      graceMs: 5_000,
    })
    return judge({
      bites,
      findings,
      figures: { ...figures, seeds: SEEDS, stopped, refused },
      holds: { ...holds, 'nobody was refused anything for good': refused === 0 },
    })
  },
}

function shuffled<T>(items: readonly T[], chance: SeededChance): T[] {
  return items
    .map((item) => ({ item, place: chance.number() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}
