/** What the disk and SQLite on it can do: flushes, and rows in commits that are flushed. */
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSqlite } from '@parley/sqlite'

const Sqlite = loadSqlite()

/** Appends of 4 KiB, each flushed. */
export const fsyncsPerSecond = (ms: number): number =>
  inFolder((folder) => {
    const file = openSync(join(folder, 'appended'), 'w')
    const page = Buffer.alloc(4096, 1)
    const rate = perSecond(ms, () => {
      writeSync(file, page)
      fsyncSync(file)
      return 1
    })
    closeSync(file)
    return rate
  })

/** Messages of 200 bytes with one index besides the key, so many in a commit. */
export const rowsPerSecond = (rowsPerCommit: number, ms: number): number =>
  inFolder((folder) => {
    const db = new Sqlite(join(folder, 'rows.sqlite'))
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.exec('CREATE TABLE rows (room INTEGER, seq INTEGER, id TEXT, body TEXT, PRIMARY KEY (room, seq)) WITHOUT ROWID')
    db.exec('CREATE INDEX by_id ON rows (id)')
    const insert = db.prepare('INSERT INTO rows VALUES (?, ?, ?, ?)')
    const body = 'x'.repeat(200)
    let seq = 0
    const rate = perSecond(ms, () => {
      db.exec('BEGIN IMMEDIATE')
      for (let i = 0; i < rowsPerCommit; i++) insert.run(seq % 100, seq++, `id ${seq}`, body)
      db.exec('COMMIT')
      return rowsPerCommit
    })
    db.close()
    return rate
  })

function perSecond(ms: number, work: () => number): number {
  const from = performance.now()
  let count = 0
  while (performance.now() - from < ms) count += work()
  return (count / (performance.now() - from)) * 1000
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'parley-limits-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
