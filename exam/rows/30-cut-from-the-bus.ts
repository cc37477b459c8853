import { until } from '@parley/testkit'
import { WITH_FIGURES } from '../load/exam-cluster.ts'
import { now } from '../load/recorder.ts'
import { throughAFault } from '../load/through-a-fault.ts'
import { pause } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const NOTICED_MS = 10_000
const HEARD_MS = 5_000
const CUT_MS = 30_000

export const row: Row = {
  id: 30,
  tier: 'n',
  title: 'one node is cut off from NATS in silence, and not from PostgreSQL',
  async run(context) {
    let noticedMs = Number.NaN
    let shownMs = Number.NaN
    let losses = 0
    const moments = { cut: 0, noticed: 0, healed: 0 }
    const through = await throughAFault(context, {
      cluster: { isProxied: true, env: WITH_FIGURES },
      hardSenders: 4,
      fault: async ({ cluster }) => {
        const [node] = cluster.nodes
        const passed = node!.bus!.passed.up
        moments.cut = now()
        node!.bus!.blackHole()
        const isNoticed = async () => (await node!.readiness()).text.includes('"degraded":true')
        await until(isNoticed, 'the node says that it is degraded')
        moments.noticed = now()
        noticedMs = moments.noticed - moments.cut
        await until(async () => (await node!.figure('parley_bus_connected')) === 0, 'whoever watches it sees that')
        shownMs = now() - moments.cut
        losses = await node!.figure('parley_bus_losses_total')
        await pause(CUT_MS)
        moments.healed = now()
        await node!.bus!.calm()
        await until(async () => !(await isNoticed()), 'the node says that all is well')
        return passed > 0 ? losses : 0
      },
    })
    const { bites, figures, findings, holds, refused, longestWayMs } = through
    const [earlyMs, longestMs] = [
      longestWayMs(moments.cut, moments.noticed),
      longestWayMs(moments.noticed, moments.healed),
    ]
    return judge({
      bites,
      findings,
      figures: {
        ...figures,
        noticedMs: Math.round(noticedMs),
        shownMs: Math.round(shownMs),
        earlyMs,
        longestMs,
        refused,
      },
      holds: {
        ...holds,
        [`it noticed within ${NOTICED_MS} ms`]: noticedMs <= NOTICED_MS * context.slowness,
        'and showed it to whoever watches it': shownMs <= NOTICED_MS * context.slowness,
        [`from then on everything was heard within ${HEARD_MS} ms`]: longestMs <= HEARD_MS * context.slowness,
        'until then nobody waited longer than for that': earlyMs <= (NOTICED_MS + HEARD_MS) * context.slowness,
        'nobody was refused anything': refused === 0,
      },
    })
  },
}
