import { countPositions, hasPosition, type PositionSet, type UserId, type Uuid, unreadRanges } from '@parley/protocol'
import type { AppKey, MessageRecord, ParticipantRecord } from '../../model/state.ts'
import type { ConversationView, ListStore } from '../store.ts'
import type { Ask, Database } from './database.ts'
import {
  BY_PERSON,
  CONVERSATION_COLUMNS,
  MEMBER_COLUMNS,
  MESSAGE_COLUMNS,
  PARTICIPANT_COLUMNS,
  PROFILE_COLUMNS,
  type Row,
  toConversation,
  toMember,
  toMessage,
  toParticipant,
  toProfile,
} from './rows.ts'

/** Lists and views for the REST APIs, each from one viewer's perspective. */
export function postgresLists(db: Database): ListStore {
  return {
    conversation: (app, id, viewer) => db.snapshot(async (ask) => (await viewsOf(ask, app, [id], viewer))[0]),

    conversations(app, viewer, page) {
      return db.snapshot(async (ask) => {
        const order = page.sortBy === 'last_message' ? 'last_message_at' : 'created_at'
        const after = page.from === null ? undefined : await placeInList(ask, app, page.from, viewer, order)
        const listed = `
          FROM parley.participants p JOIN parley.conversations c ON c.app = p.app AND c.id = p.conversation
          WHERE p.app = $1 AND p.user_id = $2 AND ${BY_PERSON} AND p.state IN ('joined', 'removed') AND c.deleted_at IS NULL`
        const ids = await ask(
          `SELECT c.id ${listed} AND ($3::bigint IS NULL OR (c.${order}, c.id) < ($3, $4::uuid))
           ORDER BY c.${order} DESC, c.id DESC LIMIT $5`,
          [app, viewer, after?.at, after?.id, page.limit],
        )
        const [count] = await ask(`SELECT count(*) AS total ${listed}`, [app, viewer])
        const items = await viewsOf(
          ask,
          app,
          ids.map((row): Uuid => row.id!),
          viewer,
        )
        return { total: count!.total!, items }
      })
    },

    messages(app, conversation, viewer, page) {
      return db.snapshot(async (ask) => {
        const sight = await sightOf(ask, app, conversation, viewer)
        if (!sight) return undefined
        const from = page.from === null ? undefined : await messageById(ask, app, page.from)
        const before = from?.conversation === conversation ? from.position : Number.MAX_SAFE_INTEGER
        const shown = await shownPositions(ask, app, conversation, sight)
        const positions = newest(shown, before, page.limit)
        return { total: countPositions(shown), items: await messagesAt(ask, app, conversation, positions) }
      })
    },

    message: (app, id) => messageById(db.ask, app, id),

    async movedSince(app, viewer, sinceMs) {
      const rows = await db.ask(
        `SELECT p.conversation, c.deleted_at, ${PARTICIPANT_COLUMNS} FROM parley.participants p
         JOIN parley.conversations c ON c.app = p.app AND c.id = p.conversation
         WHERE p.app = $1 AND p.user_id = $2 AND ${BY_PERSON} AND (c.moved_at >= $3 OR p.changed_at >= $3)
         ORDER BY c.moved_at`,
        [app, viewer, sinceMs],
      )
      return rows.map((row) => ({ id: row.conversation!, deletedAt: row.deleted_at!, own: toParticipant(row) }))
    },

    messagesSince(app, conversation, viewer, sinceMs, page) {
      return db.snapshot(async (ask) => {
        const sight = await sightOf(ask, app, conversation, viewer)
        return sight ? messagesSince(ask, app, conversation, sight, sinceMs, page) : []
      })
    },

    async profile(app, userId) {
      const [row] = await db.ask(
        `SELECT ${PROFILE_COLUMNS} FROM parley.identities i WHERE i.app = $1 AND i.user_id = $2`,
        [app, userId],
      )
      return row && toProfile(row)
    },

    async acquaintances(app, viewer, page) {
      const rows = await db.ask(
        `WITH others AS MATERIALIZED (
           SELECT DISTINCT other.user_id FROM parley.participants p
           JOIN parley.participants other ON other.app = p.app AND other.conversation = p.conversation
           WHERE p.app = $1 AND p.user_id = $2 AND ${BY_PERSON} AND other.user_id <> $2)
         SELECT ${PROFILE_COLUMNS} FROM others JOIN parley.identities i ON i.app = $1 AND i.user_id = others.user_id
         ORDER BY i.created_at DESC, i.user_id`,
        [app, viewer],
      )
      const start = page.from === null ? 0 : rows.findIndex((row) => row.user_id === page.from) + 1
      return { total: rows.length, items: rows.slice(start, start + page.limit).map(toProfile) }
    },

    async areAcquainted(app, a, b) {
      const rows = await db.ask(
        `SELECT 1 FROM parley.participants p
         JOIN parley.participants other ON other.app = p.app AND other.conversation = p.conversation AND other.user_id = $3
         WHERE p.app = $1 AND p.user_id = $2 AND ${BY_PERSON} LIMIT 1`,
        [app, a, b],
      )
      return rows.length > 0
    },

    async conversationsOf(app, userId) {
      const rows = await db.ask(
        `SELECT p.conversation FROM parley.participants p
         WHERE p.app = $1 AND p.user_id = $2 AND ${BY_PERSON} AND p.state IN ('joined', 'hidden')`,
        [app, userId],
      )
      return rows.map((row): Uuid => row.conversation!)
    },
  }
}

