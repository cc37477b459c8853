import type { ConversationView, IdentityView, MessageView } from '@parley/client'
import type { ConversationItem, Delivery, LastMessage, MessageItem, Person } from '../model/chat.ts'
import { personName } from '../model/names.ts'

/** From what the SDK shows to what this app's components are given. */

/**
 * Views keep their identity until they truly change, and so do the items made of them: what is equal is not drawn again.
 */
function remember<View extends object, Context, Item>(make: (view: View, context: Context) => Item) {
  const made = new WeakMap<View, { readonly context: Context; readonly item: Item }>()
  return (view: View, context: Context): Item => {
    const known = made.get(view)
    if (known && known.context === context) return known.item
    const item = make(view, context)
    made.set(view, { context, item })
    return item
  }
}

export function toPerson(identity: IdentityView): Person {
  const { id, userId, displayName } = identity
  return { id, userId, name: personName(displayName, userId) }
}

const othersOf = remember((participants: readonly IdentityView[], myId: string): readonly Person[] =>
  participants.filter((person) => person.id !== myId).map(toPerson),
)

export interface Onlooker {
  readonly myId: string
  /** Names of those who type in this conversation. */
  readonly typing: readonly string[]
}

function makeConversationItem(conversation: ConversationView, { myId, typing }: Onlooker): ConversationItem {
  const { id, metadata, participants, lastMessage, createdAt, unreadCount, state } = conversation
  return {
    id,
    title: typeof metadata.title === 'string' ? metadata.title : '',
    others: othersOf(participants, myId),
    last: lastMessage ? toLastMessage(lastMessage) : undefined,
    createdAt: createdAt?.toISOString() ?? undefined,
    unread: unreadCount,
    typing,
    isMember: state !== 'removed',
  }
}

const whileNobodyTypes = remember((conversation: ConversationView, myId: string) =>
  makeConversationItem(conversation, { myId, typing: [] }),
)

export function toConversationItem(conversation: ConversationView, onlooker: Onlooker): ConversationItem {
  if (onlooker.typing.length === 0) return whileNobodyTypes(conversation, onlooker.myId)
  return makeConversationItem(conversation, onlooker)
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

function makeMessageItem(message: MessageView, others: readonly Person[]): MessageItem {
  const { id, sender, isOwn, isUnread, createdAt, operationId, error, recipientStatus } = message
  const statuses: Readonly<Record<string, string>> = recipientStatus
  return {
    id,
    sender: toPerson(sender),
    isOwn,
    isUnread,
    text: textOf(message),
    at: createdAt.toISOString(),
    delivery: deliveryOf(message),
    operationId,
    failure: error?.message,
    readBy: isOwn ? others.filter((person) => statuses[person.id] === 'read').map((person) => person.name) : [],
  }
}

export const toMessageItem = remember(makeMessageItem)

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
