/** PostgreSQL 15 as the benchmark uses it: fresh for each run, its defaults where they matter, everything on the disk. */
import { type PostgresServer, startPostgres } from '@parley/testkit'
import pg from 'pg'
import { familyCpuSeconds } from '../figures/process-figures.ts'

/** Room for what a run writes, so that no run pays for the checkpoint of another. */
const SETTINGS = { shared_buffers: '256MB', max_wal_size: '2GB', max_connections: 100 } as const

export interface EngineLook {
  readonly cpuSeconds: number
  readonly walBytes: number
  /** Transactions that wrote. */
  readonly commits: number
}

export class PostgresEngine {
  readonly url: string
  readonly #server: PostgresServer
  readonly #client: pg.Client

  private constructor(server: PostgresServer, url: string, client: pg.Client) {
    this.#server = server
    this.url = url
    this.#client = client
  }

  static async start(): Promise<PostgresEngine> {
    const server = await startPostgres({ version: 15, settings: SETTINGS })
    const url = await server.createDatabase('bench')
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    return new PostgresEngine(server, url, client)
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
    await this.#server.close()
  }
}
