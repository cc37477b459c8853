import { messagesOf } from '../checker/history.ts'
import { ExamCluster } from '../load/exam-cluster.ts'
import { RawVisitor } from '../load/raw-visitor.ts'
import { now } from '../load/recorder.ts'
import { readCopy } from '../load/store-view.ts'
import { judge, type Row } from '../row.ts'

const ROUNDS = 100

/** With a number beyond those of the list: what people take for granted, whichever node answers them. */
export const row: Row = {
  id: 201,
  tier: 'n',
  title: 'what was acknowledged at one node is read at any other at once, and carried on from there',
  async run(context) {
    const cluster = await ExamCluster.start(context)
    const token = await cluster.signIn('alice')
    const visitors = []
    for (const node of cluster.nodes) {
      const visitor = await RawVisitor.greeted(node.websocketUrl, token)
      context.onEnd(() => visitor.socket.terminate())
      visitors.push(visitor)
    }
    const conversation = await visitors[0]!.conversation(['ben'])
    const positions: number[] = []
    let unread = 0
    let slowestMs = 0
    for (let i = 0; i < ROUNDS; i++) {
      const [writer, reader] = [visitors[i % 3]!, cluster.nodes[(i + 1) % 3]!]
      const { id, frame } = RawVisitor.text(conversation, `#${i}`)
      writer.say(frame)
      const answer = await writer.hears('acknowledgement', (one) => one.id === id)
      if ('refusal' in answer) throw new Error(`#${i} was refused: ${answer.refusal.id}.`)
      positions.push(answer.result.position as number)
      const askedAt = now()
      const { copy } = await readCopy(reader.websocketUrl, token)
      slowestMs = Math.max(slowestMs, now() - askedAt)
      if (!messagesOf(copy).some(({ row: message }) => message.id === `layer:///messages/${id}`)) unread++
    }
    return judge({
      bites: ROUNDS,
      figures: { acknowledged: positions.length, unread, slowestMs: Math.round(slowestMs) },
      holds: {
        'each was there for whoever asked another node': unread === 0,
        'positions go on from node to node': positions.every((position, i) => position === i + 1),
      },
    })
  },
}
