import { createHash } from 'node:crypto'
import {
  type CreateConversation,
  type CreateConversationResult,
  conversationId,
  refuse,
  sameJson,
  tooManyParticipants,
  type UserId,
} from '@parley/protocol'
import type { ConversationState } from '../model/conversation-state.ts'
import type { Asking, Decision, Fact, Facts } from '../model/decision.ts'
import { joining } from '../model/participation.ts'
import { newProfile } from '../model/profile.ts'
import type { Operation } from './operation.ts'

/** Starts a conversation or finds the distinct one (CNV-1). Repeating an id gives the first outcome (OPR-1). */
export const createConversation: Operation<CreateConversation, CreateConversationResult> = {
  name: 'create-conversation',
  remembered: 'if-found',
  reads: (input, asking) => {
    const participants = participantsOf(input, asking)
    return {
      conversations: [input.id],
      profiles: participants,
      ...(input.distinct && { distinctKeys: [distinctKeyOf(participants)] }),
    }
  },
  decide(input, asking, facts) {
    const participants = participantsOf(input, asking)
    if (participants.length > asking.maxParticipants) return tooManyParticipants(asking.maxParticipants)
    const existing = facts.conversation(input.id)
    // Before looking for a match: whoever created it gets the first outcome, whatever has become of it since.
    if (existing?.record.createdBy === asking.userId) return repeated(existing)
    const distinctKey = input.distinct ? distinctKeyOf(participants) : null
    const match = distinctKey === null ? undefined : facts.distinct(distinctKey)
    if (match) return found(match, input, asking)
    if (existing) return refuse('id_in_use', { message: 'This conversation id is taken.' })
    return created(input, asking, facts, participants, distinctKey)
  },
}

function participantsOf(input: CreateConversation, asking: Omit<Asking, 'now'>): UserId[] {
  return [...new Set([asking.userId, ...input.participants])]
}

/** One text for one set of people, of bounded length. */
export function distinctKeyOf(participants: readonly UserId[]): string {
  return createHash('sha256')
    .update(JSON.stringify([...participants].sort()))
    .digest('base64url')
}

/**
 * The existing conversation wins, its metadata too. Who had deleted it from their devices gets it back. Unlike one that was
 * created, it does not tell that this was asked for, and it may be gone by the time that is repeated.
 */
function found(
  match: ConversationState,
  input: CreateConversation,
  asking: Asking,
): Decision<CreateConversationResult> {
  const asked = input.metadata ?? null
  const outcome =
    asked === null || sameJson(asked, match.record.metadata) ? 'found' : 'found_without_requested_metadata'
  const participant = match.participants.get(asking.userId)
  const facts: Fact[] =
    participant?.state === 'hidden'
      ? [
          {
            type: 'participant',
            conversation: match.id,
            participant: { ...participant, state: 'joined' },
            side: 'private',
          },
        ]
      : []
  const answer = { result: { conversation: conversationId(match.id), outcome }, effect: match.id } as const
  return { facts, ...answer, found: answer }
}

const repeated = (existing: ConversationState): Decision<CreateConversationResult> => ({
  facts: [],
  result: { conversation: conversationId(existing.id), outcome: 'created' },
  effect: existing.id,
})

function created(
  input: CreateConversation,
  asking: Asking,
  facts: Facts,
  participants: readonly UserId[],
  distinctKey: string | null,
): Decision<CreateConversationResult> {
  const unknown = participants.filter((userId) => !facts.profile(userId))
  return {
    facts: [
      ...unknown.map((userId): Fact => ({ type: 'profile', profile: newProfile(userId, asking.now) })),
      {
        type: 'conversation',
        conversation: {
          id: input.id,
          createdAt: asking.now,
          createdBy: asking.userId,
          distinctKey,
          metadata: input.metadata ?? {},
          deletedAt: null,
        },
      },
      ...participants.map(
        (userId, index): Fact => ({
          type: 'participant',
          conversation: input.id,
          participant: joining({ userId, order: index + 1, now: asking.now, headPosition: 0, before: undefined }),
          side: 'both',
        }),
      ),
    ],
    result: { conversation: conversationId(input.id), outcome: 'created' },
    effect: input.id,
  }
}
