import type { UserId, Uuid } from '@parley/protocol'
import type { Statement } from '@parley/sqlite'
import type { MovedHead } from '../../model/moved.ts'
import { asOfRemoval } from '../../model/removal.ts'
import { type AppKey, isActive, type ParticipantRecord } from '../../model/state.ts'
import { movedPage } from '../moved-page.ts'
import type { StreamRow, StreamStore, WrittenFrom } from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
import { writtenPages } from '../written-page.ts'
import type { Database } from './database.ts'
import {
  CONVERSATION_COLUMNS,
  MESSAGE_COLUMNS,
  PARTICIPANT_COLUMNS,
  type Row,
  toConversation,
  toMessage,
  toParticipant,
  toProfile,
  toWrittenRow,
  WRITTEN_COLUMNS,
} from './rows.ts'

/** Reading streams: what moved, and the rows of one of them above a sequence. */
export function sqliteStreams(db: Database): Synchronous<StreamStore> {
  return {
    moved(app, userId, after) {
      return db.transaction('read', () => {
        const { cursor } = db.sql('SELECT cursor FROM log').get() as { cursor: number }
        const person = db
          .sql('SELECT inbox_sequence, inbox_moved FROM identities WHERE app = ? AND user_id = ?')
          .get(app, userId) as Row | undefined
        const conversations = db
          .sql(
            `SELECT c.id, c.head_sequence AS sequence FROM participants p
             JOIN conversations c ON c.app = p.app AND c.id = p.conversation
             WHERE p.app = ? AND p.user_id = ? AND p.state IN ('joined', 'hidden') AND c.moved > ?
             ORDER BY c.last_message_at DESC`,
          )
          .all(app, userId, after) as { id: Uuid; sequence: number }[]
        return {
          cursor,
          inbox: person?.inbox_sequence ?? 0,
          isInboxMoved: (person?.inbox_moved ?? 0) > after,
          conversations,
        }
      })
    },

    conversation: (app, id, viewer, after, limit) =>
      db.transaction('read', () =>
        pageOf(db, { app, id, viewer, after, limit }, { columns: MESSAGE_COLUMNS, read: readMessages }),
      ),

    writtenConversations(app, viewer, from, limit, room) {
      const read = ({ id, after }: WrittenFrom) => {
        const written = (statement: Statement, values: readonly unknown[]) =>
          (statement.pluck().all(...values) as string[]).map(toWrittenRow)
        return pageOf(db, { app, id, viewer, after, limit }, { columns: WRITTEN_COLUMNS, read: written })
      }
      return db.transaction('read', () => writtenPages(from, read, room))
    },

    inbox(app, userId, after, limit) {
      return db.transaction('read', () => {
        const person = db.sql('SELECT inbox_sequence FROM identities WHERE app = ? AND user_id = ?').get(app, userId) as
          | Row
          | undefined
        const rows = db
          .sql(
            `SELECT p.conversation, ${PARTICIPANT_COLUMNS} FROM participants p
             WHERE p.app = ? AND p.user_id = ? AND p.inbox_sequence > ? ORDER BY p.inbox_sequence LIMIT ?`,
          )
          .all(app, userId, after, limit + 1) as Row[]
        const page = rows
          .slice(0, limit)
          .map((row) => ({ conversation: row.conversation! as Uuid, record: toParticipant(row) }))
        const more = rows.length > limit
        return {
          rows: page,
          sequence: more ? page[page.length - 1]!.record.inboxSequence : (person?.inbox_sequence ?? 0),
          more,
        }
      })
    },

    messages(app, id, viewer, before, limit) {
      return db.transaction('read', () => {
        const own = participantRow(db, app, id, viewer)
        const row = own && own.state !== 'left' ? conversationRow(db, app, id) : undefined
        if (!own || !row) return undefined
        const below = Math.min(before ?? Number.MAX_SAFE_INTEGER, (own.lastPosition ?? row.head_position!) + 1)
        const messages = (
          db
            .sql(
              `SELECT ${MESSAGE_COLUMNS} FROM messages
               WHERE app = ? AND conversation = ? AND position < ? ORDER BY position DESC LIMIT ?`,
            )
            .all(app, id, below, limit) as Row[]
        ).map(toMessage)
        const oldest = messages[messages.length - 1]?.position ?? 1
        const page = {
          conversation: toConversation(row),
          participants: before === null ? participantRows(db, app, id) : [],
          messages,
          sequence: row.head_sequence! as number,
          headPosition: row.head_position! as number,
          more: oldest > 1,
        }
        return own.state === 'removed' ? asOfRemoval(page, own) : page
      })
    },

    audience: (app, conversation) =>
      db
        .sql(
          `SELECT p.user_id FROM participants p JOIN conversations c ON c.app = p.app AND c.id = p.conversation
           WHERE p.app = ? AND p.conversation = ? AND p.state IN ('joined', 'hidden') AND c.deleted_at IS NULL
           ORDER BY p.join_order`,
        )
        .pluck()
        .all(app, conversation) as UserId[],

    movedAnywhere: (after, limit) =>
      db.transaction('read', () => {
        const { cursor } = db.sql('SELECT cursor FROM log').get() as { cursor: number }
        const conversations = db
          .sql('SELECT app, id, head_sequence, moved FROM conversations WHERE moved > ?')
          .all(after) as Row[]
        const inboxes = db
          .sql('SELECT app, user_id, inbox_sequence, inbox_moved FROM identities WHERE inbox_moved > ?')
          .all(after) as Row[]
        const moved = [
          ...conversations.map((row) => ({ moved: row.moved!, head: conversationHead(db, row) })),
          ...inboxes.map((row) => ({ moved: row.inbox_moved!, head: inboxHead(row) })),
        ]
        return { ...movedPage(moved, after, limit), settled: cursor }
      }),

    conversationForAll: (app, id, after, limit) =>
      db.transaction('read', () => {
        const of = { app, id, viewer: null, after, limit }
        const page = pageOf(db, of, { columns: MESSAGE_COLUMNS, read: readMessages })
        return page && { ...page, audience: listenersOf(db, app, id) }
      }),
  }
}