/** What somebody can see of a conversation's messages. */
interface Sight {
  readonly hidden: PositionSet
  readonly last: number
}

const sightFrom = (own: ParticipantRecord, headPosition: number): Sight => ({
  hidden: own.hidden,
  last: own.lastPosition ?? headPosition,
})

async function sightOf(ask: Ask, app: AppKey, conversation: Uuid, viewer: UserId): Promise<Sight | undefined> {
  const [row] = await ask(
    `SELECT c.head_position, ${PARTICIPANT_COLUMNS} FROM parley.participants p
     JOIN parley.conversations c ON c.app = p.app AND c.id = p.conversation
     WHERE p.app = $1 AND p.conversation = $2 AND p.user_id = $3 AND c.deleted_at IS NULL AND p.state <> 'left'`,
    [app, conversation, viewer],
  )
  return row && sightFrom(toParticipant(row), row.head_position!)
}

async function messageById(ask: Ask, app: AppKey, id: Uuid): Promise<MessageRecord | undefined> {
  const [row] = await ask(
    `SELECT ${MESSAGE_COLUMNS} FROM parley.message_ids i
     JOIN parley.messages m ON m.app = i.app AND m.conversation = i.conversation AND m.position = i.position
     JOIN parley.conversations c ON c.app = m.app AND c.id = m.conversation
     WHERE i.app = $1 AND i.id = $2 AND c.deleted_at IS NULL`,
    [app, id],
  )
  return row && toMessage(row)
}

/**
 * Positions are dense, so what can be seen is what remains when hidden ones and tombstones, which are few, are taken
 * away. No message is read for it.
 */
function shownFrom({ hidden, last }: Sight, tombstones: readonly number[]): PositionSet {
  const gaps = tombstones.map((position): [number, number] => [position, position])
  for (let i = 0; i < hidden.length; i += 2) gaps.push([hidden[i]!, hidden[i + 1]!])
  gaps.sort((a, b) => a[0] - b[0])
  const shown: number[] = []
  let next = 1
  for (const [from, to] of gaps) {
    if (from > last) break
    if (from > next) shown.push(next, from - 1)
    next = Math.max(next, to + 1)
  }
  if (next <= last) shown.push(next, last)
  return shown
}

async function shownPositions(ask: Ask, app: AppKey, conversation: Uuid, sight: Sight): Promise<PositionSet> {
  const tombstones = await tombstonesOf(ask, app, [conversation])
  return shownFrom(sight, tombstones.get(conversation) ?? [])
}

/**
 * The messages of a conversation that were ever changed. In order of sequence, and fenced off from what is around it:
 * only so the planner sees that the small index of these is the one to read.
 */
