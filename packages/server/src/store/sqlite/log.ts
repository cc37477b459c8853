import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey, MessageRecord, Session } from '../../model/state.ts'
import {
  type LoadedConversation,
  type LogStore,
  MessageExists,
  type Person,
  type Place,
  type RememberedOperation,
  Stale,
} from '../store.ts'
import type { Synchronous } from '../synchronous.ts'
import type { Database } from './database.ts'
import { type PackedRow, type PackedWrites, packWrites } from './packed-writes.ts'
import { sumOf } from './row-sums.ts'
import {
  CONVERSATION_COLUMNS,
  MESSAGE_COLUMNS,
  OPERATION_COLUMNS,
  PARTICIPANT_COLUMNS,
  PROFILE_COLUMNS,
  type Row,
  toConversation,
  toMessage,
  toOperation,
  toParticipant,
  toProfile,
  toSession,
} from './rows.ts'

/** The log, which also takes writes as they come from another thread. */
export type SqliteLog = Synchronous<LogStore> & { commitRows(rows: PackedWrites): CommittedPlace }

/** `ms`: how long the commit kept its thread. */
export type CommittedPlace = Place & { readonly ms: number }

/** The write lane's side of the file. */
export function sqliteLog(db: Database): SqliteLog {
  return {
    lastCursor: () => (db.sql('SELECT cursor FROM log').get() as { cursor: number }).cursor,

    load(wanted) {
      return db.transaction('read', () => {
        const conversations = new Map<string, LoadedConversation>()
        for (const { app, key } of wanted.conversations) loadConversation(db, conversations, app, key)
        for (const { app, key } of wanted.distinctKeys) {
          const row = db.sql('SELECT id FROM conversations WHERE app = ? AND distinct_key = ?').get(app, key) as Row
          if (row) loadConversation(db, conversations, app, row.id!)
        }
        return {
          conversations: [...conversations.values()],
          messages: wanted.messages.flatMap(({ app, key }) => loadMessage(db, app, key)),
          people: wanted.people.flatMap(({ app, key }) => loadPerson(db, app, key)),
          operations: wanted.operations.flatMap(({ app, userId, id }) => loadOperation(db, app, userId, id)),
          nonces: wanted.nonces.filter(
            (hash) => db.sql('SELECT 1 FROM used_nonces WHERE hash = ?').get(hash) !== undefined,
          ),
          sessions: wanted.sessions.flatMap((id): Session[] => {
            const row = db.sql('SELECT * FROM sessions WHERE id = ?').get(id) as Row | undefined
            return row ? [toSession(row)] : []
          }),
        }
      })
    },

    commit: (writes) => commitRows(db, packWrites(writes)),
    commitRows: (rows) => commitRows(db, rows),

    prune({ operationsMs, noncesMs }) {
      db.transaction('write', () => {
        db.sql('DELETE FROM operations WHERE at < ?').run(operationsMs)
        db.sql('DELETE FROM used_nonces WHERE forget_at < ?').run(noncesMs)
      })
    },
  }
}

