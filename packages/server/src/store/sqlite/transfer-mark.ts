/**
 * What a store's file says of its own transfer to PostgreSQL: a mark that is written and read by whoever opens the file,
 * so that the command that copies and a server that runs need no other channel, and there is one place that decides
 * where the truth is.
 *
 *     no mark ─→ under way: every change is noted ─→ gone: nothing can be written here any more
 */
import type { Database as Connection } from '@parley/sqlite'
import { StoreOpenError, StoreOutage } from '../store.ts'
import type { Database } from './database.ts'

export interface TransferMark {
  readonly id: string
  readonly state: 'under-way' | 'gone'
  /** Where to, without a password. */
  readonly to: string
  /** Since when, in Unix milliseconds. */
  readonly since: number
  /** A running server is asked to be ready to go over: with this address, under this name of the question. */
  readonly asked?: { readonly question: string; readonly url: string }
}

/** What a running server says to that. */
export interface TransferAnswer {
  readonly question: string
  readonly pid: number
  readonly state: 'ready' | 'unable' | 'went-over'
  /** Why it is unable. */
  readonly trouble?: string
}

/** Tables and triggers of a transfer begin with it; they are no part of the schema. */
export const TRANSFER_PREFIX = 'transfer_'

/** What the triggers of a file that is gone say. */
export const SEALED = 'parley: this store was moved'

/** The file was moved to PostgreSQL while somebody had it open: what was to be written was not. */
export class StoreMoved extends StoreOutage {
  override readonly name = 'StoreMoved'
  constructor(options?: ErrorOptions) {
    super('The store was moved to PostgreSQL, and nothing is written to its file any more.', options)
  }
}

/** For the store's own threads: reads the mark, and answers to it. */
export interface TransferDesk {
  read(): TransferMark | undefined
  putAnswer(answer: TransferAnswer): void
}

export const readMark = (db: Connection): TransferMark | undefined => valueIn(db, 'transfer')
export const readAnswer = (db: Connection): TransferAnswer | undefined => valueIn(db, 'transfer_answer')

export const PUT_VALUE = 'INSERT INTO store VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'

function valueIn<T>(db: Connection, name: string): T | undefined {
  const text = db.prepare('SELECT value FROM store WHERE name = ?').pluck().get(name)
  return text === undefined ? undefined : JSON.parse(text as string)
}

/** @throws StoreOpenError if what it held is in PostgreSQL now */
export function mustNotBeGone(db: Connection, file: string): void {
  const isMade = db.prepare(`SELECT 1 FROM sqlite_master WHERE name = 'store'`).get() !== undefined
  const mark = isMade ? readMark(db) : undefined
  if (mark?.state !== 'gone') return
  const when = new Date(mark.since).toISOString()
  throw new StoreOpenError(
    `The store ${file} was moved to ${mark.to} on ${when}, and nothing is written here any more. ` +
      'Name its new place with --store or PARLEY_STORE, and leave out --data.',
  )
}

export const transferDesk = (db: Database): TransferDesk => ({
  read() {
    const text = db.sql(`SELECT value FROM store WHERE name = 'transfer'`).pluck().get()
    return text === undefined ? undefined : JSON.parse(text as string)
  },
  putAnswer: (answer) => void db.sql(PUT_VALUE).run('transfer_answer', JSON.stringify(answer)),
})
