import { until } from '@parley/testkit'
import { ExamCluster } from '../load/exam-cluster.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { now } from '../load/recorder.ts'
import { judge, type Row } from '../row.ts'

const HEALTHY_MS = 1_000
const DEAD_BUS_MS = 30_000
const ROUNDS = 10

export const row: Row = {
  id: 39,
  tier: 'n',
  title: 'a session ends at one node while its socket is at another: with NATS, and without',
  async run(context) {
    const cluster = await ExamCluster.start(context)
    const healthy: number[] = []
    let taken = 0
    for (let i = 0; i < ROUNDS; i++) {
      const { closedMs, takenAfter } = await revoke(cluster, `healthy ${i}`)
      healthy.push(closedMs)
      taken += takenAfter
    }
    await cluster.nats[0]!.kill()
    await until(
      async () => (await cluster.nodes[1]!.readiness()).text.includes('"degraded":true'),
      'the node knows that it hears nobody',
    )
    const without = await revoke(cluster, 'without a bus')
    const healthyMs = Math.round(Math.max(...healthy))
    return judge({
      bites: healthy.length + 1,
      figures: { healthyMs, withoutBusMs: Math.round(without.closedMs), takenAfter: taken + without.takenAfter },
      holds: {
        [`with NATS the socket was closed within ${HEALTHY_MS} ms`]: healthyMs <= HEALTHY_MS * context.slowness,
        [`without, within ${DEAD_BUS_MS} ms`]: without.closedMs <= DEAD_BUS_MS,
        'nothing was taken on after that': taken + without.takenAfter === 0,
      },
    })
  },
}

/** Somebody at the second node, whose sessions are ended at the first one. */
async function revoke(cluster: ExamCluster, when: string) {
  const userId = `mallory ${when}`.replaceAll(' ', '-')
  const [first, second] = cluster.nodes
  const token = await cluster.signIn(userId)
  const visitor = await RawVisitor.greeted(second!.websocketUrl, token)
  const conversation = await visitor.conversation(['ben'])
  const startedAt = now()
  await endSession(first!.url, token)
  await until(() => visitor.closeCode !== undefined, 'the socket is closed', DEAD_BUS_MS + 5_000)
  const closedMs = now() - startedAt
  // And back in by the same token, at each node: nobody lets it.
  let takenAfter = 0
  for (const node of cluster.nodes) {
    const again = await RawVisitor.open(node.websocketUrl)
    again.say({ type: 'hello', session_token: token, cursor: null, epoch: null })
    again.say(RawVisitor.text(conversation, 'still me').frame)
    await again.closed()
    if (again.heard.some(({ type }) => type === 'acknowledgement')) takenAfter++
  }
  return { closedMs, takenAfter }
}

async function endSession(url: string, token: string): Promise<void> {
  const session = { authorization: `Layer session-token="${token}"`, accept: 'application/vnd.layer+json; version=2.0' }
  const answer = await fetch(`${url}/sessions/${token}`, { method: 'DELETE', headers: session })
  if (!answer.ok) throw new Error(`The session was not ended: ${answer.status} ${await answer.text()}`)
}