const conversationHead = (db: Database, { app, id, head_sequence: sequence }: Row): MovedHead => ({
  ...{ app: app!, stream: 'conversation', id: id!, sequence: sequence! },
  audience: listenersOf(db, app!, id!),
})

const inboxHead = ({ app, user_id: userId, inbox_sequence: sequence }: Row): MovedHead => ({
  ...{ app: app!, stream: 'inbox', userId: userId!, sequence: sequence! },
})

/** Who hears of a conversation, of its end as well. */
const listenersOf = (db: Database, app: AppKey, id: Uuid): UserId[] =>
  db
    .sql(
      `SELECT user_id FROM participants
       WHERE app = ? AND conversation = ? AND state IN ('joined', 'hidden') ORDER BY join_order`,
    )
    .pluck()
    .all(app, id) as UserId[]

const readMessages = (statement: Statement, values: readonly unknown[]) =>
  (statement.all(...values) as Row[]).map((row) => ({ type: 'message' as const, record: toMessage(row) }))

/** How messages are read: which columns, and what becomes of their rows. */
interface MessageReading<Message> {
  readonly columns: string
  readonly read: (statement: Statement, values: readonly unknown[]) => Message[]
}

type OtherRow = Exclude<StreamRow, { readonly type: 'message' }>
type MessageLike = { readonly type: 'message'; readonly record: { readonly sequence: number } }

