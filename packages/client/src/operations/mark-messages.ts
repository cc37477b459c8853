import type { ConversationId } from '@parley/protocol'
import type { Draft } from '../outbox/drafting.ts'
import { draft, invalid, type NewUuid } from './check.ts'

/** Marks everything up to a position as read. A position of zero is of a message not sent yet: nothing to mark. */
export function markRead(conversation: ConversationId, position: number, newUuid: NewUuid): Draft<'mark-messages'> {
  if (!Number.isSafeInteger(position) || position < 1) throw invalid('A position is a whole number from 1 on.')
  return draft('mark-messages', newUuid(), conversation, { conversation, receipt: 'read', position })
}
