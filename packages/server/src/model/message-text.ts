import { type IdentityId, identityId, messageId, type UserId } from '@parley/protocol'
import { isoTime } from './iso-time.ts'
import type { MessageRecord } from './state.ts'

let lastSender: UserId | undefined
let lastId: IdentityId | undefined

/** The last one is kept: who has written often writes on, and in a conversation of two it is mostly the other. */
function senderId(sender: UserId): IdentityId {
  if (sender !== lastSender || lastId === undefined) lastId = identityId(sender)
  lastSender = sender
  return lastId
}

/** The parts of a message in JSON. They are not read if they are in JSON already, for that may cost more than the rest. */
export const partsTextOf = (message: Pick<MessageRecord, 'parts' | 'partsText'>): string =>
  message.partsText ?? JSON.stringify(message.parts)

/**
 * A message as its row travels, in JSON: nothing of it needs escaping but the ids and the parts, which are text already.
 * @param parts the message's parts in JSON, as they are stored
 */
export function messageText(
  message: Omit<MessageRecord, 'parts' | 'partsText' | 'conversation' | 'firstSequence' | 'changedAt'>,
  parts: string,
): string {
  const { sequence, id, position, sender, sentAt, deletedAt } = message
  return (
    `{"type":"message","sequence":${sequence},"id":"${messageId(id)}","position":${position},` +
    `"sender":"${senderId(sender)}","sent_at":"${isoTime(sentAt)}","parts":${parts},` +
    `"deleted_at":${deletedAt === null ? 'null' : `"${isoTime(deletedAt)}"`}}`
  )
}
