import { clientLimits, conversationId, type Metadata, metadataFault } from '@parley/protocol'
import { ParleyError } from '../errors.ts'
import type { Draft } from '../outbox/drafting.ts'
import { draft, invalid, type NewUuid, readIdentityId } from './check.ts'

export interface CreateConversationOptions {
  /** User ids or identity ids; the caller takes part anyway. */
  readonly participants: readonly string[]
  /** At most one distinct conversation exists for a set of participants; asking again finds it. Default true. */
  readonly distinct?: boolean
  readonly metadata?: Metadata
  readonly signal?: AbortSignal
}

export function createConversation(
  { participants, distinct = true, metadata }: CreateConversationOptions,
  me: string,
  newUuid: NewUuid,
): Draft<'create-conversation'> {
  const others = [...new Set(participants.map(readIdentityId))].filter((id) => id !== me)
  if (others.length + 1 > clientLimits.maxParticipantsAnywhere) {
    throw invalid(`A conversation has at most ${clientLimits.maxParticipantsAnywhere} participants.`)
  }
  if (metadata) checkMetadata(metadata)
  const uuid = newUuid()
  const id = conversationId(uuid)
  return draft('create-conversation', uuid, id, {
    id,
    participants: others,
    distinct,
    ...(metadata && { metadata }),
  })
}

function checkMetadata(metadata: Metadata): void {
  const fault = metadataFault(metadata)
  if (fault) throw invalid(fault)
  if (JSON.stringify(metadata).length > clientLimits.maxMetadataLength) {
    throw new ParleyError('too_large', `Metadata has at most ${clientLimits.maxMetadataLength} characters of JSON.`)
  }
}
