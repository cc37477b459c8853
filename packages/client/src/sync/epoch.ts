import type { StreamId } from '@parley/protocol'
import type { Replica, StoredStream, Write } from '../replica/replica.ts'
import { put, remove, removeAll } from '../replica/writes.ts'
import { emptyStream, forgetConversation } from './merge.ts'

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
  const known = new Map(stored.map(({ stream, sequence }) => [stream, sequence]))
  for (const stream of new Set([...known.keys(), ...heads.keys()])) {
    const head = heads.get(stream)
    if (head === known.get(stream)) continue
    if (known.has(stream)) writes.push(...(await forget(replica, stream)))
    writes.push(head === undefined ? remove('streams', [stream]) : put('streams', { ...emptyStream(stream), head }))
  }
  return writes
}

const forget = async (replica: Replica, id: StreamId): Promise<Write[]> =>
  id === 'inbox' ? [removeAll('memberships')] : forgetConversation(id, await replica.scan('messages', { prefix: [id] }))
