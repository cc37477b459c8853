import type { Uuid } from '@parley/protocol'
import type { Asking, Fact, Facts } from '../model/decision.ts'
import type { Operation } from './operation.ts'

/** Shows the caller's changed profile to the participants of one conversation: their participant row moves. */
export const announceProfile: Operation<{ readonly conversation: Uuid }, Record<string, never>> = {
  name: 'announce-profile',
  remembered: false,
  toleratesSuspension: true,
  reads: (input) => ({ conversations: [input.conversation] }),
  decide: (input, asking, facts) => ({ facts: shownIn(input.conversation, asking, facts), result: {} }),
}

/** The caller's participant row moves, as far as they take part, and with it their profile as it is now. */
export function shownIn(conversation: Uuid, asking: Asking, facts: Facts): Fact[] {
  const state = facts.conversation(conversation)
  const participant = state?.record.deletedAt === null ? state.activeParticipant(asking.userId) : undefined
  return participant ? [{ type: 'participant', conversation, participant, side: 'public' }] : []
}
