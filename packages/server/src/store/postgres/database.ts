import { type Pool as PgPool, type PoolClient, default as pg, type QueryResult } from 'pg'
import { StoreOutage } from '../store.ts'
import { asOutage, isConnectionGood, troubleOf } from './outages.ts'
import type { Row } from './rows.ts'
import { Turns } from './turns.ts'

/** How long a caller waits for the database, a frozen one included. Beyond it the answer is "later". */
const CALL_MS = 2_500
/** How long the server works on one statement; less than a caller waits, so that it mostly says itself that it gave up. */
const STATEMENT_MS = 2_000
/** Callers waiting for a connection. Beyond this the answer is "later". */
const MAX_WAITING = 1_000
/** How often a statement is tried again that lost against another one. */
const MAX_TRIES = 5
/** Between two tries to reach a database that does not answer. */
const RECONNECT_MS = 50

/** When to give up, by `performance.now()`; default: as long as any call may take. */
export type Deadline = number

/** Asks one statement; answers with its rows. */
export type Ask = (text: string, values?: readonly unknown[]) => Promise<Row[]>

/** Connections to the database. Statements are prepared once on each, and every call ends within a bounded time. */
export interface Database {
  /**
   * Asks something that changes nothing, or that may be done twice: it is asked again if the connection is lost.
   * @throws StoreOutage if there is no answer in time
   */
  ask(text: string, values?: readonly unknown[], deadline?: Deadline): Promise<Row[]>
  /**
   * Asks something that must not be done twice unawares.
   * @throws StoreOutage if it was not done
   * @throws Silence if nobody knows whether it was done
   */
  askOnce(text: string, values: readonly unknown[], deadline?: Deadline): Promise<Row[]>
  /** Statements that are carried out together. What is not ended by `askLast` is taken back. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>
  /** Several questions about one moment. */
  snapshot<T>(work: (ask: Ask) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface Transaction {
  /** @throws StoreOutage if there is no answer in time */
  readonly ask: Ask
  /** Asks the last statement and commits, as `askOnce` does. Once it is answered, nothing is held any more. */
  askLast(text: string, values: readonly unknown[], deadline: Deadline): Promise<Row[]>
}

/** The connection was lost, or nothing was heard in time, after the question was sent. */
export class Silence extends Error {
  override readonly name = 'Silence'
}

/**
 * Plans are pinned: prepared once, nested loops over indexes. A plan made while a table was empty would otherwise be
 * kept while it grows, and reading from end to end is never right here.
 */
const SESSION = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
  // Whatever the database's own default: an acknowledgement means that it is on the disk.
  'synchronous_commit=on',
  'default_transaction_isolation=read\\ committed',
  'TimeZone=UTC',
]

/** The driver's settings for a URL; also what a single connection of a migration uses. */
export function connectionConfig(url: string, name = `parley ${process.pid}`) {
  return {
    connectionString: url,
    // Tells an operator which process a session belongs to.
    application_name: name,
    options: SESSION.map((setting) => `-c ${setting}`).join(' '),
    connectionTimeoutMillis: 2_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    types: {
      // 64-bit integers as numbers: ours stay below 2^53 for some hundred thousand years.
      getTypeParser: ((oid: number, format: 'text' | 'binary') =>
        oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  }
}

/** @param of what connections are called, and at most how many there are at a time */
export function openDatabase(
  url: string,
  of: { readonly name: string; readonly connections: number },
  onTrouble: (error: Error) => void,
): Database {
  const pool: PgPool = new pg.Pool({
    ...connectionConfig(url, of.name),
    max: of.connections,
    idleTimeoutMillis: 60_000,
    statement_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: STATEMENT_MS,
  })
  // A connection that breaks while nobody uses it; the next call gets another.
  pool.on('error', onTrouble)
  const turns = new Turns(pool.options.max)
  const takenAt = new WeakMap<PoolClient, number>()
  pool.on('acquire', (client) => takenAt.set(client, performance.now()))
  pool.on('release', (_, client) => turns.kept(performance.now() - (takenAt.get(client) ?? performance.now())))
  const names = new Map<string, string>()
  let isClosed = false

  const nameOf = (text: string): string => {
    const known = names.get(text)
    if (known) return known
    const name = `p${names.size + 1}`
    names.set(text, name)
    return name
  }

  async function connect(deadline: number): Promise<PoolClient> {
    for (;;) {
      if (isClosed) throw new StoreOutage('The store is closed.')
      const { waitingCount: waiting } = pool
      if (waiting >= MAX_WAITING || !turns.hasRoom(waiting)) throw new StoreOutage('Too many wait for the database.')
      try {
        return await connectBefore(deadline)
      } catch (error) {
        if (performance.now() + RECONNECT_MS > deadline) throw asOutage(error)
        await sleep(RECONNECT_MS * (0.5 + Math.random()))
      }
    }
  }

  function connectBefore(deadline: number): Promise<PoolClient> {
    return new Promise((resolve, reject) => {
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        reject(new StoreOutage('There was no connection to PostgreSQL in time.'))
      }, deadline - performance.now())
      pool
        .connect()
        .then((client) => (isLate ? client.release() : resolve(client)), reject)
        .finally(() => clearTimeout(timer))
    })
  }

  const asking =
    (client: PoolClient, deadline: number): Ask =>
    async (text, values = []) => {
      const query = { name: nameOf(text), text, values: values as unknown[] }
      // The types of the driver do not know that a single question may have a time limit.
      const limited = { ...query, query_timeout: Math.max(1, deadline - performance.now()) }
      const { rows } = (await client.query(limited)) as QueryResult
      return rows as Row[]
    }

  /** Runs `work` on one connection. Errors are the driver's, except for `StoreOutage` when there is no connection. */
  async function withClient<T>(deadline: number, work: (ask: Ask) => Promise<T>): Promise<T> {
    const client = await connect(deadline)
    // Between two questions a connection may break as well; the next question then says so.
    client.on('error', onTrouble)
    try {
      const answer = await work(asking(client, deadline))
      client.off('error', onTrouble)
      client.release()
      return answer
    } catch (error) {
      client.off('error', onTrouble)
      if (isConnectionGood(error)) client.release()
      else discard(client)
      throw error
    }
  }

  /** Tries until it works, cannot work, or time is over. */
  async function persist<T>(work: (ask: Ask) => Promise<T>, mayRepeat: boolean, until?: Deadline): Promise<T> {
    const deadline = Math.min(until ?? Number.POSITIVE_INFINITY, performance.now() + CALL_MS)
    for (let attempt = 1; ; attempt++) {
      try {
        return await withClient(deadline, work)
      } catch (error) {
        if (error instanceof StoreOutage) throw error
        const trouble = troubleOf(error)
        if (trouble === 'refused') throw error
        const isLate = performance.now() + RECONNECT_MS > deadline
        if (trouble === 'silent' && !mayRepeat) throw new Silence('Nothing was heard of a statement.', { cause: error })
        if (trouble === 'unable' || isLate || isClosed) throw asOutage(error)
        if (trouble === 'undone' && attempt >= MAX_TRIES) throw asOutage(error)
        // Whoever lost the same race comes back at another moment.
        await sleep(trouble === 'undone' ? Math.random() * 10 * 2 ** attempt : RECONNECT_MS * (0.5 + Math.random()))
      }
    }
  }

  async function transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const until = performance.now() + CALL_MS
    const client = await connect(until)
    client.on('error', onTrouble)
    const ask = asking(client, until)
    let state: 'open' | 'over' | 'lost' = 'open'
    const failed = async (error: unknown) => {
      state = isConnectionGood(error) && (await ask('ROLLBACK').then(Boolean, () => false)) ? 'over' : 'lost'
      return troubleOf(error)
    }
    try {
      await ask('BEGIN').catch(async (error) => {
        await failed(error)
        throw asOutage(error)
      })
      return await work({
        ask: (text, values) =>
          ask(text, values).catch(async (error) => {
            throw (await failed(error)) === 'refused' ? error : asOutage(error)
          }),
        async askLast(text, values, deadline) {
          try {
            // The second is sent as soon as the first is answered; it takes back what failed.
            const [rows] = await Promise.all([
              asking(client, deadline)(text, values),
              asking(client, deadline)('COMMIT'),
            ])
            state = 'over'
            return rows
          } catch (error) {
            const trouble = await failed(error)
            if (trouble === 'silent') throw new Silence('Nothing was heard of a statement.', { cause: error })
            throw trouble === 'unable' ? asOutage(error) : error
          }
        },
      })
    } finally {
      if (state === 'open')
        state = await ask('ROLLBACK').then<'over', 'lost'>(
          () => 'over',
          () => 'lost',
        )
      client.off('error', onTrouble)
      if (state === 'over') client.release()
      else discard(client)
    }
  }

  return {
    transaction,
    ask: (text, values, deadline) => persist((ask) => ask(text, values), true, deadline),
    askOnce: (text, values, deadline) => persist((ask) => ask(text, values), false, deadline),
    snapshot: (work) =>
      persist(async (ask) => {
        await ask('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
        const answer = await work(ask)
        await ask('COMMIT')
        return answer
      }, true),
    async close() {
      if (isClosed) return
      isClosed = true
      await pool.end()
    },
  }
}

/** Gives up a connection at once: saying goodbye to a server that does not listen would take for ever. */
function discard(client: PoolClient): void {
  client.release(true)
  const { connection } = client as unknown as { connection?: { stream?: { destroy(): void } } }
  connection?.stream?.destroy()
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
