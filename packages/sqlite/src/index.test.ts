import { expect, it } from 'vitest'
import { loadSqlite, packageFor } from './index.ts'

it('this Node gets the build that it can run, and it runs', () => {
  const Sqlite = loadSqlite()
  const database = new Sqlite(':memory:')
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const hasStableInterface = major > 22 || (major === 22 && minor >= 14)
  expect(packageFor(Number(process.versions.napi))).toBe(hasStableInterface ? 'better-sqlite3-13' : 'better-sqlite3')
  expect(database.prepare('SELECT 6 * 7').pluck().get()).toBe(42)
  database.close()
  expect(loadSqlite()).toBe(Sqlite)
})

it.each([
  { node: '20.20', stableInterface: 9, name: 'better-sqlite3' },
  { node: '22.13', stableInterface: 9, name: 'better-sqlite3' },
  { node: '22.14', stableInterface: 10, name: 'better-sqlite3-13' },
  { node: '24.21', stableInterface: 10, name: 'better-sqlite3-13' },
])('Node $node gets $name', ({ stableInterface, name }) => {
  expect(packageFor(stableInterface)).toBe(name)
})
