import {
  type ConversationId,
  clientLimits,
  type Metadata,
  type PatchOperation,
  patchConversation,
  type UserId,
} from '@parley/protocol'
import type { Draft } from '../outbox/drafting.ts'
import { draft, invalid, type NewUuid, readIdentityId } from './check.ts'

/** Path → value, where a path is `colour` or `colour.background`; a dot in a name is written `\.`. */
export type MetadataValues = Readonly<Record<string, string | Metadata>>

export function setMetadata(
  conversation: ConversationId,
  values: MetadataValues,
  newUuid: NewUuid,
): Draft<'update-conversation'> {
  const patch = Object.entries(values).map(([path, value]): PatchOperation => {
    return { operation: 'set', property: `metadata.${path}`, value }
  })
  return update(conversation, checkMetadata(patch), newUuid)
}

export function deleteMetadata(
  conversation: ConversationId,
  paths: readonly string[],
  newUuid: NewUuid,
): Draft<'update-conversation'> {
  const patch = paths.map((path): PatchOperation => ({ operation: 'delete', property: `metadata.${path}` }))
  return update(conversation, checkMetadata(patch), newUuid)
}

export function changeParticipants(
  conversation: ConversationId,
  operation: 'add' | 'remove',
  participants: readonly string[],
  newUuid: NewUuid,
): Draft<'update-conversation'> {
  const patch = participants.map((text): PatchOperation => {
    return { operation, property: 'participants', id: readIdentityId(text) }
  })
  return update(conversation, patch, newUuid)
}

/** What cannot be metadata anywhere; how it meets what is there already is for the view and the server. */
function checkMetadata(patch: readonly PatchOperation[]): readonly PatchOperation[] {
  const anywhere = { participants: ['anybody' as UserId], metadata: {} }
  const outcome = patchConversation(anywhere, patch)
  if ('refusal' in outcome) throw invalid(outcome.refusal.message ?? 'This cannot be metadata.')
  return patch
}

function update(
  conversation: ConversationId,
  patch: readonly PatchOperation[],
  newUuid: NewUuid,
): Draft<'update-conversation'> {
  if (patch.length === 0) throw invalid('Nothing is to be changed.')
  if (patch.length > clientLimits.maxPatchOperations)
    throw invalid(`At most ${clientLimits.maxPatchOperations} changes at once.`)
  return draft('update-conversation', newUuid(), conversation, { conversation, patch: [...patch] })
}
