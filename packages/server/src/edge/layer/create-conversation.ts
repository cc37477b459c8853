import { randomBytes } from 'node:crypto'
import { type CreateConversationResult, parseConversationId, type Refusal, refuse, uuidv7 } from '@parley/protocol'
import type { Session } from '../../model/state.ts'
import type { Edge } from '../edge.ts'
import { readConversation } from './reads.ts'
import { members, submit } from './submit.ts'
import type { ConversationView } from './views/conversation.ts'

export type CreatedConversation =
  | { readonly conversation: ConversationView; readonly isNew: boolean }
  | { readonly refusal: Refusal }

/**
 * Creates a conversation or finds the distinct one, for both doors. A client's own id that was used before, and a
 * distinct conversation with other metadata, are refusals that carry the existing conversation: Layer's clients turn
 * the former into a success of their retry, and the latter into a find with a warning.
 */
export async function createConversation(edge: Edge, session: Session, body: unknown): Promise<CreatedConversation> {
  const asked = members(body)
  if ('refusal' in asked) return asked
  const { id = uuidv7(edge.clock.now(), randomBytes(10)), participants, distinct = false, metadata } = asked.members
  const outcome = await submit(edge, session, 'create-conversation', { id, participants, distinct, metadata })
  if ('refusal' in outcome) return outcome
  const { conversation, outcome: how } = outcome.result as CreateConversationResult
  const view = await readConversation(edge, session, parseConversationId(conversation)!)
  if (!view) return refuse('not_found', { message: 'The conversation is gone already.' })
  const data = { ...view }
  if (how === 'found_without_requested_metadata') return refuse('conflict', { data })
  if (how === 'found') return { conversation: view, isNew: false }
  return outcome.hasChanged ? { conversation: view, isNew: true } : refuse('id_in_use', { data })
}
