import { identityId, messageId } from '@parley/protocol'
import { isoTime } from './iso-time.ts'
import type { MessageRecord } from './state.ts'

/**
 * A message as its row travels, in JSON: nothing of it needs escaping but the ids and the parts, which are text already.
 * @param parts the message's parts in JSON, as they are stored
 */
export function messageText(message: Omit<MessageRecord, 'parts' | 'conversation'>, parts: string): string {
  const { sequence, id, position, sender, sentAt, deletedAt } = message
  return (
    `{"type":"message","sequence":${sequence},"id":"${messageId(id)}","position":${position},` +
    `"sender":"${identityId(sender)}","sent_at":"${isoTime(sentAt)}","parts":${parts},` +
    `"deleted_at":${deletedAt === null ? 'null' : `"${isoTime(deletedAt)}"`}}`
  )
}
