import type { ConversationId } from '@parley/protocol'
import type { OutboxEntry } from '../replica/replica.ts'
import { isEntry } from './summary.ts'

/**
 * The same entry for another conversation: what was written for a distinct conversation that turned out to exist under
 * another id (DIST-3). Its own id stays, so that a repeat still finds its first outcome.
 */
export function relabel(entry: OutboxEntry, to: ConversationId): OutboxEntry {
  if (isEntry(entry, 'create-conversation')) {
    return { ...entry, conversation: to, input: { ...entry.input, id: to } } as OutboxEntry
  }
  return { ...entry, conversation: to, input: { ...entry.input, conversation: to } } as OutboxEntry
}
