import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, loadSqlite } from '@parley/sqlite'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { replicaContract } from '../replica.contract.ts'
import type { LossReason } from '../replica.ts'
import { createSqliteStorage } from './index.ts'

const Sqlite = loadSqlite()

let directory: string
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'parley-replica-')), 'data')
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(join(directory, '..'), { recursive: true, force: true })
})

describe('the replica in SQLite', () => {
  replicaContract(() => ({
    storage: createSqliteStorage({ directory }),
    restarted: () => createSqliteStorage({ directory }),
  }))

  const put = { type: 'put', table: 'meta', row: { name: 'm', value: 1 } } as const
  const onlyFile = () => join(directory, readdirSync(directory).find((name) => name.endsWith('.sqlite'))!)

  it('AUTH-14 no file remains after destroying', async () => {
    const storage = createSqliteStorage({ directory })
    const replica = await storage.open('app')
    await replica.commit([put], { durability: 'strict' })
    expect(readdirSync(directory).length).toBeGreaterThan(0)
    await storage.destroy('app')
    expect(readdirSync(directory)).toEqual([])
  })

  it('only its owner can look into the folder', async () => {
    const replica = await createSqliteStorage({ directory }).open('app')
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    await replica.close()
  })

  it('an app id cannot lead out of the folder', async () => {
    const replica = await createSqliteStorage({ directory }).open('../../outside')
    expect(readdirSync(join(directory, '..'))).toEqual(['data'])
    await replica.close()
  })

  it('a file that newer code has written is refused and kept', async () => {
    const storage = createSqliteStorage({ directory })
    await (await storage.open('app')).close()
    const database = new Sqlite(onlyFile())
    database.pragma('user_version = 99')
    database.close()
    await expect(storage.open('app')).rejects.toMatchObject({ name: 'ReplicaError', code: 'broken' })
    expect(existsSync(onlyFile())).toBe(true)
  })

  it('a file that is no database is refused', async () => {
    const storage = createSqliteStorage({ directory })
    await (await storage.open('app')).close()
    writeFileSync(onlyFile(), 'not a database, but long enough to be looked at as one'.repeat(100))
    await expect(storage.open('app')).rejects.toMatchObject({ name: 'ReplicaError', code: 'broken' })
  })

  it('a commit without room changes nothing and says so', async () => {
    limitPages(20)
    const replica = await createSqliteStorage({ directory }).open('app')
    await replica.commit([put], { durability: 'strict' })
    const big = { type: 'put', table: 'meta', row: { name: 'big', value: 'x'.repeat(100_000) } } as const
    const small = { type: 'put', table: 'meta', row: { name: 'small', value: 1 } } as const
    await expect(replica.commit([small, big], { durability: 'strict' })).rejects.toMatchObject({ code: 'full' })
    expect(await replica.scan('meta')).toEqual([put.row])
    await replica.commit([small], { durability: 'strict' })
    expect(await replica.count('meta')).toBe(2)
    await replica.close()
  })

  it('a disk that fails closes the replica and tells its owner', async () => {
    const reasons: LossReason[] = []
    const replica = await createSqliteStorage({ directory }).open('app', { onLost: (reason) => reasons.push(reason) })
    vi.spyOn(Sqlite.prototype, 'prepare').mockImplementation(() => {
      throw Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_FSYNC' })
    })
    await expect(replica.commit([put], { durability: 'strict' })).rejects.toMatchObject({ code: 'broken' })
    vi.restoreAllMocks()
    expect(reasons).toEqual(['broken'])
    await expect(replica.scan('meta')).rejects.toMatchObject({ code: 'closed' })
  })

  it.each([
    ['strict', 'FULL'],
    ['relaxed', 'NORMAL'],
  ] as const)('a %s commit runs with synchronous = %s', async (durability, synchronous) => {
    const replica = await createSqliteStorage({ directory }).open('app')
    const pragma = vi.spyOn(Sqlite.prototype, 'pragma')
    await replica.commit([put], { durability })
    expect(pragma.mock.calls.map(([text]) => text)).toEqual([`synchronous = ${synchronous}`])
    await replica.close()
  })
})

/** Databases opened from now on hold no more than this: a full disk in small. */
function limitPages(pages: number): void {
  const { pragma } = Sqlite.prototype
  vi.spyOn(Sqlite.prototype, 'pragma').mockImplementation(function (this: Database, text, options) {
    if (text.startsWith('journal_mode')) pragma.call(this, `max_page_count = ${pages}`)
    return pragma.call(this, text, options)
  })
}
