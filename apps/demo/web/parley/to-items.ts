import type { ConversationView, IdentityView, MessageView } from '@parley/client'
import type { ConversationItem, Delivery, LastMessage, MessageItem, Person } from '../model/chat.ts'
import { personName } from '../model/names.ts'

/** From what the SDK shows to what this app's components are given. */

export function toPerson(identity: IdentityView): Person {
  const { id, userId, displayName } = identity
  return { id, userId, name: personName(displayName, userId) }
}

export function toConversationItem(
  conversation: ConversationView,
  myId: string,
  typing: readonly string[],
): ConversationItem {
  const { id, metadata, participants, lastMessage, createdAt, unreadCount, state } = conversation
  return {
    id,
    title: typeof metadata.title === 'string' ? metadata.title : '',
    others: participants.filter((person) => person.id !== myId).map(toPerson),
    last: lastMessage ? toLastMessage(lastMessage) : undefined,
    createdAt: createdAt?.toISOString() ?? undefined,
    unread: unreadCount,
    typing,
    isMember: state !== 'removed',
  }
}

function toLastMessage(message: MessageView): LastMessage {
  return {
    text: textOf(message),
    at: message.createdAt.toISOString(),
    isOwn: message.isOwn,
    senderName: toPerson(message.sender).name,
    delivery: deliveryOf(message),
  }
}

export function toMessageItem(message: MessageView, others: readonly Person[]): MessageItem {
  const { id, sender, isOwn, isUnread, createdAt, error, recipientStatus } = message
  const statuses: Readonly<Record<string, string>> = recipientStatus
  return {
    id,
    sender: toPerson(sender),
    isOwn,
    isUnread,
    text: textOf(message),
    at: createdAt.toISOString(),
    delivery: deliveryOf(message),
    failure: error?.message,
    readBy: isOwn ? others.filter((person) => statuses[person.id] === 'read').map((person) => person.name) : [],
  }
}

/** The recipient who is furthest behind decides. */
function deliveryOf(message: MessageView): Delivery {
  if (message.status !== 'sent') return message.status
  if (message.readStatus === 'all') return 'read'
  return message.deliveryStatus === 'all' ? 'delivered' : 'sent'
}

/** The words of a message; other kinds of parts are only named. */
function textOf(message: MessageView): string {
  return message.parts
    .map(({ mimeType, body, encoding }) => (isPlain(mimeType) && !encoding ? body : `[${mimeType}]`))
    .join('\n')
}

const isPlain = (mimeType: string) => /^text\/plain\s*(;|$)/i.test(mimeType)