const changedMessages = (conversation: string): string =>
  `SELECT ${MESSAGE_COLUMNS} FROM parley.messages m WHERE m.app = $1 AND m.conversation = ${conversation}
     AND m.sequence > 0 AND m.sequence <> m.first_sequence ORDER BY m.sequence OFFSET 0`

async function tombstonesOf(ask: Ask, app: AppKey, conversations: readonly Uuid[]): Promise<Map<Uuid, number[]>> {
  const rows = await ask(
    `SELECT w.id AS conversation, m.position FROM unnest($2::uuid[]) AS w (id)
     CROSS JOIN LATERAL (${changedMessages('w.id')}) m WHERE m.deleted_at IS NOT NULL`,
    [app, conversations],
  )
  const found = new Map<Uuid, number[]>()
  for (const row of rows) found.set(row.conversation!, [...(found.get(row.conversation!) ?? []), row.position!])
  return found
}

/** The highest positions of a set below one, highest first. */
function newest(set: PositionSet, below: number, limit: number): number[] {
  const positions: number[] = []
  for (let i = set.length - 2; i >= 0 && positions.length < limit; i -= 2) {
    for (let at = Math.min(set[i + 1]!, below - 1); at >= set[i]! && positions.length < limit; at--) positions.push(at)
  }
  return positions
}

async function messagesAt(
  ask: Ask,
  app: AppKey,
  conversation: Uuid,
  positions: readonly number[],
): Promise<MessageRecord[]> {
  if (positions.length === 0) return []
  const rows = await ask(
    // Each place by itself: the planner would rather read a conversation from end to end than sort.
    `SELECT m.* FROM unnest($3::bigint[]) AS w (position) CROSS JOIN LATERAL (
       SELECT ${MESSAGE_COLUMNS} FROM parley.messages m
       WHERE m.app = $1 AND m.conversation = $2 AND m.position = w.position OFFSET 0
     ) m ORDER BY m.position DESC`,
    [app, conversation, positions],
  )
  return rows.map(toMessage)
}

/** Views of conversations in the order of their ids, without those the viewer may not see: five statements for all. */
async function viewsOf(ask: Ask, app: AppKey, ids: readonly Uuid[], viewer: UserId): Promise<ConversationView[]> {
  if (ids.length === 0) return []
  const rows = await ask(
    `SELECT ${CONVERSATION_COLUMNS}, (
       SELECT json_agg(q) FROM (
         SELECT ${MEMBER_COLUMNS} FROM parley.participants p
         JOIN parley.identities i ON i.app = p.app AND i.user_id = p.user_id
         WHERE p.app = $1 AND p.conversation = c.id ORDER BY p.join_order
       ) q) AS members
     FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place) JOIN parley.conversations c ON c.app = $1 AND c.id = w.id
     WHERE c.deleted_at IS NULL ORDER BY w.place`,
    [app, ids],
  )
  const seen = rows.flatMap((row) => {
    const participants = ((row.members as unknown as Row[] | null) ?? []).map(toMember)
    const own = participants.find(({ record }) => record.userId === viewer)?.record
    return own && own.state !== 'left' ? [{ row, participants, own, sight: sightFrom(own, row.head_position!) }] : []
  })
  const tombstones = await tombstonesOf(
    ask,
    app,
    seen.map(({ row }) => row.id!),
  )
  const shown = seen.map(({ row, sight }) => shownFrom(sight, tombstones.get(row.id!) ?? []))
  const last = await lastMessages(
    ask,
    app,
    seen.flatMap(({ row }, index) => newest(shown[index]!, Number.MAX_SAFE_INTEGER, 1).map((at) => [row.id!, at])),
  )
  const unread = await unreadCounts(
    ask,
    app,
    viewer,
    seen.map(({ row, own, sight }) => ({ id: row.id!, ranges: unreadRanges(own, sight.last) })),
  )
  return seen.map(({ row, participants, own }, index) => ({
    record: toConversation(row),
    headSequence: row.head_sequence!,
    headPosition: row.head_position!,
    lastMessageAt: row.last_message_at!,
    own,
    participants,
    lastMessage: last.get(row.id!) ?? null,
    unreadCount: unread.get(row.id!) ?? 0,
    totalCount: countPositions(shown[index]!),
  }))
}

