import { randomUUID } from 'node:crypto'
import type { Session } from '../../model/state.ts'
import {
  CommitUnknown,
  type LoadedConversation,
  type LogStore,
  MessageExists,
  type Outdated,
  type Place,
  type Shift,
  Stale,
  StoreOutage,
  type Wanted,
  type Writes,
} from '../store.ts'
import { type CommitArguments, commitArguments, nameOf } from './commit-arguments.ts'
import { COMMIT, FENCED, OTHER_SCHEMA, OUTDATED } from './commit-function.ts'
import { SETTLED } from './cursor.ts'
import { type Database, type Deadline, Silence } from './database.ts'
import { migrations } from './migrations.ts'
import { codeOf, troubleOf } from './outages.ts'
import { purgeAll } from './purge.ts'
import {
  CONVERSATION_COLUMNS,
  MESSAGE_COLUMNS,
  OPERATION_COLUMNS,
  PARTICIPANT_COLUMNS,
  PROFILE_COLUMNS,
  toConversation,
  toMessage,
  toOperation,
  toParticipant,
  toProfile,
  toSession,
} from './rows.ts'

/** How long a commit may take in all, its fate included. Beyond it the caller is told that it is not known. */
const COMMIT_MS = 2_900
/** Of that, what is kept for finding out. */
const FATE_MS = 400
/** Commits of one store that are asked for again because the connection broke before they began. */
const MAX_TRIES = 3

/** A server that did not look for longer has to look at all heads. */
const MOVES_KEPT_MS = 30 * 60_000

type Touched = CommitArguments['touched']

/** A name to commit under, and how often that was done: one commit at a time each. */
interface Writer {
  readonly id: string
  batch: number
}

/** The write lane's side of the database. It owns the names under which this process commits. */
export function postgresLog(db: Database): LogStore {
  /** Those that have no commit under way. */
  const idle: Writer[] = []

  async function register(deadline: Deadline): Promise<Writer> {
    const id = randomUUID()
    await db.ask(REGISTER, [id, Date.now()], deadline)
    return { id, batch: 0 }
  }

  async function fateOf(
    writer: Writer,
    batch: number,
    touched: Touched,
    deadline?: Deadline,
  ): Promise<Place | undefined> {
    const [row] = await db.ask(
      'SELECT moved, settled, shifted FROM parley.settle($1, $2)',
      [writer.id, batch],
      deadline,
    )
    return row!.moved === null ? undefined : toPlace(row!, touched)
  }

  /** One try. A writer whose commit is unknown is not used again, so that its row goes on saying what became of it. */
  async function commitOnce(
    writes: Writes,
    { values, touched }: CommitArguments,
    deadline: Deadline,
    ask: Database['askOnce'],
  ): Promise<Place | 'again'> {
    const writer = idle.pop() ?? (await register(deadline))
    writer.batch++
    const { batch } = writer
    try {
      const [row] = await ask(COMMIT, [migrations.length, writer.id, batch, ...values], deadline - FATE_MS)
      idle.push(writer)
      return toPlace(row!, touched)
    } catch (error) {
      if (codeOf(error) === FENCED) {
        // Forgotten, for it was quiet for very long; so were the others.
        idle.length = 0
        return 'again'
      }
      if (!(error instanceof Silence)) {
        idle.push(writer)
        throw asKnownError(error, writes)
      }
      const place = await fateOf(writer, batch, touched, deadline).catch((cause) => {
        const message = 'The database went away in the middle of a commit.'
        throw new CommitUnknown(message, () => fateOf(writer, batch, touched), { cause })
      })
      return place ?? 'again'
    }
  }

  /** @param first how the first try is asked; once that is over, one by itself is all there is */
  async function commit(writes: Writes, first: Database['askOnce']): Promise<Place> {
    const deadline = performance.now() + COMMIT_MS
    const asked = commitArguments(writes)
    for (let attempt = 1; ; attempt++) {
      const place = await commitOnce(writes, asked, deadline, attempt === 1 ? first : db.askOnce)
      // Nobody waits for it, and what fails here is done by whoever prunes next.
      if (place !== 'again' && writes.purged.length > 0) void purgeAll(db).catch(() => undefined)
      if (place !== 'again') return place
      if (attempt === MAX_TRIES) throw new StoreOutage('The database goes away with every commit.')
    }
  }

  return {
    async lastCursor() {
      const [row] = await db.ask(`SELECT ${SETTLED} AS cursor`)
      return row!.cursor!
    },

    async load(wanted) {
      const [byId, byKey, messages, people, operations, nonces, sessions] = await Promise.all([
        loadConversations(db, wanted),
        loadDistinct(db, wanted),
        loadMessages(db, wanted),
        loadPeople(db, wanted),
        loadOperations(db, wanted),
        loadNonces(db, wanted),
        loadSessions(db, wanted),
      ])
      const conversations = new Map([...byKey, ...byId].map((one) => [`${one.app} ${one.record.id}`, one]))
      return { conversations: [...conversations.values()], messages, people, operations, nonces, sessions }
    },

    commit: (writes) => commit(writes, db.askOnce),

    holding: (conversations, work) =>
      db.transaction(async ({ ask, askLast }) => {
        const items = new Map(conversations.map((item) => [nameOf(item.app, item.key), item]))
        // In the order in which a commit locks them.
        const names = [...items.keys()].sort()
        const sorted = names.map((name) => items.get(name)!)
        const rows = await ask(HOLD, [sorted.map(({ app }) => app), sorted.map(({ key }) => key)])
        const revisions = rows.map((row) => ({ app: row.app!, key: row.id!, revision: row.revision! }))
        let isOver = false
        return work({
          revisions,
          commit(writes) {
            const asked = isOver ? db.askOnce : askLast
            isOver = true
            return commit(writes, asked)
          },
        })
      }),

    async prune({ operationsMs, noncesMs }) {
      await purgeAll(db)
      await db.ask('DELETE FROM parley.operations WHERE at < $1', [operationsMs])
      await db.ask('DELETE FROM parley.used_nonces WHERE forget_at < $1', [noncesMs])
      // The highest number stays, whoever it was: the cursor rests on it.
      await db.ask(
        'DELETE FROM parley.writers w WHERE w.at < $1 AND w.moved < (SELECT max(o.moved) FROM parley.writers o)',
        [operationsMs],
      )
      await db.ask(FORGET_MOVES, [Date.now() - MOVES_KEPT_MS])
    },
  }
}

