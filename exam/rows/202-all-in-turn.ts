import { until } from '@parley/testkit'
import type { Finding } from '../checker/history.ts'
import type { ExamCluster } from '../load/exam-cluster.ts'
import { backWithin, throughAFault } from '../load/through-a-fault.ts'
import { pause } from '../load/world.ts'
import { judge, type Row, type RowContext } from '../row.ts'

/** Acknowledged sends without which so many deaths prove little. */
const [NIGHT, DAY] = [100_000, 10_000]
/** How long NATS and PostgreSQL stay away. */
const AWAY_MS = 1_500
/** From one recovery to the next death. */
const APART_MS = 1_500

/** With a number beyond those of the list: all that a cluster is made of dies, again and again, until the sum is large. */
export const row: Row = {
  id: 202,
  tier: 'n',
  title: 'nodes, NATS and PostgreSQL are killed in turn, until 100,000 messages were acknowledged',
  limitMs: 900_000,
  async run(context) {
    const enough = context.isNight ? NIGHT : DAY
    const deaths = { node: 0, nats: 0, postgres: 0 }
    let slowestBackMs = 0
    const through = await throughAFault(context, {
      guests: ['lena', 'leo'],
      hardSenders: 8,
      hardness: { window: 16, pauseMs: 50 },
      fault: async ({ world, cluster, devices }) => {
        const faults = faultsOf(cluster)
        for (let i = 0; !(world.recorder.acknowledged >= enough && i >= faults.length); i++) {
          if (context.signal.aborted) break
          const { of, happen } = faults[i % faults.length]!
          await happen()
          deaths[of]++
          const before = world.recorder.acknowledged
          slowestBackMs = Math.max(slowestBackMs, await backWithin(devices, 60_000))
          await until(() => world.recorder.acknowledged > before + 100, 'messages are acknowledged again', 60_000)
          await pause(APART_MS)
        }
        return Math.min(deaths.node, deaths.nats, deaths.postgres)
      },
    })
    return verdictOf(context, enough, { ...through, deaths, slowestBackMs })
  },
}

function faultsOf({ nodes, nats, postgres }: ExamCluster) {
  const node = (at: number) => ({
    of: 'node' as const,
    async happen() {
      await nodes[at]!.kill()
      await pause(500)
      await nodes[at]!.start()
      await nodes[at]!.untilReady(true)
    },
  })
  const bus = {
    of: 'nats' as const,
    async happen() {
      await nats[0]!.kill()
      await pause(AWAY_MS)
      await nats[0]!.restart()
    },
  }
  const store = {
    of: 'postgres' as const,
    async happen() {
      await postgres.kill()
      await pause(AWAY_MS)
      await postgres.start()
    },
  }
  return [node(0), bus, node(1), store, node(2), bus, store]
}

function verdictOf(
  { isNight }: RowContext,
  enough: number,
  found: Awaited<ReturnType<typeof throughAFault>> & {
    readonly deaths: Readonly<Record<'node' | 'nats' | 'postgres', number>>
    readonly slowestBackMs: number
  },
) {
  const { bites, findings, figures, history, holds, refused, deaths, slowestBackMs } = found
  const sends = history.operations.filter(
    ({ name, outcome }) => name === 'send-message' && outcome.state === 'ok',
  ).length
  const of = (check: string) => findings.filter((one: Finding) => one.check === check).length
  return judge({
    bites,
    findings,
    figures: {
      ...figures,
      ...{ sends, lost: of('C1'), doubled: of('C3'), reordered: of('C6') },
      ...{ nodeDeaths: deaths.node, natsDeaths: deaths.nats, postgresDeaths: deaths.postgres },
      ...{ backMs: slowestBackMs, refused },
    },
    holds: {
      ...holds,
      [`${enough} messages were acknowledged${isNight ? '' : ', which by day is enough'}`]: sends >= enough,
      'nobody was refused anything for good': refused === 0,
    },
  })
}
