import {
  addPositions,
  addUpTo,
  type BasicIdentity,
  type IdentityId,
  identityId,
  type MessageId,
  messageId,
  type OperationName,
  type PositionSet,
  parseIdentityId,
  parseMessageId,
  patchConversation,
  type UserId,
} from '@parley/protocol'
import type { OutboxEntry } from '../replica/replica.ts'
import type { DraftState, StateInput } from './conversation-state.ts'
import { unknownIdentity } from './identity-view.ts'

/** Operation → what it will have done, as far as its sender can know. */
export const effects: {
  readonly [Name in OperationName]: (draft: DraftState, entry: OutboxEntry<Name>, input: StateInput) => void
} = {
  'create-conversation': createConversation,
  'send-message': sendMessage,
  'mark-messages': markMessages,
  'update-conversation': updateConversation,
  'delete-conversation': deleteConversation,
  'delete-message': deleteMessage,
}

function createConversation(draft: DraftState, entry: OutboxEntry<'create-conversation'>, input: StateInput): void {
  if (input.rows.conversation) {
    // Found: a distinct conversation that was deleted from my devices is wanted again.
    if (draft.presence === 'with-messages') draft.presence = 'shown'
    return
  }
  draft.presence = 'shown'
  draft.state = 'pending'
  draft.createdOrder = entry.order
  draft.distinct = entry.input.distinct
  draft.metadata = entry.input.metadata ?? {}
  const named = entry.input.participants.flatMap((text) => parseIdentityId(text, { allowBare: true }) ?? [])
  const ids = new Set([input.self.id, ...named.map(identityId)])
  draft.participants = [...ids].map((id) => identity(draft, id, input))
}

function sendMessage(draft: DraftState, entry: OutboxEntry<'send-message'>): void {
  draft.pending.push(entry)
}

function markMessages(draft: DraftState, { input }: OutboxEntry<'mark-messages'>): void {
  const mark = (set: PositionSet) =>
    input.only ? addPositions(set, input.position, input.position) : addUpTo(set, input.position)
  draft.delivered = mark(draft.delivered)
  if (input.receipt === 'read') draft.read = mark(draft.read)
}

function updateConversation(draft: DraftState, entry: OutboxEntry<'update-conversation'>, input: StateInput): void {
  const before = draft.participants.map((participant) => participant.user_id as UserId)
  const outcome = patchConversation({ participants: before, metadata: draft.metadata }, entry.input.patch)
  // The server will refuse it for the same reason.
  if ('refusal' in outcome) return
  const { participants, metadata } = outcome.conversation
  draft.metadata = metadata
  if (participants.length === before.length && participants.every((userId, i) => userId === before[i])) return
  draft.distinct = false
  draft.participants = participants.map((userId) => identity(draft, identityId(userId), input))
  if (!draft.participants.some((participant) => participant.id === draft.self)) draft.presence = 'gone'
}

function deleteConversation(draft: DraftState, { input }: OutboxEntry<'delete-conversation'>): void {
  draft.pending = []
  if (input.mode === 'all_participants') draft.isDeleted = true
  if (input.mode === 'all_participants' || input.leave) {
    draft.presence = 'gone'
    return
  }
  if (draft.presence === 'shown') draft.presence = 'with-messages'
  draft.hidden = addUpTo(draft.hidden, Number.MAX_SAFE_INTEGER)
}

function deleteMessage(draft: DraftState, { input }: OutboxEntry<'delete-message'>): void {
  const id = canonicalMessageId(input.message)
  draft.deletedMessages.add(id)
  draft.pending = draft.pending.filter((entry) => canonicalMessageId(entry.input.id) !== id)
}

/** Inputs may name a message by its bare UUID. */
export function canonicalMessageId(text: string): MessageId {
  const uuid = parseMessageId(text)
  return uuid ? messageId(uuid) : (text as MessageId)
}

function identity(draft: DraftState, id: IdentityId, { self, identityOf }: StateInput): BasicIdentity {
  if (id === self.id) return self
  return draft.people.get(id)?.identity ?? identityOf(id) ?? unknownIdentity(id)
}
