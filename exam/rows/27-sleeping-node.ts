import type { DownFrame } from '@parley/protocol'
import { until } from '@parley/testkit'
import { RawVisitor } from '../load/raw-visitor.ts'
import { now } from '../load/recorder.ts'
import { readCopy } from '../load/store-view.ts'
import { backWithin, throughAFault } from '../load/through-a-fault.ts'
import { pause } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const ASLEEP_MS = 30_000
const CLOSED_MS = 5_000
/** The balancer asks whether a node is there, and gives one that does not answer a little time. */
const ELSEWHERE_MS = 10_000

export const row: Row = {
  id: 27,
  tier: 'n',
  title: 'a node is frozen for half a minute and does not know that it slept',
  async run(context) {
    let backMs = Number.NaN
    let closedMs = Number.NaN
    let isBackIn = true
    let gaps = 0
    let heard = 0
    const through = await throughAFault(context, {
      hardSenders: 4,
      fault: async ({ cluster, devices, conversations }) => {
        const [node, other] = cluster.nodes
        // Two who are on this very node, with no balancer between: one listens, one is sent away meanwhile.
        const listener = await RawVisitor.greeted(node!.websocketUrl, await cluster.signIn('ben'))
        context.onEnd(() => listener.socket.terminate())
        const token = await cluster.signIn('mallory')
        const revoked = await RawVisitor.greeted(node!.websocketUrl, token)
        context.onEnd(() => revoked.socket.terminate())
        const conversation = await revoked.conversation(['ben'])

        const there = cluster.balancer.targets[0]!.open
        const asleepAt = now()
        node!.process.pause()
        await until(() => cluster.balancer.targets[0]!.open === 0, 'nobody is left on the sleeping node')
        await backWithin(devices)
        backMs = now() - asleepAt
        const headers = {
          authorization: `Layer session-token="${token}"`,
          accept: 'application/vnd.layer+json; version=2.0',
        }
        await fetch(`${other!.url}/sessions/${token}`, { method: 'DELETE', headers })
        await pause(ASLEEP_MS)
        const wokeAt = now()
        node!.process.resume()
        await until(() => revoked.closeCode !== undefined, 'whose session has ended is sent away', 60_000)
        closedMs = now() - wokeAt
        const again = await RawVisitor.open(node!.websocketUrl)
        again.say({ type: 'hello', session_token: token, cursor: null, epoch: null })
        again.say(RawVisitor.text(conversation, 'still me').frame)
        await again.closed()
        isBackIn = again.heard.some(({ type }) => type === 'acknowledgement' || type === 'welcome')
        await node!.untilReady(true)
        await pause(3_000)
        const stream = conversations[0]!
        const { sequence } = (await readCopy(other!.websocketUrl, await cluster.signIn('ben'))).copy.streams.find(
          (one) => one.stream === stream,
        )!
        await until(
          () => changesOf(listener.heard, stream).some((one) => one.sequence >= sequence),
          'it is told the rest',
        )
        const told = changesOf(listener.heard, stream)
        gaps = told.filter(({ after }, i) => i > 0 && after !== told[i - 1]!.sequence).length
        heard = told.length
        return there + 2
      },
    })
    const { bites, figures, findings, holds, refused } = through
    return judge({
      bites,
      findings,
      figures: { ...figures, backMs: Math.round(backMs), closedMs: Math.round(closedMs), heard, gaps, refused },
      holds: {
        ...holds,
        [`its people were live elsewhere within ${ELSEWHERE_MS} ms`]: backMs <= ELSEWHERE_MS * context.slowness,
        'whose session had ended stayed out': !isBackIn,
        [`and was sent away within ${CLOSED_MS} ms of the waking`]: closedMs <= CLOSED_MS * context.slowness,
        'what it told its listener is in order and without a hole': gaps === 0,
        'nobody was refused anything': refused === 0,
      },
    })
  },
}

const changesOf = (heard: readonly DownFrame[], stream: string) =>
  heard.flatMap((frame) => (frame.type === 'change' && frame.stream === stream ? [frame] : []))
