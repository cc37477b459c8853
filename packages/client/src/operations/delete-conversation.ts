import type { ConversationId, DeletionMode } from '@parley/protocol'
import type { Draft } from '../outbox/drafting.ts'
import { draft, type NewUuid } from './check.ts'

export const deleteConversation = (
  conversation: ConversationId,
  mode: DeletionMode,
  newUuid: NewUuid,
): Draft<'delete-conversation'> => draft('delete-conversation', newUuid(), conversation, { conversation, mode })

export const leaveConversation = (conversation: ConversationId, newUuid: NewUuid): Draft<'delete-conversation'> =>
  draft('delete-conversation', newUuid(), conversation, { conversation, mode: 'my_devices', leave: true })
