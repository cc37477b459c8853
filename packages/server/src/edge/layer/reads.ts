import type { Uuid } from '@parley/protocol'
import type { MessageRecord, Session } from '../../model/state.ts'
import type { ConversationView as StoredView } from '../../store/store.ts'
import type { Edge } from '../edge.ts'
import { type ConversationView, conversationView, messageIn, toSight } from './views/conversation.ts'
import { isInSight, type MessageView } from './views/message.ts'

type Viewer = Pick<Session, 'app' | 'userId'>

/** A conversation the viewer has; one deleted from their devices looks absent until its next message. */
export async function findConversation(edge: Edge, viewer: Viewer, id: Uuid): Promise<StoredView | undefined> {
  const stored = await edge.store.lists.conversation(viewer.app, id, viewer.userId)
  return stored?.own.state === 'hidden' ? undefined : stored
}

export async function readConversation(edge: Edge, viewer: Viewer, id: Uuid): Promise<ConversationView | undefined> {
  const stored = await findConversation(edge, viewer, id)
  return stored && conversationView(edge.baseUrl(), toSight(stored))
}

/** A message the viewer can see. */
export async function findMessage(
  edge: Edge,
  viewer: Viewer,
  id: Uuid,
): Promise<{ readonly message: MessageRecord; readonly stored: StoredView } | undefined> {
  const message = await edge.store.lists.message(viewer.app, id)
  if (!message || message.deletedAt !== null) return undefined
  const stored = await findConversation(edge, viewer, message.conversation)
  return stored && isInSight(stored.own, message.position) ? { message, stored } : undefined
}

export async function readMessage(edge: Edge, viewer: Viewer, id: Uuid): Promise<MessageView | undefined> {
  const found = await findMessage(edge, viewer, id)
  return found && messageIn(edge.baseUrl(), toSight(found.stored), found.message)
}
