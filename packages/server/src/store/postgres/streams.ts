import type { UserId, Uuid } from '@parley/protocol'
import { asOfRemoval } from '../../model/removal.ts'
import type { AppKey } from '../../model/state.ts'
import type { ConversationPage, StreamRow, StreamStore } from '../store.ts'
import { SETTLED } from './cursor.ts'
import type { Database } from './database.ts'
import { movedAnywhere } from './moved-anywhere.ts'
import {
  BY_PERSON,
  CONVERSATION_COLUMNS,
  MEMBER_COLUMNS,
  MESSAGE_COLUMNS,
  PARTICIPANT_COLUMNS,
  type Row,
  toConversation,
  toMember,
  toMessage,
  toParticipant,
} from './rows.ts'
import { writtenConversations } from './written-conversations.ts'

/** Reading streams: what moved, and the rows of one of them above a sequence. One statement each, hence one moment. */
export function postgresStreams(db: Database): StreamStore {
  return {
    async moved(app, userId, after) {
      const [row] = await db.ask(MOVED, [app, userId, after])
      return {
        cursor: row!.cursor!,
        inbox: row!.inbox_sequence ?? 0,
        isInboxMoved: (row!.inbox_moved ?? 0) > after,
        conversations: row!.conversations!,
      }
    },

    conversation: (app, id, viewer, after, limit) => pageAbove(db, app, id, viewer, after, limit),

    writtenConversations: (app, viewer, from, limit, room) =>
      writtenConversations(db, { app, viewer, from, limit, room }),

    async inbox(app, userId, after, limit) {
      const [row] = await db.ask(INBOX, [app, userId, after, limit + 1])
      const all = listIn(row!, 'memberships')
      const rows = all.slice(0, limit).map((one) => ({ conversation: one.conversation!, record: toParticipant(one) }))
      const more = all.length > limit
      return { rows, sequence: more ? rows[rows.length - 1]!.record.inboxSequence : (row!.head ?? 0), more }
    },

    async messages(app, id, viewer, before, limit) {
      const [row] = await db.ask(NEWEST, [app, id, viewer, before, limit])
      if (!row) return undefined
      const own = toParticipant(row.own as unknown as Row)
      const messages = listIn(row, 'messages').map(toMessage)
      const page = {
        conversation: toConversation(row),
        participants: listIn(row, 'members').map(toMember),
        messages,
        sequence: row.head_sequence! as number,
        headPosition: row.head_position! as number,
        more: (messages[messages.length - 1]?.position ?? 1) > 1,
      }
      return own.state === 'removed' ? asOfRemoval(page, own) : page
    },

    async audience(app, conversation) {
      const rows = await db.ask(
        `SELECT p.user_id FROM parley.participants p JOIN parley.conversations c ON c.app = p.app AND c.id = p.conversation
         WHERE p.app = $1 AND p.conversation = $2 AND p.state IN ('joined', 'hidden') AND c.deleted_at IS NULL
         ORDER BY p.join_order`,
        [app, conversation],
      )
      return rows.map((row): UserId => row.user_id!)
    },

    movedAnywhere: (after, limit) => movedAnywhere(db, after, limit),

    async conversationForAll(app, id, after, limit) {
      const [page, rows] = await Promise.all([pageAbove(db, app, id, null, after, limit), db.ask(LISTENERS, [app, id])])
      return page && { ...page, audience: rows.map((row): UserId => row.user_id!) }
    },
  }
}

/** Rows of a conversation above a sequence, for one of its participants, or, for null, for whoever reads it. */
async function pageAbove(
  db: Database,
  app: AppKey,
  id: Uuid,
  viewer: UserId | null,
  after: number,
  limit: number,
): Promise<ConversationPage | undefined> {
  const [row] = await db.ask(ABOVE, [app, id, viewer, after, limit + 1])
  if (!row) return undefined
  const message = (one: Row) => ({ type: 'message' as const, record: toMessage(one) })
  const rows: StreamRow[] = [
    ...listIn(row, 'new_messages').map(message),
    ...listIn(row, 'changed_messages').map(message),
    ...listIn(row, 'members').map((one) => ({ type: 'participant' as const, ...toMember(one) })),
  ]
  if (row.sequence! > after) rows.push({ type: 'conversation', record: toConversation(row) })
  rows.sort((a, b) => a.record.sequence - b.record.sequence)
  const page = rows.slice(0, limit)
  const more = rows.length > limit
  return { rows: page, sequence: more ? page[page.length - 1]!.record.sequence : row.head_sequence!, more }
}

