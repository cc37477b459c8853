import { loadSqlite } from '@parley/sqlite'
import { expect, test } from 'vitest'
import { migrations } from '../store/sqlite/migrations.ts'
import { tables } from './tables.ts'

const Sqlite = loadSqlite()

/** What a transfer makes anew, or reads by itself. */
const NOT_COPIED = ['log', 'store']

test('every table and every column there is is carried over: a new one has to be named here', () => {
  const db = new Sqlite(':memory:')
  for (const step of migrations) db.exec(step)
  const names = db.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all() as string[]
  expect(tables.map(({ name }) => name).sort()).toEqual(names.filter((name) => !NOT_COPIED.includes(name)).sort())
  for (const { name, columns, key, summed } of tables) {
    const there = db.pragma(`table_info(${name})`) as { name: string; pk: number }[]
    expect([...columns.map((column) => column.name), ...(summed ? ['sum'] : [])]).toEqual(there.map((one) => one.name))
    const keys = there.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
    expect(key.map((column) => column.name)).toEqual(keys.map((one) => one.name))
  }
  db.close()
})
