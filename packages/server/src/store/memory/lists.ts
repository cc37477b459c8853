import { hasPosition, isUnread, type UserId, type Uuid } from '@parley/protocol'
import { type AppKey, isActive, type MessageRecord, type ParticipantRecord } from '../../model/state.ts'
import type { ConversationView, ListStore } from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
import {
  type ConversationEntry,
  keyOf,
  membershipsOf,
  messageById,
  messagesOf,
  participantsOf,
  type Tables,
} from './tables.ts'

/** Lists and views for the REST APIs, counted the long way round: an oracle for stores that count cleverly. */
export function memoryLists(tables: Tables): Synchronous<ListStore> {
  return {
    conversation: (app, id, viewer) => conversationView(tables, app, id, viewer),

    conversations(app, viewer, page) {
      const time = (one: ConversationEntry) =>
        page.sortBy === 'last_message' ? one.lastMessageAt : one.record.createdAt
      const ever = membershipsOf(tables, app, viewer).sort(
        ({ conversation: a }, { conversation: b }) => time(b) - time(a) || (a.record.id < b.record.id ? 1 : -1),
      )
      const isListed = ({ conversation, own }: (typeof ever)[number]) =>
        (own.state === 'joined' || own.state === 'removed') && conversation.record.deletedAt === null
      const start = ever.findIndex(({ conversation }) => conversation.record.id === page.from) + 1
      const items = ever.slice(start).filter(isListed).slice(0, page.limit)
      return {
        total: ever.filter(isListed).length,
        items: items.map(({ conversation }) => conversationView(tables, app, conversation.record.id, viewer)!),
      }
    },

    messages(app, conversation, viewer, page) {
      const entry = tables.conversations.get(keyOf(app, conversation))
      const own = tables.participants.get(keyOf(app, conversation))?.get(viewer)
      if (!entry || entry.record.deletedAt !== null || !own || own.state === 'left') return undefined
      const all = visible(tables, app, conversation, own).reverse()
      const from = page.from === null ? undefined : messageById(tables, app, page.from)
      const before = from?.conversation === conversation ? from.position : Number.MAX_SAFE_INTEGER
      return { total: all.length, items: all.filter((one) => one.position < before).slice(0, page.limit) }
    },

    message: (app, id) => messageById(tables, app, id),

    movedSince: (app, viewer, sinceMs) =>
      membershipsOf(tables, app, viewer)
        .filter(({ conversation, own }) => conversation.movedAt >= sinceMs || own.changedAt >= sinceMs)
        .sort((a, b) => a.conversation.movedAt - b.conversation.movedAt)
        .map(({ conversation: { record }, own }) => ({ id: record.id, own, deletedAt: record.deletedAt })),

    messagesSince(app, conversation, viewer, sinceMs, page) {
      const own = conversationView(tables, app, conversation, viewer)?.own
      if (!own) return []
      return messagesOf(tables, app, conversation)
        .filter((message) => message.sentAt >= sinceMs || message.changedAt >= sinceMs)
        .filter((message) => message.position > page.above && isInSight(message, own))
        .slice(0, page.limit)
    },

    profile: (app, userId) => tables.people.get(keyOf(app, userId))?.profile,

    acquaintances(app, viewer, page) {
      const all = [...tables.people.values()]
        .filter((one) => one.app === app && one.profile.userId !== viewer)
        .map(({ profile }) => profile)
        .filter(({ userId }) => areAcquainted(tables, app, viewer, userId))
        .sort((a, b) => b.createdAt - a.createdAt || (a.userId < b.userId ? -1 : 1))
      const start = all.findIndex((profile) => profile.userId === page.from) + 1
      return { total: all.length, items: all.slice(start, start + page.limit) }
    },

    areAcquainted: (app, a, b) => areAcquainted(tables, app, a, b),

    conversationsOf: (app, userId) =>
      membershipsOf(tables, app, userId)
        .filter(({ own }) => isActive(own))
        .map(({ conversation }) => conversation.record.id),
  }
}

function areAcquainted(tables: Tables, app: AppKey, a: UserId, b: UserId): boolean {
  return membershipsOf(tables, app, a).some(({ conversation }) =>
    tables.participants.get(keyOf(app, conversation.record.id))?.has(b),
  )
}

const isInSight = (message: MessageRecord, own: ParticipantRecord): boolean =>
  message.position <= (own.lastPosition ?? message.position) && !hasPosition(own.hidden, message.position)

const visible = (tables: Tables, app: AppKey, id: Uuid, own: ParticipantRecord): MessageRecord[] =>
  messagesOf(tables, app, id).filter((message) => message.deletedAt === null && isInSight(message, own))

function conversationView(tables: Tables, app: AppKey, id: Uuid, viewer: UserId): ConversationView | undefined {
  const entry = tables.conversations.get(keyOf(app, id))
  const own = tables.participants.get(keyOf(app, id))?.get(viewer)
  if (!entry || entry.record.deletedAt !== null || !own || own.state === 'left') return undefined
  const messages = visible(tables, app, id, own)
  return {
    record: entry.record,
    headSequence: entry.headSequence,
    headPosition: entry.headPosition,
    lastMessageAt: entry.lastMessageAt,
    own,
    participants: participantsOf(tables, app, id),
    lastMessage: messages[messages.length - 1] ?? null,
    unreadCount: messages.filter(({ position, sender }) => isUnread(own, { position, isOwn: sender === viewer }))
      .length,
    totalCount: messages.length,
  }
}
