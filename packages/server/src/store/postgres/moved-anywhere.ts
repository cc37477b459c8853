import type { UserId, Uuid } from '@parley/protocol'
import type { MovedHead, MovedPage } from '../../model/moved.ts'
import type { AppKey } from '../../model/state.ts'
import type { Cursor } from '../store.ts'
import { SETTLED } from './cursor.ts'
import type { Database } from './database.ts'
import type { Row } from './rows.ts'

interface Names {
  readonly conversations: { readonly app: AppKey; readonly id: Uuid }[]
  readonly inboxes: { readonly app: AppKey; readonly userId: UserId }[]
}

/**
 * Which streams moved after a cursor: from the commits' own list, or, if that does not reach back so far, from all heads.
 * How far they are is read afterwards. It may be further by then, which does no harm.
 */
export async function movedAnywhere(db: Database, after: Cursor, limit: number): Promise<MovedPage> {
  const [row] = await db.ask(COMMITS, [after, limit])
  const isComplete = after >= Number(row!.moves_after)
  const page = isComplete ? pageOf(row!) : await allNames(db, after, limit)
  return { heads: await headsOf(db, page.names), next: page.next, settled: row!.cursor! }
}

interface Page {
  readonly names: Names
  readonly next: Cursor | null
}

const pageOf = ({ conversations, inboxes, next }: Row): Page => ({
  names: { conversations: conversations ?? [], inboxes: inboxes ?? [] },
  next: next ?? null,
})

/** What one commit moved is not torn apart, though the page grows longer by it. */
async function allNames(db: Database, after: Cursor, limit: number): Promise<Page> {
  const rows = await db.ask(ALL, [after, limit])
  const names: Names = { conversations: [], inboxes: [] }
  for (const { app, id, user_id: userId } of rows) {
    if (id) names.conversations.push({ app: app!, id })
    else names.inboxes.push({ app: app!, userId: userId! })
  }
  return { names, next: rows.length < limit ? null : rows[rows.length - 1]!.moved! }
}

async function headsOf(db: Database, { conversations: chats, inboxes: people }: Names): Promise<MovedHead[]> {
  const [conversationRows, inboxRows] = await Promise.all([
    chats.length === 0 ? [] : db.ask(CONVERSATIONS, [chats.map(({ app }) => app), chats.map(({ id }) => id)]),
    people.length === 0 ? [] : db.ask(INBOXES, [people.map(({ app }) => app), people.map(({ userId }) => userId)]),
  ])
  return [
    ...conversationRows.map(
      ({ app, id, sequence, audience }): MovedHead => ({
        ...{ app: app!, stream: 'conversation', id: id!, sequence: sequence!, audience: audience ?? [] },
      }),
    ),
    ...inboxRows.map(
      ({ app, user_id: userId, sequence }): MovedHead => ({
        ...{ app: app!, stream: 'inbox', userId: userId!, sequence: sequence! },
      }),
    ),
  ]
}

/**
 * Whole commits, until what they moved is `limit` streams or more, each of which is named once: a busy conversation is in
 * nearly every commit. One commit moves one stream at least, so no more than `limit` have to be counted.
 */
const COMMITS = `
  WITH counted AS (
    SELECT m.moved, coalesce(cardinality(m.conversations), 0) + coalesce(json_array_length(m.inboxes), 0) AS streams
    FROM parley.moves m WHERE m.moved > $1 ORDER BY m.moved LIMIT $2
  ), summed AS (
    SELECT c.moved, c.streams, sum(c.streams) OVER (ORDER BY c.moved) AS so_far FROM counted c
  ), last AS (
    SELECT max(s.moved) AS moved, max(s.so_far) >= $2 AS is_full FROM summed s WHERE s.so_far - s.streams < $2
  ), page AS (
    SELECT m.apps, m.conversations, m.inboxes FROM parley.moves m
    WHERE m.moved > $1 AND m.moved <= (SELECT l.moved FROM last l)
  )
  SELECT ${SETTLED} AS cursor, (SELECT s.value FROM parley.store s WHERE s.name = 'moves_after') AS moves_after,
    (SELECT l.moved FROM last l WHERE l.is_full) AS next,
    (SELECT json_agg(q) FROM (SELECT DISTINCT unnest(p.apps) AS app, unnest(p.conversations) AS id FROM page p) q)
      AS conversations,
    (SELECT json_agg(q) FROM (
      SELECT DISTINCT x.app, x."userId" FROM page p, json_to_recordset(p.inboxes) AS x (app integer, "userId" text)
    ) q) AS inboxes`

const ALL = `
  SELECT * FROM (
    SELECT c.moved, c.app, c.id, NULL AS user_id FROM parley.conversations c WHERE c.moved > $1
    UNION ALL
    SELECT i.inbox_moved, i.app, NULL, i.user_id FROM parley.identities i WHERE i.inbox_moved > $1
  ) q ORDER BY q.moved FETCH FIRST $2 ROWS WITH TIES`

const CONVERSATIONS = `
  SELECT c.app, c.id, c.head_sequence AS sequence, (
    SELECT json_agg(p.user_id ORDER BY p.join_order) FROM parley.participants p
    WHERE p.app = c.app AND p.conversation = c.id AND p.state IN ('joined', 'hidden')
  ) AS audience
  FROM unnest($1::integer[], $2::uuid[]) AS w (app, id) JOIN parley.conversations c ON c.app = w.app AND c.id = w.id`

const INBOXES = `
  SELECT i.app, i.user_id, i.inbox_sequence AS sequence FROM unnest($1::integer[], $2::text[]) AS w (app, user_id)
  JOIN parley.identities i ON i.app = w.app AND i.user_id = w.user_id`
