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
  const page = isComplete ? namesOf(row!, limit) : await allNames(db, after, limit)
  return { heads: await headsOf(db, page.names), next: page.next, settled: row!.cursor! }
}

interface Page {
  readonly names: Names
  readonly next: Cursor | null
}

/** Whole commits, until they are `limit` streams or more. */
function namesOf(row: Row, limit: number): Page {
  const commits = (row.commits ?? []) as ({ readonly moved: Cursor } & {
    readonly [K in keyof Names]: Names[K] | null
  })[]
  const names: Names = { conversations: [], inboxes: [] }
  for (const { moved, conversations, inboxes } of commits) {
    names.conversations.push(...(conversations ?? []))
    names.inboxes.push(...(inboxes ?? []))
    if (names.conversations.length + names.inboxes.length >= limit) return { names, next: moved }
  }
  return { names, next: null }
}

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

async function headsOf(db: Database, { conversations, inboxes }: Names): Promise<MovedHead[]> {
  const chats = [...new Map(conversations.map((one) => [`${one.app} ${one.id}`, one])).values()]
  const people = [...new Map(inboxes.map((one) => [`${one.app} ${one.userId}`, one])).values()]
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

/** One commit moves one stream at least, so these are enough for a page. */
const COMMITS = `
  SELECT ${SETTLED} AS cursor, (SELECT s.value FROM parley.store s WHERE s.name = 'moves_after') AS moves_after, (
    SELECT json_agg(q) FROM (
      SELECT m.moved, m.conversations, m.inboxes FROM parley.moves m WHERE m.moved > $1 ORDER BY m.moved LIMIT $2
    ) q) AS commits`

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
