import { type DeleteMessage, isUnread, messageId, type PatchOperation } from '@parley/protocol'
import type { MessageRecord, Participant } from '../../../model/state.ts'
import { deleted, objectName, type Packets, setProperty, updated } from '../packets.ts'
import { findConversation } from '../reads.ts'
import { messageIn, toSight } from '../views/conversation.ts'
import { isInSight } from '../views/message.ts'
import { conversationName, NOTHING, ownSide, type Teller, type Telling } from './telling.ts'

/** Gone for all, or from one's own devices; either way another message may be the last one now, and fewer unread. */
export const tellDeleteMessage: Teller = {
  conversation(telling, move) {
    const own = ownSide(telling, move)
    const record = move.rows.find((row) => row.type === 'message')?.record
    if (!own || own.state === 'hidden' || !record || !isInSight(own, record.position)) return NOTHING
    return told(telling, record, own)
  },

  async inbox(telling, move) {
    const { desk, viewer, committed } = telling
    const own = move.rows[0]?.record
    const record = await desk.edge.store.lists.message(viewer.app, (committed.input as DeleteMessage).message)
    return own && record ? told(telling, record, own) : NOTHING
  },
}

async function told(telling: Telling, message: MessageRecord, own: Participant): Promise<Packets> {
  const { desk, viewer, committed } = telling
  const { mode } = committed.input as DeleteMessage
  const gone = deleted(objectName(desk.baseUrl, 'Message', messageId(message.id)), { mode })
  const stored = await findConversation(desk.edge, viewer, message.conversation)
  if (!stored) return [gone]
  desk.unread.learn(viewer, { id: message.conversation, ...stored })
  const patch: PatchOperation[] = []
  const last = stored.lastMessage
  if (!last || last.position < message.position) {
    patch.push(
      last
        ? {
            ...setProperty('last_message', messageIn(desk.baseUrl, toSight(stored), last)),
            id: messageId(last.id),
          }
        : setProperty('last_message', null),
    )
  }
  const { position, sender } = message
  // Hidden or not, it was unread if it was not read.
  if (isUnread({ read: own.read, hidden: [] }, { position, isOwn: sender === viewer.userId })) {
    patch.push(setProperty('unread_message_count', stored.unreadCount))
  }
  return patch.length === 0 ? [gone] : [gone, updated(conversationName(telling, message.conversation), patch)]
}
