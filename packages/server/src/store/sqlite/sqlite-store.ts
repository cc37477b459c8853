import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import {
  type AppStore,
  type LogStore,
  type Place,
  type Store,
  type StoreLoss,
  StoreOutage,
  type Writes,
} from '../store.ts'
import { sqliteApps } from './apps.ts'
import { commitsBeside } from './commits-beside.ts'
import { type Database, openBeside, openDatabase } from './database.ts'
import { asKnownError } from './known-error.ts'
import { sqliteLists } from './lists.ts'
import { type CommittedPlace, sqliteLog } from './log.ts'
import { type LooksBeside, looksBeside } from './looks-beside.ts'
import { packWrites } from './packed-writes.ts'
import { closeWorker, startThread } from './store-thread.ts'
import { sqliteStreams } from './streams.ts'
import { type TransferDesk, transferDesk } from './transfer-mark.ts'

/** The parts of the store, on whichever thread they run. */
export type StorePart = 'log' | 'streams' | 'lists' | 'apps' | 'transfer'
export type Parts = { readonly [P in StorePart]: Readonly<Record<string, (...args: never[]) => unknown>> }

/** All parts over one connection, answering at once. */
export function openParts(
  file: string,
  options: Parameters<typeof openDatabase>[1] = {},
): { parts: Parts; db: Database; epoch: string } {
  const db = openDatabase(file, options)
  return { parts: partsOver(db), db, epoch: epochOf(db) }
}

const partsOver = (db: Database): Parts =>
  ({
    log: sqliteLog(db),
    streams: sqliteStreams(db),
    lists: sqliteLists(db),
    apps: sqliteApps(db),
    transfer: transferDesk(db),
  }) as unknown as Parts

const epochOf = (db: Database) => db.sql(`SELECT value FROM store WHERE name = 'epoch'`).pluck().get() as string

/** Where a folder keeps its store. */
export const storeFile = (folder: string): string => join(folder, 'parley.sqlite')

/** The embedded store: one that may be moved away while it is served. */
export interface SqliteStore extends Store {
  readonly transfer: Asynchronous<TransferDesk>
}
type Asynchronous<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<R> : never
}

/** A store in this thread: for administration, and for tests that crank everything by hand. */
export const openSqliteStore = (file: string): Store => sqliteStoreOver(openDatabase(file))

/** The same over a database that is open, whose statements a test may watch. */
export function sqliteStoreOver(db: Database): Store {
  const parts = partsOver(db)
  const call = (part: StorePart, method: string, args: readonly unknown[]): Promise<unknown> => {
    try {
      return Promise.resolve(parts[part][method]!(...(args as never[])))
    } catch (error) {
      return Promise.reject(asKnownError(error as Error))
    }
  }
  const commit = (writes: Writes) => call('log', 'commitRows', [packWrites(writes)]) as Promise<Place>
  return storeOf(epochOf(db), { call, commit, close: async () => db.close() })
}

/**
 * A store on threads of its own, one that writes and one that reads, so that no slow flush stalls a socket and a long
 * catch-up never delays a commit. What is written in passing, while flushes are fast, is written by this one, and what is
 * found at once is looked up by it.
 */
export async function openThreadedSqliteStore(file: string): Promise<SqliteStore> {
  let lose: (loss: StoreLoss) => void = () => undefined
  const lost = new Promise<StoreLoss>((resolve) => {
    lose = resolve
  })
  const start = (work: 'writes' | 'reads') =>
    startThread(file, {
      mustBeSound: work === 'writes',
      died: (cause) => lose({ sentence: `The thread that ${work} the store has ended.`, cause, remedy: 'restart' }),
    })
  const writer = await start('writes')
  const reader = await start('reads')
  const checkpoints = new Worker(new URL('./checkpoints.js', import.meta.url), { workerData: { file }, execArgv: [] })
  // Without it the writer moves pages itself, now and then: slower, not wrong.
  checkpoints.on('error', () => undefined)
  let damage: string | undefined
  checkpoints.on('message', (found: { readonly damage: string }) => {
    damage = found.damage
    // Started anew, it would serve what is damaged until it has found out again.
    lose({ sentence: damage, remedy: 'repair' })
  })
  const call = (part: StorePart, method: string, args: readonly unknown[]) =>
    damage === undefined
      ? (part === 'log' || isWrite(method) ? writer : reader).call(part, method, args)
      : Promise.reject(new StoreOutage(damage))
  const beside = openBeside(file)
  const commit = commitsBeside(beside, {
    isThereIdle: () => damage === undefined && writer.isIdle,
    there: (rows) => call('log', 'commitRows', [rows]) as Promise<CommittedPlace>,
  })
  const looks = looksBeside(beside, {
    isOpen: () => damage === undefined,
    load: (wanted) => call('log', 'load', [wanted]) as ReturnType<LogStore['load']>,
    forSignIn: (...asked) => call('apps', 'forSignIn', asked) as ReturnType<AppStore['forSignIn']>,
  })
  const close = async () => {
    beside.close()
    await closeWorker(checkpoints)
    await reader.close()
    await writer.close()
  }
  const store = storeOf(writer.epoch, { call, commit, close, looks })
  const threads = () => [
    { name: 'writer', busySeconds: writer.busyMs / 1_000 },
    { name: 'reader', busySeconds: reader.busyMs / 1_000 },
  ]
  return { ...store, lost, threads }
}

const isWrite = (method: string) => /^(create|put|end(?!edSince))/.test(method)

function storeOf(
  epoch: string,
  {
    call,
    commit,
    close,
    looks,
  }: {
    call(part: StorePart, method: string, args: readonly unknown[]): Promise<unknown>
    commit(writes: Writes): Promise<Place>
    close(): Promise<void>
    /** Where these are answered instead. */
    readonly looks?: LooksBeside
  },
): SqliteStore {
  const part = (name: StorePart) =>
    new Proxy({} as Record<string, unknown>, {
      get(methods, method) {
        if (typeof method !== 'string' || method === 'then') return undefined
        methods[method] ??= (...args: unknown[]) => call(name, method, args)
        return methods[method]
      },
    })
  const log = part('log')
  const apps = part('apps')
  log.commit = commit
  if (looks) {
    log.load = looks.load
    apps.forSignIn = looks.forSignIn
  }
  const parts = { log, streams: part('streams'), lists: part('lists'), apps, transfer: part('transfer') }
  return { epoch, hasOneWriter: true, ...(parts as unknown as Pick<SqliteStore, StorePart>), close }
}
