import { refuse, type SendMessage, type SendMessageResult } from '@parley/protocol'
import { requireParticipant } from '../model/access.ts'
import type { ConversationState } from '../model/conversation-state.ts'
import type { Fact } from '../model/decision.ts'
import { isoTime } from '../model/iso-time.ts'
import type { MessageRecord } from '../model/state.ts'
import type { Operation } from './operation.ts'

/**
 * Appends a message at the conversation's next position. The cost does not depend on the number of participants or
 * of messages: unread counts and receipts follow from positions and marks.
 */
export const sendMessage: Operation<SendMessage, SendMessageResult> = {
  name: 'send-message',
  remembered: false,
  reads: (input) => ({ conversations: [input.conversation], newMessages: [input.id] }),
  decide(input, asking, facts) {
    const sent = facts.message(input.id)
    if (sent?.sender === asking.userId && sent.conversation === input.conversation) {
      return { facts: [], result: resultOf(sent), effect: sent.conversation, isForGood: true }
    }
    // Before anything is said of the id: to a stranger, a message that exists looks like one that does not.
    const access = requireParticipant(facts.conversation(input.conversation), asking.userId)
    if ('refusal' in access) return access
    if (sent) return refuse('id_in_use', { message: 'This message id is taken.' })
    const message = {
      id: input.id,
      conversation: input.conversation,
      position: access.conversation.headPosition + 1,
      sender: asking.userId,
      // Never before the one it follows, whatever the clock does: readers find their place by time as well.
      sentAt: Math.max(asking.now, access.conversation.lastMessageAt),
      parts: input.parts,
      deletedAt: null,
    }
    const sending: Fact = { type: 'message', message }
    const { conversation } = access
    return {
      facts: conversation.hasHidden ? [...returning(conversation), sending] : [sending],
      result: resultOf(message),
      effect: input.conversation,
    }
  },
}

const resultOf = (message: Pick<MessageRecord, 'position' | 'sentAt'>): SendMessageResult => ({
  position: message.position,
  sent_at: isoTime(message.sentAt),
})

/** Deleted from somebody's devices, a conversation returns with its next message (CNV-4). */
const returning = (conversation: ConversationState): Fact[] =>
  [...conversation.participants.values()]
    .filter((participant) => participant.state === 'hidden')
    .map((participant) => ({
      type: 'participant',
      conversation: conversation.id,
      participant: { ...participant, state: 'joined' },
      side: 'private',
    }))
