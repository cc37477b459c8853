import type { ToldMove } from '../../../delivery/change.ts'
import type { LayerDesk } from '../desk.ts'
import { deleted, objectName, type Packet, type Packets } from '../packets.ts'
import { replayOne } from '../replay.ts'
import { NOTHING, type Viewer } from './telling.ts'

/**
 * Rows of which nobody knows what moved them: told as a replay tells what was missed, from the time of the oldest of them.
 * Receivers don't mind hearing some of it twice.
 */
export async function tellFromStore(desk: LayerDesk, viewer: Viewer, move: ToldMove): Promise<Packets> {
  if (move.rows.length === 0) return NOTHING
  const sinceMs = Math.min(...move.rows.map(({ record }) => record.changedAt))
  if (move.stream === 'inbox') {
    const told = move.rows.map(({ conversation: id, record: own }) =>
      packetsOf(replayOne(desk, viewer, { id, deletedAt: null, own }, sinceMs)),
    )
    return (await Promise.all(told)).flat()
  }
  const { id } = move.conversation
  const isOver = move.rows.some((row) => row.type === 'conversation' && row.record.deletedAt !== null)
  if (isOver) {
    const name = objectName(desk.baseUrl, 'Conversation', `layer:///conversations/${id}`)
    return [deleted(name, { mode: 'all_participants', from_position: null })]
  }
  const stored = await desk.edge.store.lists.conversation(viewer.app, id, viewer.userId)
  if (!stored || stored.own.state === 'hidden') return NOTHING
  return packetsOf(replayOne(desk, viewer, { id, deletedAt: null, own: stored.own }, sinceMs))
}

async function packetsOf(told: AsyncIterable<Packet>): Promise<Packet[]> {
  const packets: Packet[] = []
  for await (const packet of told) packets.push(packet)
  return packets
}
