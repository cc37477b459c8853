import type { ConversationId, StreamId } from '@parley/protocol'
import type { Replica, StoredStream, Write } from '../replica/replica.ts'
import { emptyStream } from './merge.ts'

/**
 * What becomes of the copy when the server's log is another one than we knew (restored from a backup, say): a stream
 * that reached the same sequence is kept, any other is fetched anew, one the server doesn't name is gone. The outbox
 * is left alone; repeating what the old log had carried out is harmless.
 */
export async function compareStreams(
  replica: Replica,
  stored: readonly StoredStream[],
  heads: ReadonlyMap<StreamId, number>,
): Promise<Write[]> {
  const writes: Write[] = []
  for (const { stream, sequence } of stored) {
    const head = heads.get(stream)
    if (head === sequence) continue
    writes.push(...(stream === 'inbox' ? forgetInbox() : await forgetConversation(replica, stream)))
    writes.push(
      head === undefined
        ? { type: 'delete', table: 'streams', key: [stream] }
        : { type: 'put', table: 'streams', row: { ...emptyStream(stream), head } },
    )
  }
  const known = new Set(stored.map(({ stream }) => stream))
  for (const [stream, head] of heads) {
    if (!known.has(stream)) writes.push({ type: 'put', table: 'streams', row: { ...emptyStream(stream), head } })
  }
  return writes
}

const forgetInbox = (): Write[] => [{ type: 'delete-all', table: 'memberships', prefix: [] }]

async function forgetConversation(replica: Replica, id: ConversationId): Promise<Write[]> {
  const messages = await replica.scan('messages', { prefix: [id] })
  return [
    { type: 'delete', table: 'conversations', key: [id] },
    { type: 'delete-all', table: 'participants', prefix: [id] },
    { type: 'delete-all', table: 'messages', prefix: [id] },
    ...messages.map((message): Write => ({ type: 'delete', table: 'positions', key: [message.id] })),
  ]
}
