import type { UserId, Uuid } from '@parley/protocol'
import { messageText } from '../../model/message-text.ts'
import type { AppKey } from '../../model/state.ts'
import type { WrittenFrom, WrittenPage } from '../store.ts'
import { ENOUGH_ROWS, type WrittenRow, writtenPages } from '../written-page.ts'
import type { Database } from './database.ts'
import { CONVERSATION_COLUMNS, MEMBER_COLUMNS, type Row, toConversation, toMember } from './rows.ts'

/** Conversations in one look: each is asked for its place and its members, whether or not its messages still fit in. */
const MAX_CONVERSATIONS = 16
/** Between values of a column; parts are JSON, in which control characters are always escaped. */
const BETWEEN = '\u001e'

/** Pages of several conversations in one statement, hence as of one moment. */
export async function writtenConversations(
  db: Database,
  { app, viewer, from, limit, room }: Question,
): Promise<(WrittenPage | undefined)[]> {
  const asked = from.slice(0, MAX_CONVERSATIONS)
  const rows = await db.ask(WRITTEN, [
    app,
    viewer,
    asked.map(({ id }) => id),
    asked.map(({ after }) => after),
    limit + 1,
  ])
  const found = new Map(rows.map((row): [number, Row] => [row.place!, row]))
  // Whatever lies behind one that was left out is left for the next look.
  const cut = asked.findIndex((_, index) => found.get(index + 1)?.is_left_out)
  let place = 0
  const read = ({ after }: WrittenFrom) => {
    const row = found.get(++place)
    return row && pageFrom(row, after, limit)
  }
  return writtenPages(cut < 0 ? asked : asked.slice(0, cut), read, room)
}

interface Question {
  readonly app: AppKey
  readonly viewer: UserId
  readonly from: readonly WrittenFrom[]
  readonly limit: number
  readonly room: Uint8Array | undefined
}

function pageFrom(row: Row, after: number, limit: number) {
  const rows = [
    ...writtenRows(row, 'new'),
    ...writtenRows(row, 'changed'),
    ...((row.members as unknown as Row[] | null) ?? []).map((one) => ({
      type: 'participant' as const,
      ...toMember(one),
    })),
    ...(row.sequence! > after ? [{ type: 'conversation' as const, record: toConversation(row) }] : []),
  ]
  rows.sort((a, b) => a.record.sequence - b.record.sequence)
  const page = rows.slice(0, limit)
  const more = rows.length > limit
  return { rows: page, sequence: more ? page[page.length - 1]!.record.sequence : (row.head_sequence! as number), more }
}

/** Messages come by columns, each one text of all values: far less to read than rows with the names of their columns. */
function writtenRows(row: Row, which: 'new' | 'changed'): WrittenRow[] {
  const column = (name: string) => (row[`${which}_${name}`] as string | null | undefined)?.split(BETWEEN)
  const ids = column('ids')
  if (!ids) return []
  const [positions, sequences, sentAt, deletedAt, parts] = [
    'positions',
    'sequences',
    'sent_at',
    'deleted_at',
    'parts',
  ].map((name) => column(name)!)
  const senders = row[`${which}_senders`] as unknown as readonly UserId[]
  return ids.map((id, index): WrittenRow => {
    const record = {
      id: id as Uuid,
      position: Number(positions![index]),
      sequence: Number(sequences![index]),
      sender: senders[index]!,
      sentAt: Number(sentAt![index]),
      deletedAt: deletedAt![index] === '' ? null : Number(deletedAt![index]),
    }
    return { type: 'message', record, text: messageText(record, parts![index]!) }
  })
}

const columnsOf = (which: 'new' | 'changed'): string => {
  const joined = (value: string, name: string) => `string_agg(${value}, U&'\\001E') AS ${which}_${name}`
  return [
    joined('m.id::text', 'ids'),
    joined('m.position::text', 'positions'),
    joined('m.sequence::text', 'sequences'),
    `json_agg(m.sender) AS ${which}_senders`,
    joined('m.sent_at::text', 'sent_at'),
    joined(`coalesce(m.deleted_at::text, '')`, 'deleted_at'),
    joined('m.parts::text', 'parts'),
  ].join()
}

/**
 * The first conversations of those asked for, until their new messages are as many as one look should bring. Of new
 * messages, positions say where to start; only changed ones need an index on sequences.
 */
const WRITTEN = `
  SELECT c.*, n.*, g.*, (
    SELECT json_agg(q) FROM (
      SELECT ${MEMBER_COLUMNS} FROM parley.participants p
      JOIN parley.identities i ON i.app = p.app AND i.user_id = p.user_id
      WHERE p.app = $1 AND p.conversation = c.id AND p.sequence > c.after AND NOT c.is_left_out
      ORDER BY p.sequence LIMIT $5
    ) q) AS members
  FROM (
    SELECT w.place::integer AS place, w.after, f.first, ${CONVERSATION_COLUMNS}, coalesce(sum(c.head_position - f.first + 1) OVER (
      ORDER BY w.place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) >= ${ENOUGH_ROWS} AS is_left_out
    FROM unnest($3::uuid[], $4::bigint[]) WITH ORDINALITY AS w (id, after, place)
    JOIN parley.conversations c ON c.app = $1 AND c.id = w.id
    CROSS JOIN LATERAL (
      SELECT CASE WHEN w.after = 0 THEN 1 ELSE parley.first_above($1, c.id, w.after, c.head_position) END AS first
    ) f
    WHERE EXISTS (
      SELECT FROM parley.participants own WHERE own.app = $1 AND own.conversation = w.id AND own.user_id = $2
        AND own.state IN ('joined', 'hidden'))
  ) c
  LEFT JOIN LATERAL (
    SELECT ${columnsOf('new')} FROM (
      SELECT m.* FROM parley.messages m
      WHERE m.app = $1 AND m.conversation = c.id AND m.sequence = m.first_sequence AND m.position >= c.first
        AND NOT c.is_left_out AND c.deleted_at IS NULL
      ORDER BY m.position LIMIT $5
    ) m
  ) n ON true
  LEFT JOIN LATERAL (
    SELECT ${columnsOf('changed')} FROM (
      SELECT m.* FROM parley.messages m
      WHERE m.app = $1 AND m.conversation = c.id AND m.sequence > c.after AND m.sequence <> m.first_sequence
        AND NOT c.is_left_out AND c.deleted_at IS NULL
      ORDER BY m.sequence LIMIT $5
    ) m
  ) g ON true
  ORDER BY c.place`
