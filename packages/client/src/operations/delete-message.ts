import type { ConversationId, DeletionMode } from '@parley/protocol'
import type { Draft } from '../outbox/drafting.ts'
import { draft, type NewUuid, readMessageId } from './check.ts'

export const deleteMessage = (
  conversation: ConversationId,
  message: string,
  mode: DeletionMode,
  newUuid: NewUuid,
): Draft<'delete-message'> =>
  draft('delete-message', newUuid(), conversation, { conversation, message: readMessageId(message), mode })
