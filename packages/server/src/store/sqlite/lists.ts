import type { UserId, Uuid } from '@parley/protocol'
import { countPositions, hasPosition, missingPositions, type PositionSet, unreadRanges } from '@parley/protocol'
import type { AppKey, MessageRecord, ParticipantRecord, Profile } from '../../model/state.ts'
import type { ConversationView, ListStore } from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
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

/** Lists and views for the REST APIs, each from one viewer's perspective. */
export function sqliteLists(db: Database): Synchronous<ListStore> {
  return {
    conversation: (app, id, viewer) => db.transaction('read', () => conversationView(db, app, id, viewer)),

    conversations(app, viewer, page) {
      return db.transaction('read', () => {
        const order = page.sortBy === 'last_message' ? 'last_message_at' : 'created_at'
        const after = page.from === null ? undefined : placeInList(db, app, page.from, viewer, order)
        const ids = (
          db
            .sql(
              `SELECT c.id FROM participants p JOIN conversations c ON c.app = p.app AND c.id = p.conversation
               WHERE p.app = ? AND p.user_id = ? AND p.state IN ('joined', 'removed') AND c.deleted_at IS NULL
                 AND (c.${order}, c.id) < (?, ?)
               ORDER BY c.${order} DESC, c.id DESC LIMIT ?`,
            )
            .all(app, viewer, after?.at ?? Number.MAX_SAFE_INTEGER, after?.id ?? '', page.limit) as { id: Uuid }[]
        ).map((row) => row.id)
        const total = db
          .sql(
            `SELECT count(*) FROM participants p JOIN conversations c ON c.app = p.app AND c.id = p.conversation
             WHERE p.app = ? AND p.user_id = ? AND p.state IN ('joined', 'removed') AND c.deleted_at IS NULL`,
          )
          .pluck()
          .get(app, viewer) as number
        return { total, items: ids.map((id) => conversationView(db, app, id, viewer)!) }
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

    movedSince(app, viewer, sinceMs) {
      const rows = db
        .sql(
          `SELECT p.conversation, c.deleted_at, ${PARTICIPANT_COLUMNS} FROM participants p
           JOIN conversations c ON c.app = p.app AND c.id = p.conversation
           WHERE p.app = ? AND p.user_id = ? AND (c.moved_at >= ? OR p.changed_at >= ?)
           ORDER BY c.moved_at`,
        )
        .all(app, viewer, sinceMs, sinceMs) as Row[]
      return rows.map((row) => ({
        id: row.conversation! as Uuid,
        deletedAt: row.deleted_at! as number | null,
        own: toParticipant(row),
      }))
    },

    messagesSince(app, conversation, viewer, sinceMs, page) {
      return db.transaction('read', () => {
        const sight = sightOf(db, app, conversation, viewer)
        return sight ? messagesSince(db, app, conversation, sight, sinceMs, page) : []
      })
    },

    profile: (app, userId) => profileOf(db, app, userId),

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

export function profileOf(db: Database, app: AppKey, userId: UserId): Profile | undefined {
  const row = db
    .sql(`SELECT ${PROFILE_COLUMNS} FROM identities i WHERE i.app = ? AND i.user_id = ?`)
    .get(app, userId) as Row | undefined
  return row && toProfile(row)
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
    headSequence: row.head_sequence!,
    headPosition: row.head_position!,
    lastMessageAt: row.last_message_at!,
    own,
    participants,
    lastMessage,
    unreadCount: unreadCount(db, app, id, own, sight),
    totalCount: visibleCount(db, app, id, sight),
  }
}

/** Where a conversation stands in somebody's list, whether or not it is still in it. */
function placeInList(
  db: Database,
  app: AppKey,
  id: Uuid,
  viewer: UserId,
  order: 'created_at' | 'last_message_at',
): { readonly at: number; readonly id: Uuid } | undefined {
  const at = db
    .sql(
      `SELECT c.${order} FROM conversations c JOIN participants p ON p.app = c.app AND p.conversation = c.id
       WHERE c.app = ? AND c.id = ? AND p.user_id = ?`,
    )
    .pluck()
    .get(app, id, viewer) as number | undefined
  return at === undefined ? undefined : { at, id }
}

/** Sent since a time, which are the newest, and tombstones made since of older ones. */
function messagesSince(
  db: Database,
  app: AppKey,
  conversation: Uuid,
  sight: Sight,
  sinceMs: number,
  page: { readonly above: number; readonly limit: number },
): MessageRecord[] {
  const first = firstSentSince(db, app, conversation, sinceMs, sight.last)
  const shown: MessageRecord[] = []
  let { above } = page
  for (;;) {
    const rows = [
      ...db
        .sql(
          `SELECT ${MESSAGE_COLUMNS} FROM messages WHERE app = ? AND conversation = ? AND sequence <> first_sequence
             AND changed_at >= ? AND position > ? AND position < ? ORDER BY position LIMIT ?`,
        )
        .all(app, conversation, sinceMs, above, first, page.limit),
      ...db
        .sql(
          `SELECT ${MESSAGE_COLUMNS} FROM messages
           WHERE app = ? AND conversation = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?`,
        )
        .all(app, conversation, Math.max(above, first - 1), sight.last, page.limit),
    ].slice(0, page.limit) as Row[]
    shown.push(...rows.map(toMessage).filter(({ position }) => !hasPosition(sight.hidden, position)))
    if (shown.length >= page.limit || rows.length < page.limit) return shown.slice(0, page.limit)
    above = rows[rows.length - 1]!.position!
  }
}

/** Positions are dense and `sent_at` rises with them, so the place to start is found by halving, without an index. */
function firstSentSince(db: Database, app: AppKey, conversation: Uuid, sinceMs: number, last: number): number {
  const sentAt = db.sql('SELECT sent_at FROM messages WHERE app = ? AND conversation = ? AND position = ?').pluck()
  let low = 1
  let high = last + 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (((sentAt.get(app, conversation, middle) as number | undefined) ?? 0) < sinceMs) low = middle + 1
    else high = middle
  }
  return low
}
