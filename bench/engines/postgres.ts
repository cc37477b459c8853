/**
 * PostgreSQL 15 as the benchmark uses it: its defaults where they matter, everything on the disk. One server for all runs,
 * each with a database of its own.
 */
import { type PostgresServer, startPostgres } from '@parley/testkit'
import pg from 'pg'
import { familyCpuSeconds } from '../figures/process-figures.ts'

/** Room for what a run writes, so that no run pays for the checkpoint of another, nor for making the files of its log. */
const SETTINGS = { shared_buffers: '256MB', min_wal_size: '6GB', max_wal_size: '8GB', max_connections: 100 } as const
/** What is written to the log before the first run, after which its files are used again and again: no round writes more. */
const LOG_MIB = 5_000

export interface EngineLook {
  readonly cpuSeconds: number
  readonly walBytes: number
  /** Transactions that wrote. */
  readonly commits: number
}

let running: Promise<PostgresServer> | undefined
let databases = 0

/** As it is after a while: a server that was just set up makes its log's files while it is measured. */
async function startServer(): Promise<PostgresServer> {
  const server = await startPostgres({ version: 15, settings: SETTINGS })
  await onceAt(
    server,
    `SELECT pg_logical_emit_message(false, 'bench', repeat('x', 1048576)) FROM generate_series(1, ${LOG_MIB})`,
  )
  return server
}

/** Stops the server, if it was ever started. */
export async function stopPostgres(): Promise<void> {
  const server = await running
  running = undefined
  await server?.close()
}

async function onceAt(server: PostgresServer, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url() })
  await client.connect()
  await client.query(statement)
  await client.end()
}

/** An empty database. */
export class PostgresEngine {
  readonly url: string
  readonly #name: string
  readonly #server: PostgresServer
  readonly #client: pg.Client

  private constructor(server: PostgresServer, name: string, url: string, client: pg.Client) {
    this.#server = server
    this.#name = name
    this.url = url
    this.#client = client
  }

  static async start(): Promise<PostgresEngine> {
    running ??= startServer()
    const server = await running
    const name = `bench_${++databases}`
    const url = await server.createDatabase(name)
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    await client.query('CHECKPOINT')
    return new PostgresEngine(server, name, url, client)
  }

  /** What it has used and written since it began. */
  async look(): Promise<EngineLook> {
    const { rows } = await this.#client.query(
      `SELECT pg_current_wal_lsn() - '0/0' AS wal, pg_snapshot_xmax(pg_current_snapshot())::text AS commits`,
    )
    return {
      cpuSeconds: familyCpuSeconds(this.#server.pid),
      walBytes: Number(rows[0].wal),
      commits: Number(rows[0].commits),
    }
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
    await onceAt(this.#server, `DROP DATABASE ${this.#name} WITH (FORCE)`)
  }
}
