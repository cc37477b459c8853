import { type CreatedApp, openSqliteStore, type RunningServer, serve, storeFile } from '@parley/server'
import type { IdentityTokenMinter } from '@parley/token'
import type { ProcessRecord } from '../checker/history.ts'
import type { RowContext } from '../row.ts'
import { type AppOptions, newApp, ReachableServer } from './reachable-server.ts'

type Store = Parameters<typeof serve>[0]
type Clock = NonNullable<Parameters<typeof serve>[1]['clock']>

export interface LocalServerOptions extends AppOptions {
  readonly clock?: Clock
  /** Stands in for the store, or stands before it. */
  readonly wrap?: (store: Store) => Store
  readonly allowedOrigins?: readonly string[]
}

/** The server in this process: for rows that need its clock, or a store that fails in a certain way. */
export class LocalServer extends ReachableServer {
  readonly #server: RunningServer
  readonly #lines: string[]

  private constructor(
    of: { folder: string; app: CreatedApp; minter: IdentityTokenMinter },
    server: RunningServer,
    lines: string[],
  ) {
    super(of.folder, of.app, of.minter)
    this.#server = server
    this.#lines = lines
  }

  static async start(context: RowContext, options: LocalServerOptions = {}): Promise<LocalServer> {
    const made = await newApp(context, options)
    const { wrap = (store) => store, clock, allowedOrigins } = options
    const lines: string[] = []
    const server = await serve(wrap(openSqliteStore(storeFile(made.folder))), {
      ...(clock && { clock }),
      ...(allowedOrigins && { allowedOrigins }),
      log: (message, details) => lines.push(JSON.stringify({ message, ...details })),
    })
    context.onEnd(() => server.close({ drainMs: 0 }))
    return new LocalServer(made, server, lines)
  }

  get port(): number {
    return Number(new URL(this.#server.url).port)
  }

  get record(): ProcessRecord {
    return { name: 'the server', unaskedExits: [], lines: [...this.#lines] }
  }

  close(): Promise<void> {
    return this.#server.close({ drainMs: 0 })
  }
}
