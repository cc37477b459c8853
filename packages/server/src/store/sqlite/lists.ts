import type { UserId, Uuid } from '@parley/protocol'
import { countPositions, hasPosition, missingPositions, type PositionSet, unreadRanges } from '@parley/protocol'
import type { AppKey, MessageRecord, ParticipantRecord } from '../../model/state.ts'
import type { ConversationView, ListStore } from '../store.ts'
import type { Database } from './database.ts'
import {
  MESSAGE_COLUMNS,
  PARTICIPANT_COLUMNS,
  PROFILE_COLUMNS,
  type Row,
  toConversation,
  toMessage,
  toParticipant,
  toProfile,
} from './rows.ts'
import { conversationRow, participantRows } from './streams.ts'
import type { Synchronous } from './synchronous.ts'

/** Lists and views for the REST APIs, each from one viewer's perspective. */
export function sqliteLists(db: Database): Synchronous<ListStore> {
  return {
    conversation: (app, id, viewer) => db.transaction('read', () => conversationView(db, app, id, viewer)),

    conversations(app, viewer, page) {
      return db.transaction('read', () => {
        const order = page.sortBy === 'last_message' ? 'c.last_message_at' : 'c.created_at'
        const ids = (
          db
            .sql(
              `SELECT c.id FROM participants p JOIN conversations c ON c.app = p.app AND c.id = p.conversation
               WHERE p.app = ? AND p.user_id = ? AND p.state IN ('joined', 'removed') AND c.deleted_at IS NULL
               ORDER BY ${order} DESC, c.id DESC`,
            )
            .all(app, viewer) as { id: Uuid }[]
        ).map((row) => row.id)
        const start = page.from === null ? 0 : ids.indexOf(page.from) + 1
        const items = ids.slice(start, start + page.limit).map((id) => conversationView(db, app, id, viewer)!)
        return { total: ids.length, items }
      })
    },

    messages(app, conversation, viewer, page) {
      return db.transaction('read', () => {
        const sight = sightOf(db, app, conversation, viewer)
        if (!sight) return undefined
        const from = page.from === null ? undefined : messageById(db, app, page.from)
        const before = from?.conversation === conversation ? from.position : Number.MAX_SAFE_INTEGER
        const items: MessageRecord[] = []
        for (const message of newestFirst(db, app, conversation, Math.min(before - 1, sight.last))) {
          if (items.length === page.limit) break
          if (isVisible(message, sight)) items.push(message)
        }
        return { total: visibleCount(db, app, conversation, sight), items }
      })
    },

    message: (app, id) => messageById(db, app, id),

    changedSince(app, viewer, sinceMs, limit) {
      return db.transaction('read', () => {
        const rows = db
          .sql(
            `SELECT p.conversation, c.deleted_at, c.head_position, ${PARTICIPANT_COLUMNS} FROM participants p
             JOIN conversations c ON c.app = p.app AND c.id = p.conversation
             WHERE p.app = ? AND p.user_id = ? AND (c.moved_at >= ? OR p.changed_at >= ?)
             ORDER BY c.moved_at LIMIT ?`,
          )
          .all(app, viewer, sinceMs, sinceMs, limit) as Row[]
        return rows.map((row) => {
          const id = row.conversation! as Uuid
          const own = toParticipant(row)
          return {
            id,
            own,
            deletedAt: row.deleted_at! as number | null,
            view: row.deleted_at === null ? (conversationView(db, app, id, viewer) ?? null) : null,
            messages: changedMessages(db, app, id, sightFrom(own, row.head_position!), sinceMs, limit),
          }
        })
      })
    },

    profile(app, userId) {
      const row = db
        .sql(`SELECT ${PROFILE_COLUMNS} FROM identities i WHERE i.app = ? AND i.user_id = ?`)
        .get(app, userId) as Row | undefined
      return row && toProfile(row)
    },

    acquaintances(app, viewer, page) {
      return db.transaction('read', () => {
        const rows = db
          .sql(
            `SELECT ${PROFILE_COLUMNS} FROM identities i WHERE i.app = ? AND i.user_id IN (
               SELECT other.user_id FROM participants mine
               JOIN participants other ON other.app = mine.app AND other.conversation = mine.conversation
               WHERE mine.app = ? AND mine.user_id = ? AND other.user_id <> ?)
             ORDER BY i.created_at DESC, i.user_id`,
          )
          .all(app, app, viewer, viewer) as Row[]
        const start = page.from === null ? 0 : rows.findIndex((row) => row.user_id === page.from) + 1
        return { total: rows.length, items: rows.slice(start, start + page.limit).map(toProfile) }
      })
    },

    areAcquainted: (app, a, b) =>
      db
        .sql(
          `SELECT 1 FROM participants one JOIN participants two
             ON two.app = one.app AND two.conversation = one.conversation AND two.user_id = ?
           WHERE one.app = ? AND one.user_id = ? LIMIT 1`,
        )
        .get(b, app, a) !== undefined,

    conversationsOf: (app, userId) =>
      (
        db
          .sql(`SELECT conversation FROM participants WHERE app = ? AND user_id = ? AND state IN ('joined', 'hidden')`)
          .all(app, userId) as { conversation: Uuid }[]
      ).map((row) => row.conversation),
  }
}

