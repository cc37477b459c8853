import { throughAFault } from '../load/through-a-fault.ts'
import { pause } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const SEND_P99_MS = 2_000

export const row: Row = {
  id: 28,
  tier: 'n',
  title: 'three nodes are restarted one after the other, each asked to stop',
  async run(context) {
    const told: string[] = []
    let slowestStopMs = 0
    const { bites, figures, findings, holds, refused, sendP99Ms } = await throughAFault(context, {
      hardSenders: 6,
      fault: async ({ cluster, devices }) => {
        const before = devices.map(({ connections }) => connections.length)
        let moved = 0
        for (const node of cluster.nodes) {
          const at = devices.map(({ connections }) => connections.length)
          const { tookMs, code } = await node.terminate()
          if (code !== 0) throw new Error(`${node.name} ended with code ${code}.`)
          slowestStopMs = Math.max(slowestStopMs, tookMs)
          await pause(500)
          moved += devices.filter(({ connections }, i) => connections.length > at[i]!).length
          await node.start()
          await node.untilReady(true)
          await pause(1_000)
        }
        for (const [i, { connections }] of devices.entries()) told.push(...connections.slice(before[i]))
        return moved
      },
    })
    const offline = told.filter((state) => state !== 'live' && state !== 'probing').length
    return judge({
      bites,
      findings,
      figures: { ...figures, moved: bites, offline, refused, sendP99Ms, stopMs: Math.round(slowestStopMs) },
      holds: {
        ...holds,
        'no send was refused': refused === 0,
        'nobody was shown an outage': offline === 0,
        [`sends took ${SEND_P99_MS} ms at most, for 99 of 100`]: sendP99Ms <= SEND_P99_MS * context.slowness,
      },
    })
  },
}
