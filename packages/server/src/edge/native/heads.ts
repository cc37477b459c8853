import { conversationId, type DownFrame } from '@parley/protocol'
import type { Delivery } from '../../delivery/delivery.ts'
import type { Session } from '../../model/state.ts'
import type { Cursor, MovedStreams } from '../../store/store.ts'
import type { Socket } from '../sockets/socket.ts'
import { PULL_AHEAD_BYTES } from './reading.ts'

/** Streams named in one `heads` frame. */
const HEADS_PER_FRAME = 500

/** Which streams of a session moved after a cursor. */
export async function movedSince(delivery: Delivery, { app, userId }: Session, after: Cursor): Promise<MovedStreams> {
  const since = await delivery.moved(app, userId, after)
  // A cursor from beyond the end of the log is none of ours, whatever its epoch: the store may be a restored backup.
  return since.cursor < after ? delivery.moved(app, userId, 0) : since
}

/** Tells a device which of its streams moved, at the pace it takes them. */
export async function sendHeads(moved: MovedStreams, socket: Socket, send: (frame: DownFrame) => void): Promise<void> {
  const streams = [
    ...(moved.isInboxMoved ? [{ stream: 'inbox' as const, sequence: moved.inbox }] : []),
    ...moved.conversations.map(({ id, sequence }) => ({ stream: conversationId(id), sequence })),
  ]
  for (let i = 0; i === 0 || i < streams.length; i += HEADS_PER_FRAME) {
    const isLast = i + HEADS_PER_FRAME >= streams.length
    send({
      type: 'heads',
      streams: streams.slice(i, i + HEADS_PER_FRAME),
      cursor: isLast ? String(moved.cursor) : null,
    })
    await socket.drained(PULL_AHEAD_BYTES)
  }
}