/** What somebody can see of a conversation's messages. */
interface Sight {
  readonly hidden: PositionSet
  readonly last: number
}

function sightOf(db: Database, app: AppKey, conversation: Uuid, viewer: UserId): Sight | undefined {
  const row = db
    .sql(
      `SELECT c.head_position, c.deleted_at, ${PARTICIPANT_COLUMNS} FROM participants p
       JOIN conversations c ON c.app = p.app AND c.id = p.conversation
       WHERE p.app = ? AND p.conversation = ? AND p.user_id = ?`,
    )
    .get(app, conversation, viewer) as Row | undefined
  if (!row || row.deleted_at !== null || toParticipant(row).state === 'left') return undefined
  return sightFrom(toParticipant(row), row.head_position!)
}

const sightFrom = (own: ParticipantRecord, headPosition: number): Sight => ({
  hidden: own.hidden,
  last: own.lastPosition ?? headPosition,
})

const isVisible = (message: MessageRecord, sight: Sight): boolean =>
  message.deletedAt === null && message.position <= sight.last && !hasPosition(sight.hidden, message.position)

function* newestFirst(db: Database, app: AppKey, conversation: Uuid, from: number): Generator<MessageRecord> {
  const rows = db.sql(
    `SELECT ${MESSAGE_COLUMNS} FROM messages
       WHERE app = ? AND conversation = ? AND position <= ? ORDER BY position DESC LIMIT 64`,
  )
  let next = from
  for (;;) {
    const page = rows.all(app, conversation, next) as Row[]
    for (const row of page) yield toMessage(row)
    if (page.length < 64) return
    next = (page[page.length - 1]!.position! as number) - 1
  }
}

function messageById(db: Database, app: AppKey, id: Uuid): MessageRecord | undefined {
  const row = db.sql(`SELECT ${MESSAGE_COLUMNS} FROM messages WHERE app = ? AND id = ?`).get(app, id) as Row | undefined
  return row && toMessage(row)
}

/** Positions are dense, so what can be seen is counted by what cannot: hidden ones and tombstones, which are few. */
function visibleCount(db: Database, app: AppKey, conversation: Uuid, sight: Sight): number {
  const tombstones = db
    .sql(
      `SELECT position FROM messages
       WHERE app = ? AND conversation = ? AND sequence <> first_sequence AND deleted_at IS NOT NULL AND position <= ?`,
    )
    .pluck()
    .all(app, conversation, sight.last) as number[]
  const shown = missingPositions(sight.hidden, sight.last)
  return countPositions(shown) - tombstones.filter((position) => hasPosition(shown, position)).length
}

function unreadCount(db: Database, app: AppKey, conversation: Uuid, own: ParticipantRecord, sight: Sight): number {
  const ranges = unreadRanges(own, sight.last)
  let count = 0
  for (let i = 0; i < ranges.length; i += 2) {
    count += db
      .sql(
        `SELECT count(*) FROM messages WHERE app = ? AND conversation = ? AND position BETWEEN ? AND ?
           AND sender <> ? AND deleted_at IS NULL`,
      )
      .pluck()
      .get(app, conversation, ranges[i]!, ranges[i + 1]!, own.userId) as number
  }
  return count
}

function conversationView(db: Database, app: AppKey, id: Uuid, viewer: UserId): ConversationView | undefined {
  const row = conversationRow(db, app, id)
  if (!row || row.deleted_at !== null) return undefined
  const participants = participantRows(db, app, id)
  const own = participants.find(({ record }) => record.userId === viewer)?.record
  if (!own || own.state === 'left') return undefined
  const sight = sightFrom(own, row.head_position!)
  let lastMessage: MessageRecord | null = null
  for (const message of newestFirst(db, app, id, sight.last)) {
    if (isVisible(message, sight)) lastMessage = message
    if (lastMessage) break
  }
  return {
    record: toConversation(row),
    headPosition: row.head_position!,
    lastMessageAt: row.last_message_at!,
    own,
    participants,
    lastMessage,
    unreadCount: unreadCount(db, app, id, own, sight),
    totalCount: visibleCount(db, app, id, sight),
  }
}

/** Messages sent or changed since a time; tombstones too, for whoever saw the message before. */
function changedMessages(
  db: Database,
  app: AppKey,
  conversation: Uuid,
  sight: Sight,
  sinceMs: number,
  limit: number,
): MessageRecord[] {
  const changed = new Map<number, MessageRecord>()
  for (const message of newestFirst(db, app, conversation, sight.last)) {
    if (message.sentAt < sinceMs || changed.size >= limit) break
    changed.set(message.position, message)
  }
  const later = db
    .sql(
      `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE app = ? AND conversation = ? AND sequence <> first_sequence
         AND changed_at >= ? AND position <= ? LIMIT ?`,
    )
    .all(app, conversation, sinceMs, sight.last, limit) as Row[]
  for (const row of later) changed.set(row.position!, toMessage(row))
  return [...changed.values()]
    .filter((message) => !hasPosition(sight.hidden, message.position))
    .sort((a, b) => a.position - b.position)
}
