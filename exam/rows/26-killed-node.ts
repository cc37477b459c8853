import { backWithin, throughAFault } from '../load/through-a-fault.ts'
import { pause } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const ELSEWHERE_MS = 5_000
/** How often each node dies. */
const ROUNDS = 3

export const row: Row = {
  id: 26,
  tier: 'n',
  title: 'one of three nodes is killed, each in turn, three times',
  async run(context) {
    const back: number[] = []
    const { bites, figures, findings, holds, refused } = await throughAFault(context, {
      hardSenders: 6,
      fault: async ({ cluster, devices }) => {
        let cut = 0
        for (let round = 0; round < ROUNDS; round++) {
          for (const node of cluster.nodes) {
            await node.kill()
            await pause(20)
            cut += devices.filter(({ isLive }) => !isLive).length
            back.push(await backWithin(devices))
            await pause(1_000)
            await node.start()
            await node.untilReady(true)
            await pause(1_000)
          }
        }
        return cut
      },
    })
    return judge({
      bites,
      findings,
      figures: { ...figures, deaths: back.length, backMs: Math.max(...back), refused },
      holds: {
        ...holds,
        [`its people were live elsewhere within ${ELSEWHERE_MS} ms`]:
          Math.max(...back) <= ELSEWHERE_MS * context.slowness,
        'nobody was refused anything': refused === 0,
      },
    })
  },
}
