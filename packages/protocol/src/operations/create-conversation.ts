import * as v from 'valibot'
import type { ConversationId } from '../ids.ts'
import { limits } from '../limits.ts'
import * as s from './schemas.ts'

/** Starts a conversation, or finds the distinct one of the same participants. The caller is always a participant. */
export const createConversation = v.object({
  /** Chosen by the caller; repeating it repeats the first outcome. */
  id: s.conversation,
  participants: s.list(s.identity, limits.maxParticipantsAnywhere),
  /** At most one distinct conversation exists for a set of participants. */
  distinct: v.boolean(),
  metadata: v.nullish(s.metadata),
})

export type CreateConversation = v.InferOutput<typeof createConversation>
export type CreateConversationInput = v.InferInput<typeof createConversation>

/** `found` and `found_without_requested_metadata` carry the id of the existing distinct conversation. */
export interface CreateConversationResult {
  readonly conversation: ConversationId
  readonly outcome: 'created' | 'found' | 'found_without_requested_metadata'
}
