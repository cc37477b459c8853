import type { ConversationId } from '@parley/protocol'
import type { StoredStream } from '../../src/replica/replica.ts'
import { Streams } from '../../src/sync/streams.ts'

/** A conversation's stream of which five rows are here, and its history down to position 40. */
export const storedStream = (id: string, more: Partial<StoredStream> = {}): StoredStream => ({
  stream: id as ConversationId,
  sequence: 5,
  head: 5,
  oldest: 40,
  complete: false,
  ...more,
})

export function streamsOf(...stored: StoredStream[]): Streams {
  const streams = new Streams()
  streams.load(stored)
  return streams
}
