import { clientLimits } from './client-limits.ts'
import { invalidProperty, missingProperty, type Refusal } from './errors.ts'
import { parseIdentityId, type UserId } from './ids.ts'
import { deleteMetadata, type Metadata, metadataFault, setMetadata } from './metadata.ts'
import { type PatchOperation, parsePath } from './patch.ts'

/** What a conversation's participants and metadata are before or after a patch. */
export interface PatchableConversation {
  /** In the order they joined. */
  readonly participants: readonly UserId[]
  readonly metadata: Metadata
}

export type PatchOutcome = { readonly conversation: PatchableConversation } | { readonly refusal: Refusal }

/**
 * Applies a Layer-Patch to a conversation: `participants` (add, remove, set) and `metadata` (set, delete). All or
 * nothing. Both ends run this same function: the client on its view, the server on the truth, with the bound it is set
 * to.
 */
export function patchConversation(
  conversation: PatchableConversation,
  patch: readonly PatchOperation[],
  maxParticipants: number = clientLimits.maxParticipantsAnywhere,
): PatchOutcome {
  let current = conversation
  for (const operation of patch) {
    const outcome = applyOne(current, operation)
    if ('refusal' in outcome) return outcome
    current = outcome.conversation
  }
  if (current.participants.length === 0) return invalidProperty('participants', 'A conversation keeps a participant.')
  if (current.participants.length > maxParticipants) return tooManyParticipants(maxParticipants)
  if (JSON.stringify(current.metadata).length > clientLimits.maxMetadataLength) {
    return invalidProperty('metadata', `Metadata has at most ${clientLimits.maxMetadataLength} characters of JSON.`)
  }
  return { conversation: current }
}

/** The refusal of a conversation that is too large for the server. */
export const tooManyParticipants = (max: number) =>
  invalidProperty('participants', `A conversation has at most ${max} participants.`)

function applyOne(conversation: PatchableConversation, operation: PatchOperation): PatchOutcome {
  const [root, ...path] = parsePath(operation.property)
  if (root === 'participants' && path.length === 0) return patchParticipants(conversation, operation)
  if (root === 'metadata') return patchMetadata(conversation, operation, path)
  return invalidProperty(operation.property, 'Only participants and metadata can be patched.')
}

function patchParticipants(conversation: PatchableConversation, operation: PatchOperation): PatchOutcome {
  const { participants } = conversation
  switch (operation.operation) {
    case 'add':
    case 'remove': {
      const userId = readParticipant(operation.id ?? operation.value)
      if (!userId) return invalidProperty('participants', 'Name a participant by identity id.')
      if (operation.operation === 'remove') {
        return { conversation: { ...conversation, participants: participants.filter((other) => other !== userId) } }
      }
      if (participants.includes(userId)) return { conversation }
      return { conversation: { ...conversation, participants: [...participants, userId] } }
    }
    case 'set': {
      if (!Array.isArray(operation.value)) return invalidProperty('participants', 'Participants are a list.')
      const named = operation.value.map(readParticipant)
      if (!named.every((userId) => userId !== undefined)) {
        return invalidProperty('participants', 'Name participants by identity id.')
      }
      return { conversation: { ...conversation, participants: [...new Set(named)] } }
    }
    case 'delete':
      return invalidProperty('participants', 'Participants can be added, removed or set.')
  }
}

function readParticipant(value: unknown): UserId | undefined {
  return typeof value === 'string' ? parseIdentityId(value, { allowBare: true }) : undefined
}

function patchMetadata(
  conversation: PatchableConversation,
  operation: PatchOperation,
  path: readonly string[],
): PatchOutcome {
  const property = operation.property
  if (operation.operation === 'delete') {
    if (path.length === 0) return invalidProperty(property, 'Metadata as a whole can be set to {}, not deleted.')
    return withMetadata(conversation, property, deleteMetadata(conversation.metadata, path))
  }
  if (operation.operation !== 'set') return invalidProperty(property, 'Metadata can be set or deleted.')
  if (operation.value === undefined) return missingProperty('value')
  const wrapped = path.length === 0 ? operation.value : wrap(path, operation.value)
  const fault = metadataFault(wrapped)
  if (fault) return invalidProperty(property, fault)
  if (path.length === 0) return { conversation: { ...conversation, metadata: operation.value as Metadata } }
  const value = operation.value as string | Metadata
  return withMetadata(conversation, property, setMetadata(conversation.metadata, path, value))
}

/** The value at its depth, so that names and nesting on the way are checked with it. */
function wrap(path: readonly string[], value: unknown): unknown {
  return path.reduceRight((inner, key) => Object.fromEntries([[key, inner]]), value)
}

function withMetadata(
  conversation: PatchableConversation,
  property: string,
  metadata: Metadata | undefined,
): PatchOutcome {
  if (!metadata) return invalidProperty(property, 'The path leads through a string.')
  return { conversation: { ...conversation, metadata } }
}