/** Rows of a conversation's stream above a sequence; of one moment if it is asked for within a transaction. */
function pageOf<Message extends MessageLike>(
  db: Database,
  of: {
    readonly app: AppKey
    readonly id: Uuid
    /** Null: whoever reads it. */
    readonly viewer: UserId | null
    readonly after: number
    readonly limit: number
  },
  reading: MessageReading<Message>,
): { readonly rows: (OtherRow | Message)[]; readonly sequence: number; readonly more: boolean } | undefined {
  const { app, id, viewer, after, limit } = of
  const own = viewer === null ? undefined : participantRow(db, app, id, viewer)
  const isOpen = viewer === null || (own !== undefined && isActive(own))
  const row = isOpen ? conversationRow(db, app, id) : undefined
  if (!row) return undefined
  const head: number = row.head_sequence!
  const rows: (OtherRow | Message)[] = []
  if (row.sequence! > after) rows.push({ type: 'conversation', record: toConversation(row) })
  for (const participant of participantRows(db, app, id, after)) rows.push({ type: 'participant', ...participant })
  for (const message of newMessages(db, reading, [app, id, after, limit + 1], row.head_position!)) rows.push(message)
  for (const message of changedMessages(db, reading, [app, id, after, limit + 1])) rows.push(message)
  rows.sort((a, b) => a.record.sequence - b.record.sequence)
  const more = rows.length > limit
  const page = more ? rows.slice(0, limit) : rows
  return { rows: page, sequence: more ? page[page.length - 1]!.record.sequence : head, more }
}

function participantRow(db: Database, app: AppKey, id: Uuid, userId: UserId): ParticipantRecord | undefined {
  const row = db
    .sql(`SELECT ${PARTICIPANT_COLUMNS} FROM participants p WHERE p.app = ? AND p.conversation = ? AND p.user_id = ?`)
    .get(app, id, userId) as Row | undefined
  return row && toParticipant(row)
}

export function conversationRow(db: Database, app: AppKey, id: Uuid): Row | undefined {
  return db.sql(`SELECT ${CONVERSATION_COLUMNS} FROM conversations WHERE app = ? AND id = ?`).get(app, id) as
    | Row
    | undefined
}

/** @param after only those that changed after this sequence */
export function participantRows(db: Database, app: AppKey, id: Uuid, after = -1) {
  const rows = db
    .sql(
      `SELECT ${PARTICIPANT_COLUMNS}, i.display_name, i.avatar_url, i.first_name, i.last_name, i.email_address,
         i.phone_number, i.public_key, i.metadata, i.created_at, i.suspended_at, i.sum AS identity_sum
       FROM participants p JOIN identities i ON i.app = p.app AND i.user_id = p.user_id
       WHERE p.app = ? AND p.conversation = ? AND p.sequence > ? ORDER BY p.join_order`,
    )
    .all(app, id, after) as Row[]
  return rows.map((row) => ({ record: toParticipant(row) as ParticipantRecord, profile: toProfile(row) }))
}

/**
 * Messages never changed since they were sent, above a sequence. Positions are dense and `first_sequence` rises with
 * them, so the place to start is found by halving, without an index on sequences.
 */
function newMessages<Message>(
  db: Database,
  { columns, read }: MessageReading<Message>,
  [app, id, after, limit]: Above,
  headPosition: number,
): Message[] {
  const firstSequence = db.sql(
    'SELECT first_sequence FROM messages WHERE app = ? AND conversation = ? AND position = ?',
  )
  let low = 1
  // From the beginning there is nothing to seek.
  let high = after === 0 ? low : headPosition + 1
  while (low < high) {
    const middle = (low + high) >> 1
    const row = firstSequence.get(app, id, middle) as { first_sequence: number } | undefined
    if (!row || row.first_sequence <= after) low = middle + 1
    else high = middle
  }
  const rows = db.sql(
    `SELECT ${columns} FROM messages
     WHERE app = ? AND conversation = ? AND position >= ? AND sequence = first_sequence ORDER BY position LIMIT ?`,
  )
  return read(rows, [app, id, low, limit])
}

/** Of which conversation, above which sequence, how many at most. */
type Above = readonly [app: AppKey, id: Uuid, after: number, limit: number]

function changedMessages<Message>(db: Database, { columns, read }: MessageReading<Message>, above: Above): Message[] {
  const rows = db.sql(
    `SELECT ${columns} FROM messages
     WHERE app = ? AND conversation = ? AND sequence > ? AND sequence <> first_sequence ORDER BY sequence LIMIT ?`,
  )
  return read(rows, above)
}