export function commitRows(db: Database, rows: PackedWrites): CommittedPlace {
  const from = performance.now()
  db.transaction('write', () => {
    putRows(db, 'DELETE FROM messages WHERE app = ? AND conversation = ?', rows.purged)
    putRows(db, PUT_CONVERSATION, rows.conversations, [1, 12])
    putRows(db, PUT_PARTICIPANT, rows.participants, [2, 14])
    try {
      putRows(db, ADD_MESSAGE, rows.newMessages, [1, 11])
    } catch (error) {
      // The one constraint besides the primary key, whose breach would be a bug.
      if ((error as { code?: string }).code !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      throw new MessageExists('A message exists.', { cause: error })
    }
    putRows(db, PUT_MESSAGE, rows.changedMessages, [1, 11])
    putRows(db, PUT_PERSON, rows.people, [1, 12])
    for (const { session, tokenHash } of rows.sessions) {
      const { id, app, userId, createdAt, expiresAt, endedAt } = session
      if (tokenHash !== null) {
        const sum = sumOf([id, tokenHash, app, userId, createdAt])
        db.sql('INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
          ...[id, tokenHash, app, userId, createdAt, expiresAt, endedAt, sum],
        )
      } else db.sql(PUT_SESSION).run(expiresAt, endedAt, id)
    }
    putRows(db, 'INSERT INTO used_nonces VALUES (?, ?)', rows.nonces)
    putRows(db, 'INSERT INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?)', rows.operations, [1, 7])
    const { changes } = db.sql('UPDATE log SET cursor = ? WHERE cursor = ?').run(rows.cursor, rows.cursor - 1)
    if (changes !== 1) throw new Stale()
  })
  return { cursor: rows.cursor, settled: rows.cursor - 1, ms: performance.now() - from }
}

/**
 * Runs a statement for each row.
 * @param summed from and to which value the row's sum is made of, which is bound last
 */
function putRows(db: Database, sql: string, rows: readonly PackedRow[], summed?: readonly [number, number]): void {
  if (rows.length === 0) return
  const statement = db.sql(sql)
  // Value by value: to look them up in a list costs the database more than to be given them.
  for (const row of rows) {
    if (summed) statement.run(...row, sumOf(row.slice(...summed)))
    else statement.run(...row)
  }
}

const PUT_CONVERSATION = `
  INSERT INTO conversations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (app, id) DO UPDATE SET
    created_at = excluded.created_at, created_by = excluded.created_by, distinct_key = excluded.distinct_key, metadata = excluded.metadata, deleted_at = excluded.deleted_at,
    sequence = excluded.sequence, changed_at = excluded.changed_at, head_sequence = excluded.head_sequence,
    head_position = excluded.head_position, last_message_at = excluded.last_message_at,
    moved = excluded.moved, moved_at = excluded.moved_at, sum = excluded.sum`

const PUT_PARTICIPANT = `
  INSERT INTO participants VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (app, conversation, user_id) DO UPDATE SET
    state = excluded.state, join_order = excluded.join_order, joined_at = excluded.joined_at,
    absent = excluded.absent, delivered = excluded.delivered, read = excluded.read, hidden = excluded.hidden,
    last_position = excluded.last_position, sequence = excluded.sequence,
    inbox_sequence = excluded.inbox_sequence, changed_at = excluded.changed_at, sum = excluded.sum`

const ADD_MESSAGE = 'INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'

const PUT_MESSAGE = `
  ${ADD_MESSAGE}
  ON CONFLICT (app, conversation, position) DO UPDATE SET
    id = excluded.id, sender = excluded.sender, sent_at = excluded.sent_at, first_sequence = excluded.first_sequence,
    parts = excluded.parts, deleted_at = excluded.deleted_at, sequence = excluded.sequence,
    changed_at = excluded.changed_at, sum = excluded.sum`

// Another process may have ended it in the meantime: an end is never taken back.
const PUT_SESSION = 'UPDATE sessions SET expires_at = ?, ended_at = coalesce(ended_at, ?) WHERE id = ?'

const PUT_PERSON = `
  INSERT INTO identities VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (app, user_id) DO UPDATE SET
    display_name = excluded.display_name, avatar_url = excluded.avatar_url, first_name = excluded.first_name,
    last_name = excluded.last_name, email_address = excluded.email_address, phone_number = excluded.phone_number,
    public_key = excluded.public_key, metadata = excluded.metadata, suspended_at = excluded.suspended_at,
    inbox_sequence = excluded.inbox_sequence, inbox_moved = max(inbox_moved, excluded.inbox_moved),
    sum = excluded.sum`

function loadConversation(db: Database, into: Map<string, LoadedConversation>, app: AppKey, id: Uuid): void {
  if (into.has(`${app} ${id}`)) return
  const row = db.sql(`SELECT ${CONVERSATION_COLUMNS} FROM conversations WHERE app = ? AND id = ?`).get(app, id) as Row
  if (!row) return
  const participants = db
    .sql(`SELECT ${PARTICIPANT_COLUMNS} FROM participants p WHERE p.app = ? AND p.conversation = ?`)
    .all(app, id) as Row[]
  into.set(`${app} ${id}`, {
    app,
    record: toConversation(row),
    headSequence: row.head_sequence!,
    headPosition: row.head_position!,
    lastMessageAt: row.last_message_at!,
    participants: participants.map(toParticipant),
  })
}

function loadMessage(db: Database, app: AppKey, id: Uuid): (MessageRecord & { app: AppKey })[] {
  const row = db.sql(`SELECT ${MESSAGE_COLUMNS} FROM messages WHERE app = ? AND id = ?`).get(app, id) as Row
  return row ? [{ ...toMessage(row), app }] : []
}

function loadPerson(db: Database, app: AppKey, userId: UserId): Person[] {
  const row = db
    .sql(`SELECT ${PROFILE_COLUMNS}, i.inbox_sequence FROM identities i WHERE i.app = ? AND i.user_id = ?`)
    .get(app, userId) as Row
  return row ? [{ app, profile: toProfile(row), inboxSequence: row.inbox_sequence! }] : []
}

function loadOperation(db: Database, app: AppKey, userId: UserId, id: Uuid): RememberedOperation[] {
  const row = db
    .sql(`SELECT ${OPERATION_COLUMNS} FROM operations WHERE app = ? AND user_id = ? AND id = ?`)
    .get(app, userId, id) as Row
  return row ? [toOperation(row)] : []
}
