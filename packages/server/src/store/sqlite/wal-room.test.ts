import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from './database.ts'
import { makeWalRoom } from './wal-room.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-room-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const MIB = 1024 * 1024
const BUSY_PAGES = 1_000
let files = 0

const fresh = () => {
  const file = join(folder, `${++files}.sqlite`)
  return { file, db: openDatabase(file) }
}
const put = (db: Database, name: string) =>
  db.transaction('write', () => db.sql('INSERT INTO store VALUES (?, ?)').run(name, name.repeat(1_000)))
const walBytes = (file: string) => statSync(`${file}-wal`).size
const names = (db: Database) => db.sql(`SELECT name FROM store WHERE length(value) > 1000 ORDER BY name`).pluck().all()

/** What a server finds that starts after this one has died. */
function afterDeath(file: string): unknown[] {
  const copy = join(folder, `${++files}.sqlite`)
  for (const ending of ['', '-wal']) copyFileSync(file + ending, copy + ending)
  const db = openDatabase(copy, { mustBeSound: true })
  const found = names(db)
  db.close()
  return found
}

describe('room in the write-ahead log', () => {
  it('5 what was committed before it was made and after is there when the server dies', () => {
    const { file, db } = fresh()
    put(db, 'before')
    makeWalRoom(db, file, BUSY_PAGES)
    expect(afterDeath(file)).toEqual(['before'])
    put(db, 'between')
    makeWalRoom(db, file, BUSY_PAGES)
    put(db, 'more')
    expect(afterDeath(file)).toEqual(['before', 'between', 'more'])
    db.close()
  })

  it('the log does not grow any more, also when it begins anew', () => {
    const { file, db } = fresh()
    makeWalRoom(db, file, BUSY_PAGES)
    const bytes = walBytes(file)
    expect(bytes).toBe(36 * MIB)
    for (const name of ['one', 'two', 'three']) {
      put(db, name)
      db.sql('PRAGMA wal_checkpoint(PASSIVE)').all()
    }
    makeWalRoom(db, file, BUSY_PAGES)
    expect(walBytes(file)).toBe(bytes)
    expect(afterDeath(file)).toEqual(['one', 'three', 'two'])
    db.close()
  })

  it('a store that is seldom written to gets none', () => {
    const { file, db } = fresh()
    put(db, 'one')
    const bytes = walBytes(file)
    makeWalRoom(db, file, BUSY_PAGES - 1)
    expect(walBytes(file)).toBe(bytes)
    db.close()
  })

  it('room is made beside somebody who writes', () => {
    const { file, db } = fresh()
    const other = openDatabase(file)
    put(other, 'one')
    makeWalRoom(db, file, BUSY_PAGES)
    put(other, 'two')
    expect(names(db)).toEqual(['one', 'two'])
    expect(afterDeath(file)).toEqual(['one', 'two'])
    other.close()
    db.close()
  })
})