const toPlace = (row: Record<string, never>, touched: Touched): Place => ({
  cursor: row.moved!,
  settled: row.settled!,
  ...(row.shifted !== null && { shifted: (row.shifted as unknown as Shifted[]).map((one) => toShift(one, touched)) }),
})

/** As `commit_batch` says it. */
type Shifted = readonly [place: number, sequences: number, positions: number, sentAt: number, revision: number]

const toShift = ([place, sequences, positions, sentAt, revision]: Shifted, touched: Touched): Shift => {
  const { app, key } = touched[place - 1]!
  return { app, key, sequences, positions, sentAt, revision }
}

const HOLD = `
  SELECT c.app, c.id, c.revision FROM unnest($1::integer[], $2::uuid[]) WITH ORDINALITY AS w (app, id, place)
  JOIN parley.conversations c ON c.app = w.app AND c.id = w.id ORDER BY w.place FOR UPDATE OF c`

/** One statement, so that what was forgotten is known to be. */
const FORGET_MOVES = `
  WITH gone AS (
    DELETE FROM parley.moves m
    WHERE m.moved <= (SELECT o.moved FROM parley.moves o WHERE o.at < $1 ORDER BY o.moved DESC LIMIT 1)
    RETURNING m.moved)
  UPDATE parley.store s SET value = g.last FROM (SELECT max(moved) AS last FROM gone) g
  WHERE s.name = 'moves_after' AND g.last IS NOT NULL AND g.last > s.value::bigint`

const REGISTER = 'INSERT INTO parley.writers VALUES ($1, 0, false, 0, 0, $2) ON CONFLICT DO NOTHING'

/** A refused commit, as the port names it. */
function asKnownError(error: unknown, writes: Writes): unknown {
  const code = codeOf(error)
  // 42883: the schema's own function has other parameters by now.
  if (code === OTHER_SCHEMA || code === '42883') {
    return new StoreOutage(
      'The database was migrated by a newer Parley. This process has to be replaced by that version.',
    )
  }
  if (code === '23505') {
    const { table = '' } = error as { table?: string }
    if (table.startsWith('message_ids')) return new MessageExists('A message of this commit exists.')
    return new Stale(allOf(writes, ['conversations', 'distinctKeys', 'messages']))
  }
  // Only inside a transaction does it come here: two writers waited for each other.
  if (troubleOf(error) === 'undone') return new Stale()
  if (code !== OUTDATED) return error
  const detail = JSON.parse((error as { detail: string }).detail) as Partial<Outdated> & { kinds?: (keyof Outdated)[] }
  if (!detail.kinds) {
    return new Stale({ conversations: detail.conversations ?? [], people: detail.people ?? [] })
  }
  return new Stale(allOf(writes, detail.kinds))
}

/** Everything of these kinds that a commit says is new: any of it may be what is in the way. */
function allOf(writes: Writes, kinds: readonly (keyof Outdated)[]): Partial<Outdated> {
  const all: Outdated = {
    conversations: writes.conversations.map(({ app, record }) => ({ app, key: record.id })),
    distinctKeys: writes.conversations.flatMap(({ app, record: { distinctKey } }) =>
      distinctKey === null ? [] : [{ app, key: distinctKey }],
    ),
    messages: writes.messages.flatMap(({ app, id, isNew }) => (isNew ? [{ app, key: id }] : [])),
    people: writes.people.map(({ app, profile }) => ({ app, key: profile.userId })),
    operations: writes.operations.map(({ app, userId, id }) => ({ app, userId, id })),
    nonces: writes.nonces.map(({ hash }) => hash),
    sessions: writes.sessions.flatMap(({ session, tokenHash }) => (tokenHash === null ? [] : [session.id])),
  }
  return Object.fromEntries(kinds.map((kind) => [kind, all[kind]]))
}

