import { addPositions, type DeleteMessage, limits, type Refusal, refuse } from '@parley/protocol'
import { requireParticipant } from '../model/access.ts'
import type { ConversationState } from '../model/conversation-state.ts'
import type { Asking, Decision } from '../model/decision.ts'
import type { MessageRecord } from '../model/state.ts'
import type { Operation } from './operation.ts'

/** Deletes one message. Any participant may delete for all (DEL-2). Deleting what is gone succeeds quietly. */
export const deleteMessage: Operation<DeleteMessage, Record<string, never>> = {
  name: 'delete-message',
  remembered: true,
  reads: (input) => ({ conversations: [input.conversation], messages: [input.message] }),
  decide(input, asking, facts) {
    const conversation = facts.conversation(input.conversation)
    const found = facts.message(input.message)
    const message = found?.conversation === input.conversation ? found : undefined
    if (input.mode === 'my_devices') return hide(conversation, message, asking)
    // Before anything is said of the message: to a stranger, one that exists looks like one that does not.
    const access = requireParticipant(conversation, asking.userId)
    if ('refusal' in access) return inWordsOfMessages(access)
    if (!message) return notFound()
    const gone = { ...message, parts: [], deletedAt: asking.now }
    return {
      facts: message.deletedAt === null ? [{ type: 'message', message: gone }] : [],
      result: {},
      effect: access.conversation.id,
    }
  },
}

const notFound = () => refuse('not_found', { message: 'There is no such message.' })

/** Whoever names only a message, as Layer's API does, must not learn from the sentence that its conversation exists. */
const inWordsOfMessages = (refused: { readonly refusal: Refusal }) =>
  refused.refusal.id === 'not_found' ? notFound() : refused

/** A removed participant may still tidy up what they kept (DEL-6). */
function hide(
  conversation: ConversationState | undefined,
  message: MessageRecord | undefined,
  asking: Asking,
): Decision<Record<string, never>> {
  const participant = conversation?.participants.get(asking.userId)
  if (!conversation || participant?.state !== 'removed') {
    const access = requireParticipant(conversation, asking.userId)
    if ('refusal' in access) return inWordsOfMessages(access)
  }
  if (!conversation || !participant || conversation.record.deletedAt !== null || !message) return notFound()
  if (participant.lastPosition !== null && message.position > participant.lastPosition) return notFound()
  const hidden = addPositions(participant.hidden, message.position, message.position)
  if (hidden.length > 2 * limits.maxHiddenRanges) {
    return refuse('invalid_operation', {
      message: 'Too many single messages are deleted here. Delete the conversation from your devices instead.',
    })
  }
  return {
    facts:
      hidden === participant.hidden
        ? []
        : [
            {
              type: 'participant',
              conversation: conversation.id,
              participant: { ...participant, hidden },
              side: 'private',
            },
          ],
    result: {},
  }
}
