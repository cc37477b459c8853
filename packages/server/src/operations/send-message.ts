import { refuse, type SendMessageResult, type WrittenMessage } from '@parley/protocol'
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
export const sendMessage: Operation<WrittenMessage, SendMessageResult> = {
  name: 'send-message',
  remembered: false,
  reads: (input) => ({ conversations: [input.conversation], newMessage: input.id }),
  decide(input, asking, facts) {
    const sent = facts.message(input.id)
    if (sent?.sender === asking.userId && sent.conversation === input.conversation) {
      return { facts: [], result: resultOf(sent), effect: sent.conversation, isForGood: true }
    }
    // Before anything is said of the id: to a stranger, a message that exists looks like one that does not.
    const access = requireParticipant(facts.conversation(input.conversation), asking.userId)
    if ('refusal' in access) return access
    if (sent) return refuse('id_in_use', { message: 'This message id is taken.' })
    const { conversation } = access
    const message = {
      id: input.id,
      conversation: conversation.id,
      position: conversation.headPosition + 1,
      sender: asking.userId,
      // Never before the one it follows, whatever the clock does: readers find their place by time as well.
      sentAt: Math.max(asking.now, conversation.lastMessageAt),
      parts: input.parts,
      deletedAt: null,
    }
    // It is written out more than once: for the store, and for whoever hears of it.
    const partsText = input.partsText ?? JSON.stringify(input.parts)
    const sending: Fact = { type: 'message', message, partsText }
    return {
      facts: conversation.hasHidden ? [...returning(conversation), sending] : [sending],
      result: resultOf(message),
      effect: conversation.id,
    }
  },
}

/** What its sender hears of a message that was sent. */
export const resultOf = (message: Pick<MessageRecord, 'position' | 'sentAt'>): SendMessageResult => ({
  position: message.position,
  sent_at: isoTime(message.sentAt),
})

/** No other operation's result says when something was sent. */
export const isSendMessageResult = (result: unknown): result is SendMessageResult =>
  typeof result === 'object' && result !== null && 'sent_at' in result

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
