import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { afterAll, describe, expect, it } from 'vitest'
import { alice, chat, ONE, picture, storeContract, uuid } from '../store.contract.ts'
import { openSqliteStore, storeFile } from './sqlite-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-store-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const freshFile = () => storeFile(join(folder, String(++files)))

describe('SQLite in memory', () => storeContract(async () => openSqliteStore(':memory:')))

describe('SQLite on a disk', () => {
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
})
