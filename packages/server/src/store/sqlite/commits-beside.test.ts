import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { message, ONE, uuid } from '../contract/records.contract.ts'
import { MessageExists, type Place, Stale, StoreOutage, type Writes } from '../store.ts'
import { commitsBeside } from './commits-beside.ts'
import { type Database, openBeside, openDatabase } from './database.ts'
import { commitRows } from './log.ts'
import { SEALED } from './transfer-mark.ts'

let folder: string
let there: Database
let beside: Database
let commit: (writes: Writes) => Promise<Place>
let wentThere: number
let failures: number
let isThereIdle: boolean
/** Whether somebody holds the right to write, who lets go of it when the thread waits. */
let isHeld: boolean

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-beside-'))
  there = openDatabase(join(folder, 'store.sqlite'))
  beside = openBeside(join(folder, 'store.sqlite'))
  wentThere = 0
  failures = 0
  isThereIdle = true
  isHeld = false
  const thread = {
    isThereIdle: () => isThereIdle,
    there: async (rows: Parameters<typeof commitRows>[1]) => {
      wentThere++
      if (isHeld) there.sql('ROLLBACK').run()
      return commitRows(there, rows)
    },
  }
  const always = {
    isFor: () => true,
    committed: () => undefined,
    failedHere: () => {
      failures++
    },
  }
  commit = commitsBeside(beside, thread, always)
})

afterEach(() => {
  beside.close()
  there.close()
  rmSync(folder, { recursive: true, force: true })
})

const chat = uuid(1)
const sending = (cursor: number, position = cursor): Writes => ({
  ...{ cursor, at: 1_000, basis: { conversations: [], people: [] } },
  ...{ conversations: [], participants: [], purged: [], people: [], sessions: [], nonces: [], operations: [] },
  messages: [message(chat, position)],
})
const positions = (db: Database) =>
  db.sql('SELECT position FROM messages WHERE app = ? AND conversation = ?').pluck().all(ONE, chat)

it('what is committed here is there for every connection, with the same place', async () => {
  expect(await commit(sending(1))).toMatchObject({ cursor: 1, settled: 0 })
  expect(await commit(sending(2))).toMatchObject({ cursor: 2, settled: 1 })
  expect(positions(there)).toEqual([1, 2])
  expect([wentThere, failures]).toEqual([0, 0])
})

it('what the store’s thread has to do already goes first', async () => {
  isThereIdle = false
  await commit(sending(1))
  expect(wentThere).toBe(1)
})

it('while somebody else writes, nobody waits for them here: the store’s thread does', async () => {
  there.sql('BEGIN IMMEDIATE').run()
  isHeld = true
  expect(await commit(sending(1))).toMatchObject({ cursor: 1 })
  expect([wentThere, failures]).toEqual([1, 0])
  expect(positions(beside)).toEqual([1])
})

it('what is refused is refused as by the store’s thread, and leaves nothing behind', async () => {
  await commit(sending(1))
  const taken = { ...sending(2), messages: [message(chat, 2, { id: message(chat, 1).id })] }
  await expect(commit(taken)).rejects.toBeInstanceOf(MessageExists)
  await expect(commit(sending(3, 2))).rejects.toBeInstanceOf(Stale)
  expect(failures).toBe(0)
  expect(await commit(sending(2))).toMatchObject({ cursor: 2 })
  expect(positions(there)).toEqual([1, 2])
  expect(wentThere).toBe(0)
})

it('a store that was sealed, or cannot be written to, is not gone round', async () => {
  await commit(sending(1))
  there.sql(`CREATE TRIGGER sealed BEFORE UPDATE ON log BEGIN SELECT raise(ABORT, '${SEALED}'); END`).run()
  await expect(commit(sending(2))).rejects.toThrow()
  there.sql('DROP TRIGGER sealed').run()
  there.sql(`PRAGMA max_page_count = 1`).get()
  beside.sql(`PRAGMA max_page_count = 1`).get()
  const large = {
    ...sending(2),
    messages: [message(chat, 2, { parts: [{ mime_type: 'text/plain', body: 'x'.repeat(100_000) }] })],
  }
  await expect(commit(large)).rejects.toBeInstanceOf(StoreOutage)
  expect(failures).toBeGreaterThan(0)
  expect([positions(there), wentThere]).toEqual([[1], 0])
})
