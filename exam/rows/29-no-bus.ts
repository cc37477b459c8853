import { until } from '@parley/testkit'
import { type ExamCluster, WITH_FIGURES } from '../load/exam-cluster.ts'
import { now } from '../load/recorder.ts'
import { throughAFault } from '../load/through-a-fault.ts'
import { pause } from '../load/world.ts'
import { type Figures, judge, type Row } from '../row.ts'

const AWAY_MS = 60_000
const HEARD_MS = 5_000
/** A server that dies says so by the end of its sockets, at once. */
const NOTICED_MS = 200
/** From one death to the next. */
const APART_MS = 12_000

export const rows: readonly Row[] = [
  {
    id: 29,
    tier: 'n',
    title: 'NATS is killed, and comes back after a minute',
    async run(context) {
      const moments = { from: 0, to: 0 }
      let acknowledged = 0
      const through = await throughAFault(context, {
        hardSenders: 4,
        fault: async ({ cluster, world }) => {
          const before = world.recorder.acknowledged
          moments.from = now()
          await cluster.nats[0]!.kill()
          await pause(AWAY_MS)
          acknowledged = world.recorder.acknowledged - before
          moments.to = now()
          const deaf = await howMany(cluster, 'degraded')
          await cluster.nats[0]!.restart()
          await untilAll(cluster, 'connected')
          return deaf === cluster.nodes.length ? acknowledged : 0
        },
      })
      return judgeHeard(context.slowness, through, moments, { more: { away: acknowledged } })
    },
  },
  {
    id: 35,
    tier: 'n',
    title: 'of three NATS servers one is killed, then the next, then the last',
    async run(context) {
      const moments = { from: 0, to: 0 }
      const back: number[] = []
      let losses = 0
      const through = await throughAFault(context, {
        cluster: { natsServers: 3, env: WITH_FIGURES },
        hardSenders: 4,
        fault: async ({ cluster, world }) => {
          const before = world.recorder.acknowledged
          moments.from = now()
          for (const [i, server] of cluster.nats.entries()) {
            await server.kill()
            const killedAt = now()
            // Which of the three a node speaks to is a matter of chance.
            await pause(NOTICED_MS)
            if (i < 2) back.push((await untilAll(cluster, 'connected')) - killedAt)
            else await untilAll(cluster, 'degraded')
            await pause(APART_MS)
          }
          losses = sum(await Promise.all(cluster.nodes.map((node) => node.figure('parley_bus_losses_total'))))
          moments.to = now()
          const acknowledged = world.recorder.acknowledged - before
          await Promise.all(cluster.nats.map((server) => server.restart()))
          await untilAll(cluster, 'connected')
          return losses >= cluster.nodes.length ? acknowledged : 0
        },
      })
      const backMs = Math.round(Math.max(...back))
      return judgeHeard(context.slowness, through, moments, {
        more: { losses, backMs },
        holds: {
          [`with one server left, all nodes had the bus again within ${HEARD_MS} ms`]:
            backMs <= HEARD_MS * context.slowness,
        },
      })
    },
  },
]

function judgeHeard(
  slowness: number,
  { bites, figures, findings, holds, refused, longestWayMs }: Awaited<ReturnType<typeof throughAFault>>,
  { from, to }: { readonly from: number; readonly to: number },
  own: { readonly more: Figures; readonly holds?: Readonly<Record<string, boolean>> },
) {
  const longestMs = longestWayMs(from, to)
  return judge({
    bites,
    findings,
    figures: { ...figures, ...own.more, longestMs, refused },
    holds: {
      ...holds,
      ...own.holds,
      'people could send all the while': bites > 0 && refused === 0,
      [`what was accepted at one node was heard at the others within ${HEARD_MS} ms`]: longestMs <= HEARD_MS * slowness,
    },
  })
}

/** When all nodes say the same of their bus. */
async function untilAll(cluster: ExamCluster, bus: 'connected' | 'degraded'): Promise<number> {
  await until(async () => (await howMany(cluster, bus)) === cluster.nodes.length, `all nodes say '${bus}' of the bus`)
  return now()
}

async function howMany({ nodes }: ExamCluster, bus: 'connected' | 'degraded'): Promise<number> {
  const said = await Promise.all(nodes.map((node) => node.readiness()))
  return said.filter(({ text }) => text.includes(`"bus":"${bus}"`)).length
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
