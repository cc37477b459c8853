import { now } from '../load/recorder.ts'
import { throughAFault } from '../load/through-a-fault.ts'
import { until } from '../load/until.ts'
import { pause } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const AWAY_MS = 60_000
const HEARD_MS = 5_000

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
          await cluster.nats[0]!.restart()
          const isWell = async () =>
            (await Promise.all(cluster.nodes.map((node) => node.readiness()))).every(({ text }) =>
              text.includes('"degraded":false'),
            )
          await until(isWell, 'all nodes hear each other again')
          return acknowledged
        },
      })
      return judgeHeard(context.slowness, through, moments, { away: acknowledged })
    },
  },
  {
    id: 35,
    tier: 'n',
    title: 'of three NATS servers one is killed, then the next, then the last',
    async run(context) {
      const moments = { from: 0, to: 0 }
      const through = await throughAFault(context, {
        cluster: { natsServers: 3 },
        hardSenders: 4,
        fault: async ({ cluster, world }) => {
          const before = world.recorder.acknowledged
          moments.from = now()
          for (const server of cluster.nats) {
            await server.kill()
            await pause(15_000)
          }
          moments.to = now()
          const acknowledged = world.recorder.acknowledged - before
          await Promise.all(cluster.nats.map((server) => server.restart()))
          return acknowledged
        },
      })
      return judgeHeard(context.slowness, through, moments, {})
    },
  },
]

function judgeHeard(
  slowness: number,
  { bites, figures, findings, holds, refused, longestWayMs }: Awaited<ReturnType<typeof throughAFault>>,
  { from, to }: { readonly from: number; readonly to: number },
  more: Readonly<Record<string, number>>,
) {
  const longestMs = longestWayMs(from, to)
  return judge({
    bites,
    findings,
    figures: { ...figures, ...more, longestMs, refused },
    holds: {
      ...holds,
      'people could send all the while': bites > 0 && refused === 0,
      [`what was accepted at one node was heard at the others within ${HEARD_MS} ms`]: longestMs <= HEARD_MS * slowness,
    },
  })
}
