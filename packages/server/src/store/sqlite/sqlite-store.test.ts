import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSqlite } from '@parley/sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { alice, chat, commit, ONE, uuid } from '../contract/records.contract.ts'
import { picture } from '../contract/whole-app.contract.ts'
import { storeContract } from '../store.contract.ts'
import { NOTHING } from '../store.ts'
import { openDatabase } from './database.ts'
import { migrations } from './migrations.ts'
import { openSqliteStore, storeFile } from './sqlite-store.ts'

const Sqlite = loadSqlite()

const folder = mkdtempSync(join(tmpdir(), 'parley-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const freshFile = () => storeFile(join(folder, String(++files)))

describe('25 SQLite in memory', () => storeContract(async () => openSqliteStore(':memory:')))

describe('25 SQLite on a disk', () => {
  storeContract(async () => openSqliteStore(freshFile()))

  it('OPR-2 a store opened again is the same store with the same rows', async () => {
    const file = freshFile()
    const store = openSqliteStore(file)
    const { epoch } = store
    const secret = await store.apps.secret()
    await chat(store, uuid(1), 5)
    const before = await picture(store)
    await store.close()
    const again = openSqliteStore(file)
    expect([again.epoch, await again.apps.secret(), await again.log.lastCursor()]).toEqual([epoch, secret, 1])
    expect(await picture(again)).toEqual(before)
    await again.close()
  })

  it('5 every commit is flushed before it is answered: synchronous reads FULL', () => {
    const db = openDatabase(freshFile())
    expect(db.sql('PRAGMA synchronous').pluck().get()).toBe(2)
    expect(db.sql('PRAGMA journal_mode').pluck().get()).toBe('wal')
    db.close()
  })

  it('somebody else’s database is refused and stays as it is', async () => {
    const file = join(folder, 'diary.sqlite')
    const diary = new Sqlite(file)
    diary.exec('CREATE TABLE diary (day TEXT)')
    diary.close()
    const before = readFileSync(file)
    expect(() => openSqliteStore(file)).toThrow('not one of Parley')
    expect(readFileSync(file)).toEqual(before)
  })

  it('what one connection commits, another sees at once', async () => {
    const file = freshFile()
    const server = openSqliteStore(file)
    const administration = openSqliteStore(file)
    await chat(server, uuid(1), 1)
    expect(await administration.lists.profile(ONE, alice)).toBeDefined()
    await administration.close()
    await server.close()
  })

  async function closedChat(): Promise<string> {
    const file = freshFile()
    const store = openSqliteStore(file)
    await chat(store, uuid(1), 5)
    await store.close()
    return file
  }

  it('11 a text that has changed on the disk is not served, and the sentence says what to do', async () => {
    const file = await closedChat()
    const bytes = readFileSync(file)
    const at = bytes.lastIndexOf('message 3')
    bytes[at]! ^= 1
    writeFileSync(file, bytes)
    const store = openSqliteStore(file)
    const reading = store.streams.messages(ONE, uuid(1), alice, null, 10)
    await expect(reading).rejects.toMatchObject({
      name: 'StoreOutage',
      message: expect.stringMatching(/messages.*backup/),
    })
    await store.close()
  })

  it.each([
    `id = replace(id, '0000', '0001')`,
    `sender = 'ben'`,
    `sender = sender || char(10)`,
    'sent_at = sent_at + 1',
    `parts = replace(parts, 'message', 'Message')`,
    `parts = replace(parts, 'message', char(10))`,
    `parts = parts || char(10) || sender, sender = ''`,
    'deleted_at = 0',
    'sequence = sequence + 1',
    'sequence = sequence + 1, first_sequence = first_sequence + 1',
    'first_sequence = first_sequence + 1',
    'changed_at = changed_at + 1',
    'sum = sum - 1',
  ])('11 a message of which %s is served in no way', async (change) => {
    const file = await closedChat()
    const spoilt = new Sqlite(file)
    spoilt.exec(`UPDATE messages SET ${change} WHERE position = 3`)
    spoilt.close()
    const { streams, close } = openSqliteStore(file)
    await expect(streams.messages(ONE, uuid(1), alice, null, 10)).rejects.toThrow(/messages.*backup/)
    await expect(streams.conversation(ONE, uuid(1), alice, 0, 10)).rejects.toThrow(/messages.*backup/)
    const written = streams.writtenConversations(ONE, alice, [{ id: uuid(1), after: 0 }], 10)
    await expect(written).rejects.toThrow(/messages.*backup/)
    await close()
  })

  it.each([
    `name = 'x'`,
    `effect = replace(effect, '9', '8')`,
    `result = '{"outcome":"created"}'`,
    'effect = NULL, result = NULL',
  ])('11 a remembered operation of which %s answers no repeat', async (change) => {
    const file = freshFile()
    const store = openSqliteStore(file)
    const answer = { effect: uuid(9), result: { outcome: 'found' } }
    const found = { app: ONE, userId: alice, id: uuid(1), name: 'create-conversation', at: 1, answer }
    await commit(store, { operations: [found] })
    await store.close()
    const spoilt = new Sqlite(file)
    spoilt.exec(`UPDATE operations SET ${change}`)
    spoilt.close()
    const { log, close } = openSqliteStore(file)
    await expect(async () => log.load({ ...NOTHING, operations: [found] })).rejects.toThrow(/operations.*backup/)
    await close()
  })

  it('24 a file of an earlier version is brought up to date: what it remembers answers repeats as it did', async () => {
    const file = join(folder, 'earlier.sqlite')
    const old = new Sqlite(file)
    const version = 2
    for (const step of migrations.slice(0, version)) old.exec(step)
    old.exec(`INSERT INTO store VALUES ('epoch', 'e'), ('secret', 's'); PRAGMA user_version = ${version}`)
    const done = { app: ONE, userId: alice, id: uuid(1), name: 'delete-message', at: 1 }
    old.prepare('INSERT INTO operations VALUES (?, ?, ?, ?, ?)').run(ONE, alice, uuid(1), 'delete-message', 1)
    old.close()
    const store = openSqliteStore(file)
    const found = { ...done, id: uuid(2), answer: { effect: uuid(9), result: {} } }
    await commit(store, { operations: [found] })
    expect((await store.log.load({ ...NOTHING, operations: [done, found] })).operations).toStrictEqual([done, found])
    await store.close()
  })

  it('11 rows from before there were sums are served as they are', async () => {
    const file = await closedChat()
    const old = new Sqlite(file)
    old.exec('UPDATE messages SET sum = NULL')
    old.close()
    const store = openSqliteStore(file)
    expect((await store.streams.messages(ONE, uuid(1), alice, null, 10))?.messages).toHaveLength(5)
    const [written] = await store.streams.writtenConversations(ONE, alice, [{ id: uuid(1), after: 0 }], 10)
    expect(written!.rows.some(({ type }) => type === 'messages')).toBe(true)
    await store.close()
  })

  it('11 trees and a schema that are not as they were are found before anything is served', async () => {
    const file = await closedChat()
    const sound = readFileSync(file)
    openDatabase(file, { mustBeSound: true }).close()
    const index = new Sqlite(file)
    index.unsafeMode().pragma('writable_schema = ON')
    index.exec(`DELETE FROM sqlite_master WHERE name = 'messages_by_id'`)
    index.close()
    expect(() => openDatabase(file, { mustBeSound: true })).toThrow(/damaged.*backup/)
    const page = Buffer.from(sound)
    const key = page.indexOf('alice', 4096)
    page[key]! ^= 4
    writeFileSync(file, page)
    expect(() => openDatabase(file, { mustBeSound: true })).toThrow(/damaged.*backup/)
  })
})
