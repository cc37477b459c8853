import {
  invalidProperty,
  parseIdentityId,
  parsePath,
  patchConversation,
  type UpdateConversation,
  type UserId,
  type Uuid,
} from '@parley/protocol'
import { requireParticipant } from '../model/access.ts'
import type { ConversationState } from '../model/conversation-state.ts'
import type { Asking, Fact, Facts } from '../model/decision.ts'
import { joining, leaving } from '../model/participation.ts'
import { newProfile } from '../model/profile.ts'
import type { Operation } from './operation.ts'

/** Each person named is looked up, also those a conversation has no room for. */
const MAX_NAMED = 250

/** Changes participants and metadata by a patch, all of it or nothing. */
export const updateConversation: Operation<UpdateConversation, Record<string, never>> = {
  name: 'update-conversation',
  remembered: true,
  reads: (input) => {
    const named = namedUsers(input)
    return {
      conversations: [input.conversation],
      everyParticipant: true,
      profiles: named.length > MAX_NAMED ? [] : named,
    }
  },
  decide(input, asking, facts) {
    const access = requireParticipant(facts.conversation(input.conversation), asking.userId)
    if ('refusal' in access) return access
    const { conversation } = access
    if (namedUsers(input).length > MAX_NAMED) {
      return invalidProperty('participants', `A patch names at most ${MAX_NAMED} people.`)
    }
    const before = { participants: conversation.audience, metadata: conversation.record.metadata }
    const outcome = patchConversation(before, input.patch, asking.maxParticipants)
    if ('refusal' in outcome) return outcome
    const after = outcome.conversation
    const people = participantFacts(conversation, after.participants, asking, facts)
    const keepsDistinct = people.length === 0
    const isRowChanged =
      after.metadata !== before.metadata || (!keepsDistinct && conversation.record.distinctKey !== null)
    return {
      facts: [
        ...people,
        ...(isRowChanged
          ? [
              {
                type: 'conversation',
                conversation: {
                  ...conversation.record,
                  metadata: after.metadata,
                  distinctKey: keepsDistinct ? conversation.record.distinctKey : null,
                },
              } satisfies Fact,
            ]
          : []),
      ],
      result: {},
      effect: conversation.id,
    }
  },
}

/** Everybody the patch names as a participant, so that their profiles are at hand. */
function namedUsers(input: UpdateConversation): UserId[] {
  const named = input.patch
    .filter(({ property }) => parsePath(property)[0] === 'participants')
    .flatMap(({ id, value }) => [id, value].flat())
    .flatMap((name) => (typeof name === 'string' ? (parseIdentityId(name, { allowBare: true }) ?? []) : []))
  return [...new Set(named)]
}

function participantFacts(
  conversation: ConversationState,
  after: readonly UserId[],
  asking: Asking,
  facts: Facts,
): Fact[] {
  const before = new Set(conversation.audience)
  const staying = new Set(after)
  const removed = [...before].filter((userId) => !staying.has(userId))
  const added = after.filter((userId) => !before.has(userId))
  const lastOrder = Math.max(0, ...[...conversation.participants.values()].map((participant) => participant.order))
  return [
    ...removed.map((userId): Fact => {
      const how = userId === asking.userId ? 'left' : 'removed'
      return participantFact(
        conversation.id,
        leaving(conversation.participants.get(userId)!, how, conversation.headPosition),
      )
    }),
    ...added.flatMap((userId, index): Fact[] => {
      const participant = joining({
        userId,
        order: lastOrder + 1 + index,
        now: asking.now,
        headPosition: conversation.headPosition,
        before: conversation.participants.get(userId),
      })
      const profile: Fact[] = facts.profile(userId)
        ? []
        : [{ type: 'profile', profile: newProfile(userId, asking.now) }]
      return [...profile, participantFact(conversation.id, participant)]
    }),
  ]
}

const participantFact = (
  conversation: Uuid,
  participant: Extract<Fact, { type: 'participant' }>['participant'],
): Fact => ({ type: 'participant', conversation, participant, side: 'both' })
