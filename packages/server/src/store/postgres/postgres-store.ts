import { type Store, StoreOpenError } from '../store.ts'
import { postgresApps } from './apps.ts'
import { postgresClaims } from './claims.ts'
import { type Database, openDatabase } from './database.ts'
import { postgresLists } from './lists.ts'
import { postgresLog } from './log.ts'
import { migrate, shownUrl } from './migrate.ts'
import { connectionName, lookAround, type Serving } from './others-serving.ts'
import { postgresStreams } from './streams.ts'

export interface PostgresOptions {
  /** Connections at most, besides the few of the write lane. Default 10. */
  readonly connections?: number
  /** A connection broke while nobody used it. */
  readonly log?: (message: string, details: Record<string, unknown>) => void
  /** For a server: how it serves. Left out by whoever only does something and ends. */
  readonly serving?: Serving
  /** Opens it although it is still being filled, by the transfer of this id. */
  readonly whileFilledBy?: string
}

/** Of the write lane: what a batch loads at once, and its commit. */
const LOG_CONNECTIONS = 4

/** Whether a store is named by an address of PostgreSQL. */
export const isPostgresUrl = (name: string): boolean => /^postgres(ql)?:\/\//.test(name)

/**
 * Opens the store in a database, migrating it if need be. Any number of processes may have it open.
 * @throws StoreOpenError if the database cannot be used, is newer than this server, or cannot be reached
 */
export async function openPostgresStore(url: string, options: PostgresOptions = {}): Promise<Store> {
  const { connections = 10, log = () => undefined, serving } = options
  await migrate(url)
  const onTrouble = (error: Error) => log('a connection to the database broke', { error: error.message })
  // Two sets, so that a crowd of readers never keeps a commit waiting.
  const name = connectionName(serving)
  const readers = openDatabase(url, { name, connections }, onTrouble)
  const writer = openDatabase(url, { name, connections: LOG_CONNECTIONS }, onTrouble)
  const close = async () => {
    await Promise.all([readers.close(), writer.close()])
  }
  try {
    if (serving) await lookAround(readers, { serving, url }, log)
    return {
      epoch: await epochOf(readers, url, options.whileFilledBy),
      hasOneWriter: false,
      log: postgresLog(writer),
      streams: postgresStreams(readers),
      lists: postgresLists(readers),
      apps: postgresApps(readers),
      claims: postgresClaims(readers),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function epochOf(db: Database, url: string, filledBy: string | undefined): Promise<string> {
  const rows = await db.ask('SELECT s.name, s.value FROM parley.store s')
  const value = (name: string) => rows.find((row) => row.name === name)?.value as string | undefined
  const transfer = value('transfer')
  if (transfer !== undefined) mustBeFull(JSON.parse(transfer), url, filledBy)
  else if (filledBy !== undefined) throw new StoreOpenError(`The database ${shownUrl(url)} is another one.`)
  return value('epoch')!
}

/** A store that is being moved here is served from its file until the last row is here. */
function mustBeFull(
  transfer: { readonly id: string; readonly state: string; readonly from: string },
  url: string,
  filledBy: string | undefined,
) {
  if (filledBy === undefined ? transfer.state === 'live' : transfer.id === filledBy) return
  if (filledBy !== undefined) throw new StoreOpenError(`The database ${shownUrl(url)} is another one.`)
  throw new StoreOpenError(
    `The database ${shownUrl(url)} is still being filled from ${transfer.from}. Finish that first: parley migrate-store`,
  )
}
