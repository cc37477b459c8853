/** Moving a store whose server is stopped, by the shipped command, on real files and real databases. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadSqlite } from '@parley/sqlite'
import { type PostgresServer, parley, postgresVersions, startPostgres } from '@parley/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AppKey } from '../../src/model/state.ts'
import { alice, chat, ONE, uuid } from '../../src/store/contract/records.contract.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { query } from '../fresh-databases.ts'
import { fillFile, rowsOfDatabase, rowsOfFile, strayIds } from './both-stores.ts'

const Sqlite = loadSqlite()

const MOMENTS = ['begun 1', 'claimed 1', 'portion-copied 9', 'copied 1', 'compared 1', 'ready 1', 'sealed 1', 'live 1']

describe.each(postgresVersions)('a store moves to PostgreSQL %i', (version) => {
  const root = mkdtempSync(join(tmpdir(), 'parley-transfer-'))
  let server: PostgresServer
  let count = 0
  let folder: string
  let file: string
  let url: string

  beforeAll(async () => {
    server = await startPostgres({ version })
  })
  beforeEach(async () => {
    folder = join(root, String(++count))
    file = join(folder, 'parley.sqlite')
    url = await server.createDatabase(`target_${count}`)
  })
  afterAll(async () => {
    await server?.close()
    rmSync(root, { recursive: true, force: true })
  })

  const migrateStore = async (args: readonly string[] = [], env?: Record<string, string>) => {
    const run = parley(['migrate-store', '--data', folder, '--to', url, ...args], env)
    const { code, signal } = await run.exit
    return { code, signal, lines: run.lines, text: run.lines.join('\n') }
  }
  const storedValue = async (name: string) =>
    (await query(url, 'SELECT value FROM parley.store WHERE name = $1', [name]))[0]?.value as string | undefined

  it('every row of every table is there, and nothing else; the log goes on where it was', async () => {
    fillFile(file, { messages: 12_000 })
    const before = rowsOfFile(file)
    const done = await migrateStore()
    expect(done.text).toMatch(/Copying: 0 of [\d,]+ rows[\s\S]*Comparing[\s\S]*Moved: everything is in PostgreSQL\./)
    expect(done.code).toBe(0)
    expect(await rowsOfDatabase(url)).toEqual(before)
    expect(await strayIds(url)).toBe(0)
    const store = await openPostgresStore(url)
    try {
      const db = new Sqlite(file, { readonly: true })
      const secret = db.prepare(`SELECT value FROM store WHERE name = 'secret'`).pluck().get()
      expect(store.epoch).toBe(db.prepare(`SELECT value FROM store WHERE name = 'epoch'`).pluck().get())
      expect(await store.apps.secret()).toBe(secret)
      db.close()
      // Devices keep this number: it has to be understood, and what comes next has to lie above it.
      expect(await store.log.lastCursor()).toBe(4_000_000_000)
      const first = await chat(store, uuid(1), 1)
      const second = await chat(store, uuid(2), 1, { inbox: 2 })
      expect(first).toBeGreaterThan(4_000_000_000)
      const after = async (cursor: number) =>
        (await store.streams.moved(ONE, alice, cursor)).conversations.map(({ id }) => id)
      expect(await after(4_000_000_000)).toEqual([uuid(1), uuid(2)])
      expect(await after(first)).toEqual([uuid(2)])
      expect(await store.log.lastCursor()).toBe(second)
      // What is made anew gets ids of its own.
      const app = { environment: 'staging', name: 'late', sessionSeconds: null, allowedOrigins: null } as const
      const late = { ...app, key: 0 as AppKey, id: uuid(9), createdAt: 1, suspendedAt: null }
      await store.apps.create(late, { id: uuid(8), app: 0 as AppKey, jwksUrl: null }, null)
      expect((await store.apps.byId(uuid(9)))?.key).toBe(8)
    } finally {
      await store.close()
    }
    const refused = parley(['serve', '--data', folder, '--port', '0'])
    expect((await refused.exit).code).toBe(1)
    expect(refused.lines.join()).toMatch(
      /The store .* was moved to postgres:\/\/.*target_\d+ on .* Name its new place with --store/,
    )
    expect((await migrateStore()).text).toMatch(/That was done before/)
  })

  // The steps are the same on every version, and the last of them is what matters.
  it.each(version === 18 ? MOMENTS : ['sealed 1'])(
    'killed when it has %s, it goes on from there when it is run again',
    async (moment) => {
      fillFile(file, { messages: 6_000, seed: count })
      const before = rowsOfFile(file)
      const killed = await migrateStore([], { PARLEY_FAIL_POINT: moment })
      expect(killed.signal).toBe('SIGKILL')
      const isSealed = /sealed|live/.test(moment)
      // One truth: either the file takes writes, or the database does, and between the two nobody.
      const db = new Sqlite(file)
      const write = () => db.prepare(`INSERT INTO used_nonces VALUES ('late', 1)`).run()
      if (isSealed) expect(write).toThrow(/was moved/)
      else write()
      db.close()
      if (moment !== 'live 1' && (await storedValue('transfer').catch(() => undefined))) {
        await expect(openPostgresStore(url)).rejects.toThrow(/still being filled/)
      }
      const again = await migrateStore()
      expect(again.text).toMatch(/everything is in PostgreSQL/)
      const wanted = isSealed ? before : { ...before, used_nonces: rowsOfFile(file).used_nonces }
      expect(await rowsOfDatabase(url)).toEqual(wanted)
      expect(await strayIds(url)).toBe(0)
      await (await openPostgresStore(url)).close()
    },
  )
})