// Below, one statement for each kind of thing: what was asked for comes as arrays, however much it is.

const CONVERSATION = `
  SELECT c.app, ${CONVERSATION_COLUMNS}, c.revision, c.terms, (
    SELECT coalesce(json_agg(q), '[]') FROM (
      SELECT ${PARTICIPANT_COLUMNS} FROM parley.participants p
      WHERE p.app = c.app AND p.conversation = c.id ORDER BY p.user_id
    ) q) AS participants`

async function loadConversations(db: Database, { conversations }: Wanted): Promise<LoadedConversation[]> {
  if (conversations.length === 0) return []
  const rows = await db.ask(
    `${CONVERSATION} FROM unnest($1::integer[], $2::uuid[]) AS w (app, id)
     JOIN parley.conversations c ON c.app = w.app AND c.id = w.id`,
    columnsOf(conversations, ({ app, key }) => [app, key]),
  )
  return rows.map(toLoaded)
}

async function loadDistinct(db: Database, { distinctKeys }: Wanted): Promise<LoadedConversation[]> {
  if (distinctKeys.length === 0) return []
  const rows = await db.ask(
    `${CONVERSATION} FROM unnest($1::integer[], $2::text[]) AS w (app, distinct_key)
     JOIN parley.conversations c ON c.app = w.app AND c.distinct_key = w.distinct_key`,
    columnsOf(distinctKeys, ({ app, key }) => [app, key]),
  )
  return rows.map(toLoaded)
}

const toLoaded = (row: Record<string, never>): LoadedConversation => ({
  app: row.app!,
  record: toConversation(row),
  headSequence: row.head_sequence!,
  headPosition: row.head_position!,
  lastMessageAt: row.last_message_at!,
  participants: (row.participants as unknown as Record<string, never>[]).map(toParticipant),
  revision: row.revision!,
  terms: row.terms!,
})

async function loadMessages(db: Database, { messages }: Wanted) {
  if (messages.length === 0) return []
  const rows = await db.ask(
    `SELECT m.app, ${MESSAGE_COLUMNS} FROM unnest($1::integer[], $2::uuid[]) AS w (app, id)
     JOIN parley.message_ids i ON i.app = w.app AND i.id = w.id
     JOIN parley.messages m ON m.app = i.app AND m.conversation = i.conversation AND m.position = i.position`,
    columnsOf(messages, ({ app, key }) => [app, key]),
  )
  return rows.map((row) => ({ ...toMessage(row), app: row.app! }))
}

async function loadPeople(db: Database, { people }: Wanted) {
  if (people.length === 0) return []
  const rows = await db.ask(
    `SELECT i.app, ${PROFILE_COLUMNS}, i.inbox_sequence, i.revision FROM unnest($1::integer[], $2::text[]) AS w (app, user_id)
     JOIN parley.identities i ON i.app = w.app AND i.user_id = w.user_id`,
    columnsOf(people, ({ app, key }) => [app, key]),
  )
  return rows.map((row) => ({
    app: row.app!,
    profile: toProfile(row),
    inboxSequence: row.inbox_sequence!,
    revision: row.revision!,
  }))
}

async function loadOperations(db: Database, { operations }: Wanted) {
  if (operations.length === 0) return []
  const rows = await db.ask(
    `SELECT ${OPERATION_COLUMNS} FROM unnest($1::integer[], $2::text[], $3::uuid[]) AS w (app, user_id, id)
     JOIN parley.operations o ON o.app = w.app AND o.user_id = w.user_id AND o.id = w.id`,
    columnsOf(operations, ({ app, userId, id }) => [app, userId, id]),
  )
  return rows.map(toOperation)
}

async function loadNonces(db: Database, { nonces }: Wanted): Promise<string[]> {
  if (nonces.length === 0) return []
  const rows = await db.ask('SELECT n.hash FROM parley.used_nonces n WHERE n.hash = ANY ($1::text[])', [nonces])
  return rows.map((row) => row.hash!)
}

async function loadSessions(db: Database, { sessions }: Wanted): Promise<Session[]> {
  if (sessions.length === 0) return []
  return (await db.ask('SELECT s.* FROM parley.sessions s WHERE s.id = ANY ($1::uuid[])', [sessions])).map(toSession)
}

/** Items as one array for each of their columns, without repeats. */
function columnsOf<T>(items: readonly T[], values: (item: T) => readonly unknown[]): unknown[][] {
  const rows = new Map(items.map((item) => [JSON.stringify(values(item)), values(item)]))
  const width = values(items[0]!).length
  return Array.from({ length: width }, (_, column) => [...rows.values()].map((row) => row[column]))
}
