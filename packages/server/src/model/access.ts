import { type Refusal, refuse, type UserId } from '@parley/protocol'
import type { ConversationState } from './conversation-state.ts'
import { isActive, type ParticipantRecord } from './state.ts'

export type Access =
  | { readonly conversation: ConversationState; readonly participant: ParticipantRecord }
  | { readonly refusal: Refusal }

/**
 * Lets a current participant pass. A stranger learns nothing: their conversation looks as absent as one that is
 * (CNV-7). Somebody who left or was removed knows it exists and is told so.
 */
export function requireParticipant(conversation: ConversationState | undefined, userId: UserId): Access {
  const participant = conversation?.participants.get(userId)
  if (!conversation || !participant || conversation.record.deletedAt !== null) {
    return refuse('not_found', { message: 'There is no such conversation.' })
  }
  if (!isActive(participant)) {
    return refuse('access_denied', { message: 'You are no longer a participant of this conversation.' })
  }
  return { conversation, participant }
}
