import type { Uuid } from '@parley/protocol'
import { messageText } from '../../model/message-text.ts'
import { asOfRemoval } from '../../model/removal.ts'
import { type AppKey, isActive } from '../../model/state.ts'
import { movedPage } from '../moved-page.ts'
import type { ConversationPage, StreamRow, StreamStore, WrittenFrom } from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
import { writtenPages } from '../written-page.ts'
import { keyOf, membershipsOf, messagesOf, participantsOf, type Tables } from './tables.ts'

/** Reading streams: what moved, and the rows of one of them above a sequence. */
export function memoryStreams(tables: Tables): Synchronous<StreamStore> {
  const conversation: Synchronous<StreamStore>['conversation'] = (app, id, viewer, after, limit) => {
    const own = tables.participants.get(keyOf(app, id))?.get(viewer)
    return own && isActive(own) ? pageOf(app, id, after, limit) : undefined
  }

  const pageOf = (app: AppKey, id: Uuid, after: number, limit: number): ConversationPage | undefined => {
    const entry = tables.conversations.get(keyOf(app, id))
    if (!entry) return undefined
    const rows: StreamRow[] = [
      { type: 'conversation', record: entry.record },
      ...participantsOf(tables, app, id).map((participant): StreamRow => ({ type: 'participant', ...participant })),
      ...messagesOf(tables, app, id).map((record): StreamRow => ({ type: 'message', record })),
    ]
    const changed = rows
      .filter((row) => row.record.sequence > after)
      .sort((a, b) => a.record.sequence - b.record.sequence)
    const page = changed.slice(0, limit)
    const more = changed.length > limit
    return { rows: page, sequence: more ? page[page.length - 1]!.record.sequence : entry.headSequence, more }
  }

  const listenersOf = (app: AppKey, id: Uuid) =>
    participantsOf(tables, app, id)
      .filter(({ record }) => isActive(record))
      .map(({ record }) => record.userId)

  return {
    conversation,

    writtenConversations(app, viewer, from, limit, room) {
      const read = ({ id, after }: WrittenFrom) => {
        const page = conversation(app, id, viewer, after, limit)
        const rows = page?.rows.map((row) =>
          row.type === 'message' ? { ...row, text: messageText(row.record, JSON.stringify(row.record.parts)) } : row,
        )
        return page && rows && { ...page, rows }
      }
      return writtenPages(from, read, room)
    },

    moved(app, userId, after) {
      const person = tables.people.get(keyOf(app, userId))
      const moved = membershipsOf(tables, app, userId)
        .filter(({ conversation, own }) => isActive(own) && conversation.moved > after)
        .map(({ conversation }) => conversation)
        .sort((a, b) => b.lastMessageAt - a.lastMessageAt)
      return {
        cursor: tables.cursor,
        inbox: person?.inboxSequence ?? 0,
        isInboxMoved: (person?.inboxMoved ?? 0) > after,
        conversations: moved.map(({ record, headSequence }) => ({ id: record.id, sequence: headSequence })),
      }
    },

    inbox(app, userId, after, limit) {
      const changed = membershipsOf(tables, app, userId)
        .filter(({ own }) => own.inboxSequence > after)
        .sort((a, b) => a.own.inboxSequence - b.own.inboxSequence)
        .map(({ conversation, own }) => ({ conversation: conversation.record.id, record: own }))
      const page = changed.slice(0, limit)
      const more = changed.length > limit
      const head = tables.people.get(keyOf(app, userId))?.inboxSequence ?? 0
      return { rows: page, sequence: more ? page[page.length - 1]!.record.inboxSequence : head, more }
    },

    messages(app, id, viewer, before, limit) {
      const entry = tables.conversations.get(keyOf(app, id))
      const own = tables.participants.get(keyOf(app, id))?.get(viewer)
      if (!entry || !own || own.state === 'left') return undefined
      const below = Math.min(before ?? Number.MAX_SAFE_INTEGER, (own.lastPosition ?? entry.headPosition) + 1)
      const messages = messagesOf(tables, app, id)
        .filter((message) => message.position < below)
        .reverse()
        .slice(0, limit)
      const page = {
        conversation: entry.record,
        participants: before === null ? participantsOf(tables, app, id) : [],
        messages,
        sequence: entry.headSequence,
        headPosition: entry.headPosition,
        more: (messages[messages.length - 1]?.position ?? 1) > 1,
      }
      return own.state === 'removed' ? asOfRemoval(page, own) : page
    },

    audience: (app, conversation) =>
      tables.conversations.get(keyOf(app, conversation))?.record.deletedAt === null
        ? listenersOf(app, conversation)
        : [],

    movedAnywhere(after, limit) {
      const conversations = [...tables.conversations.values()].map(({ app, record: { id }, headSequence, moved }) => ({
        moved,
        head: { app, stream: 'conversation' as const, id, sequence: headSequence, audience: listenersOf(app, id) },
      }))
      const inboxes = [...tables.people.values()].map(({ app, profile: { userId }, inboxSequence, inboxMoved }) => ({
        moved: inboxMoved,
        head: { app, stream: 'inbox' as const, userId, sequence: inboxSequence },
      }))
      return { ...movedPage([...conversations, ...inboxes], after, limit), settled: tables.cursor }
    },

    conversationForAll(app, id, after, limit) {
      const page = pageOf(app, id, after, limit)
      return page && { ...page, audience: listenersOf(app, id) }
    },
  }
}