const LISTENERS = `SELECT p.user_id FROM parley.participants p
  WHERE p.app = $1 AND p.conversation = $2 AND p.state IN ('joined', 'hidden') ORDER BY p.join_order`

/** A column that is a list of rows; null stands for an empty one. */
const listIn = (row: Row, column: string): Row[] => (row[column] as Row[] | null | undefined) ?? []

const MOVED = `
  SELECT ${SETTLED} AS cursor, i.inbox_sequence, i.inbox_moved, (
    SELECT coalesce(json_agg(q), '[]') FROM (
      SELECT c.id, c.head_sequence AS sequence FROM parley.participants p
      JOIN parley.conversations c ON c.app = p.app AND c.id = p.conversation
      WHERE p.app = $1 AND p.user_id = $2 AND ${BY_PERSON} AND p.state IN ('joined', 'hidden') AND c.moved > $3
      ORDER BY c.last_message_at DESC
    ) q) AS conversations
  FROM (SELECT) one LEFT JOIN parley.identities i ON i.app = $1 AND i.user_id = $2`

/** Of new messages, positions say where to start; only changed ones need an index on sequences. */
const ABOVE = `
  SELECT ${CONVERSATION_COLUMNS}, (
    SELECT json_agg(q) FROM (
      SELECT ${MESSAGE_COLUMNS} FROM parley.messages m
      WHERE m.app = $1 AND m.conversation = $2 AND m.sequence = m.first_sequence
        AND m.position >= parley.first_above($1, $2, $4, c.head_position) AND c.deleted_at IS NULL
      ORDER BY m.position LIMIT $5
    ) q) AS new_messages, (
    SELECT json_agg(q) FROM (
      SELECT ${MESSAGE_COLUMNS} FROM parley.messages m
      WHERE m.app = $1 AND m.conversation = $2 AND m.sequence > $4 AND m.sequence <> m.first_sequence
        AND c.deleted_at IS NULL
      ORDER BY m.sequence LIMIT $5
    ) q) AS changed_messages, (
    SELECT json_agg(q) FROM (
      SELECT ${MEMBER_COLUMNS} FROM parley.participants p
      JOIN parley.identities i ON i.app = p.app AND i.user_id = p.user_id
      WHERE p.app = $1 AND p.conversation = $2 AND p.sequence > $4 ORDER BY p.sequence LIMIT $5
    ) q) AS members
  FROM parley.conversations c
  WHERE c.app = $1 AND c.id = $2 AND ($3::text IS NULL OR EXISTS (
    SELECT FROM parley.participants own WHERE own.app = $1 AND own.conversation = $2 AND own.user_id = $3
      AND own.state IN ('joined', 'hidden')))`

const INBOX = `
  SELECT (SELECT i.inbox_sequence FROM parley.identities i WHERE i.app = $1 AND i.user_id = $2) AS head, (
    SELECT json_agg(q) FROM (
      SELECT p.conversation, ${PARTICIPANT_COLUMNS} FROM parley.participants p
      WHERE p.app = $1 AND p.user_id = $2 AND ${BY_PERSON} AND p.inbox_sequence > $3 ORDER BY p.inbox_sequence LIMIT $4
    ) q) AS memberships`

const NEWEST = `
  SELECT ${CONVERSATION_COLUMNS}, to_json(own) AS own, (
    SELECT json_agg(q) FROM (
      SELECT ${MESSAGE_COLUMNS} FROM parley.messages m
      WHERE m.app = $1 AND m.conversation = $2
        AND m.position < least($4::bigint, coalesce(own.last_position, c.head_position) + 1) AND c.deleted_at IS NULL
      ORDER BY m.position DESC LIMIT $5
    ) q) AS messages, CASE WHEN $4::bigint IS NULL THEN (
    SELECT json_agg(q) FROM (
      SELECT ${MEMBER_COLUMNS} FROM parley.participants p
      JOIN parley.identities i ON i.app = p.app AND i.user_id = p.user_id
      WHERE p.app = $1 AND p.conversation = $2 ORDER BY p.join_order
    ) q) END AS members
  FROM parley.conversations c
  JOIN parley.participants own ON own.app = c.app AND own.conversation = c.id AND own.user_id = $3
  WHERE c.app = $1 AND c.id = $2 AND own.state <> 'left'`