async function lastMessages(
  ask: Ask,
  app: AppKey,
  places: readonly (readonly [Uuid, number])[],
): Promise<Map<Uuid, MessageRecord>> {
  const rows = await ask(
    `SELECT ${MESSAGE_COLUMNS} FROM unnest($2::uuid[], $3::bigint[]) AS w (id, position)
     JOIN parley.messages m ON m.app = $1 AND m.conversation = w.id AND m.position = w.position`,
    [app, places.map(([id]) => id), places.map(([, position]) => position)],
  )
  return new Map(rows.map((row) => [row.conversation!, toMessage(row)]))
}

async function unreadCounts(
  ask: Ask,
  app: AppKey,
  viewer: UserId,
  of: readonly { readonly id: Uuid; readonly ranges: readonly number[] }[],
): Promise<Map<Uuid, number>> {
  const ranges = of.flatMap(({ id, ranges: all }) =>
    Array.from({ length: all.length / 2 }, (_, i) => ({ id, first: all[2 * i]!, last: all[2 * i + 1]! })),
  )
  const rows = await ask(
    `SELECT w.id, count(*) AS unread FROM unnest($3::uuid[], $4::bigint[], $5::bigint[]) AS w (id, first, last)
     JOIN parley.messages m ON m.app = $1 AND m.conversation = w.id AND m.position BETWEEN w.first AND w.last
     WHERE m.sender <> $2 AND m.deleted_at IS NULL GROUP BY w.id`,
    [app, viewer, ranges.map(({ id }) => id), ranges.map(({ first }) => first), ranges.map(({ last }) => last)],
  )
  return new Map(rows.map((row) => [row.id!, row.unread!]))
}

/** Where a conversation stands in somebody's list, whether or not it is still in it. */
async function placeInList(
  ask: Ask,
  app: AppKey,
  id: Uuid,
  viewer: UserId,
  order: 'created_at' | 'last_message_at',
): Promise<{ readonly at: number; readonly id: Uuid } | undefined> {
  const [row] = await ask(
    `SELECT c.${order} AS at FROM parley.conversations c
     JOIN parley.participants p ON p.app = c.app AND p.conversation = c.id
     WHERE c.app = $1 AND c.id = $2 AND p.user_id = $3`,
    [app, id, viewer],
  )
  return row && { at: row.at!, id }
}

/** Sent since a time, which are the newest, and tombstones made since of older ones. */
async function messagesSince(
  ask: Ask,
  app: AppKey,
  conversation: Uuid,
  sight: Sight,
  sinceMs: number,
  page: { readonly above: number; readonly limit: number },
): Promise<MessageRecord[]> {
  const [start] = await ask('SELECT parley.first_sent_since($1, $2, $3, $4) AS first', [
    app,
    conversation,
    sinceMs,
    sight.last,
  ])
  const first = start!.first! as number
  const shown: MessageRecord[] = []
  let { above } = page
  for (;;) {
    const rows = await ask(
      `(SELECT m.* FROM (${changedMessages('$2')}) m
        WHERE m.changed_at >= $3 AND m.position > $4 AND m.position < $5 ORDER BY m.position LIMIT $7)
       UNION ALL
       (SELECT ${MESSAGE_COLUMNS} FROM parley.messages m
        WHERE m.app = $1 AND m.conversation = $2 AND m.position > greatest($4, $5 - 1) AND m.position <= $6
        ORDER BY m.position LIMIT $7)`,
      [app, conversation, sinceMs, above, first, sight.last, page.limit],
    )
    const next = rows.slice(0, page.limit).map(toMessage)
    shown.push(...next.filter(({ position }) => !hasPosition(sight.hidden, position)))
    if (shown.length >= page.limit || next.length < page.limit) return shown.slice(0, page.limit)
    above = next[next.length - 1]!.position
  }
}
