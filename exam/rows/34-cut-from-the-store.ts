import { until } from '@parley/testkit'
import { WITH_FIGURES } from '../load/exam-cluster.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { now } from '../load/recorder.ts'
import { backWithin, throughAFault } from '../load/through-a-fault.ts'
import { pause } from '../load/world.ts'
import { judge, type Row } from '../row.ts'

const UNREADY_MS = 5_000
const MOVED_MS = 10_000

export const row: Row = {
  id: 34,
  tier: 'n',
  title: 'one node is cut off from PostgreSQL, and not from NATS',
  async run(context) {
    let unreadyMs = Number.NaN
    let movedMs = Number.NaN
    let answerMs = Number.NaN
    let answer = ''
    const through = await throughAFault(context, {
      cluster: { isProxied: true, env: WITH_FIGURES },
      hardSenders: 4,
      fault: async ({ cluster, devices }) => {
        const [node] = cluster.nodes
        const visitor = await RawVisitor.greeted(node!.websocketUrl, await cluster.signIn('vera'))
        context.onEnd(() => visitor.socket.terminate())
        const conversation = await visitor.conversation(['ben'])
        const there = await node!.sockets()
        const cutAt = now()
        node!.database!.blackHole()
        const { id, frame } = RawVisitor.text(conversation, 'nobody can store this')
        visitor.say(frame)
        const answered = visitor
          .hears('acknowledgement', (one) => one.id === id)
          .then((one) => {
            answerMs = now() - cutAt
            answer = 'refusal' in one ? `${one.refusal.id} ${one.retry_after_ms ?? ''}` : 'taken'
          })
        unreadyMs = await node!.untilReady(false)
        await answered
        await until(async () => (await node!.sockets()) === 0, 'its people have gone elsewhere')
        movedMs = now() - cutAt
        await backWithin(devices)
        await pause(5_000)
        await node!.database!.calm()
        await node!.untilReady(true)
        return there
      },
    })
    const { bites, figures, findings, holds, refused } = through
    const rounded = { unreadyMs: Math.round(unreadyMs), answerMs: Math.round(answerMs), movedMs: Math.round(movedMs) }
    return judge({
      bites,
      findings,
      figures: { ...figures, ...rounded, answer, refused },
      holds: {
        ...holds,
        [`it said within ${UNREADY_MS} ms that it was not ready`]: unreadyMs <= UNREADY_MS * context.slowness,
        'a send was refused for now': answer.startsWith('service_unavailable'),
        [`its people were elsewhere within ${MOVED_MS} ms`]: movedMs <= MOVED_MS * context.slowness,
        'nobody was refused anything for good': refused === 0,
      },
    })
  },
}
