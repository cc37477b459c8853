import type { Uuid } from '@parley/protocol'
import type { Operation } from './operation.ts'

/** Shows the caller's changed profile to the participants of one conversation: their participant row moves. */
export const announceProfile: Operation<{ readonly conversation: Uuid }, Record<string, never>> = {
  name: 'announce-profile',
  remembered: false,
  reads: (input) => ({ conversations: [input.conversation] }),
  decide(input, asking, facts) {
    const conversation = facts.conversation(input.conversation)
    const isGone = conversation?.record.deletedAt !== null
    const participant = isGone ? undefined : conversation?.activeParticipant(asking.userId)
    return {
      facts: participant
        ? [{ type: 'participant', conversation: input.conversation, participant, side: 'public' }]
        : [],
      result: {},
    }
  },
}
