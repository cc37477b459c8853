import { addPositions, boundPositions, type MarkMessages, type PositionSet, samePositions } from '@parley/protocol'
import { requireParticipant } from '../model/access.ts'
import type { Operation } from './operation.ts'

/** Raises the caller's delivered or read mark (RCT-1, RCT-2). Marking beyond the newest message marks up to it. */
export const markMessages: Operation<MarkMessages, Record<string, never>> = {
  name: 'mark-messages',
  remembered: false,
  reads: (input) => ({ conversations: [input.conversation] }),
  decide(input, asking, facts) {
    const access = requireParticipant(facts.conversation(input.conversation), asking.userId)
    if ('refusal' in access) return access
    const { conversation, participant } = access
    const mark = (set: PositionSet) =>
      boundPositions(
        addPositions(set, input.only ? input.position : 1, Math.min(input.position, conversation.headPosition)),
      )
    const delivered = mark(participant.delivered)
    const read = input.receipt === 'read' ? mark(participant.read) : participant.read
    const isChanged = !samePositions(delivered, participant.delivered) || !samePositions(read, participant.read)
    return {
      facts: isChanged
        ? [
            {
              type: 'participant',
              conversation: conversation.id,
              participant: { ...participant, delivered, read },
              side: 'public',
            },
          ]
        : [],
      result: {},
      effect: conversation.id,
      // Marks are never taken back. One beyond the newest message that is known may be of a message that is not.
      isForGood: input.position <= conversation.headPosition,
    }
  },
}
