import { addUpTo, type DeleteConversation } from '@parley/protocol'
import { requireParticipant } from '../model/access.ts'
import type { Decision, Fact } from '../model/decision.ts'
import { leaving } from '../model/participation.ts'
import type { Operation } from './operation.ts'

/** Deletes for all (CNV-3), from the caller's devices (CNV-4), or leaves as well (CNV-5). */
export const deleteConversation: Operation<DeleteConversation, Record<string, never>> = {
  name: 'delete-conversation',
  remembered: true,
  reads: (input) => ({ conversations: [input.conversation] }),
  decide(input, asking, facts): Decision<Record<string, never>> {
    const conversation = facts.conversation(input.conversation)
    const former = conversation?.participants.get(asking.userId)
    if (conversation && former?.state === 'removed' && input.mode === 'my_devices') {
      // DEL-6: what a removed participant kept can still be deleted.
      const gone = leaving(former, 'left', former.lastPosition ?? conversation.headPosition)
      return {
        facts: [{ type: 'participant', conversation: conversation.id, participant: gone, side: 'private' }],
        result: {},
      }
    }
    const access = requireParticipant(conversation, asking.userId)
    if ('refusal' in access) return access
    const { participant } = access
    const { record, headPosition, id } = access.conversation
    if (input.mode === 'all_participants') {
      return {
        facts: [
          { type: 'messages-purged', conversation: id },
          { type: 'conversation', conversation: { ...record, deletedAt: asking.now, distinctKey: null, metadata: {} } },
        ],
        result: {},
        effect: id,
      }
    }
    if (input.leave) {
      const facts: Fact[] = [
        {
          type: 'participant',
          conversation: id,
          participant: leaving(participant, 'left', headPosition),
          side: 'both',
        },
      ]
      if (record.distinctKey !== null) {
        facts.push({ type: 'conversation', conversation: { ...record, distinctKey: null } })
      }
      return { facts, result: {} }
    }
    const hidden = { ...participant, state: 'hidden' as const, hidden: addUpTo(participant.hidden, headPosition) }
    return {
      facts: [{ type: 'participant', conversation: id, participant: hidden, side: 'private' }],
      result: {},
    }
  },
}
