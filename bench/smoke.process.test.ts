/** That the benchmark measures something of everything that one node does on SQLite, and that nothing is lost. How fast it was says nothing here. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

interface Results {
  readonly runs: readonly {
    readonly scenario: string
    readonly title: string
    readonly server: string
    readonly sample: Record<string, number>
  }[]
  readonly machine: readonly Record<string, number>[]
}

const folder = mkdtempSync(join(tmpdir(), 'parley-smoke-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const program = (name: string) => fileURLToPath(new URL(`./dist/${name}.js`, import.meta.url))

let table = ''
let results: Results
beforeAll(async () => {
  const json = join(folder, 'bench.json')
  const args = [program('main'), '--quick', '--seconds', '0.2', '--only', 'A,B,C,D,E,limits', '--json', json]
  table = (await promisify(execFile)(process.execPath, args)).stdout
  results = JSON.parse(readFileSync(json, 'utf8'))
})

test('every scenario has figures on both servers, and on paper', () => {
  expect([...new Set(results.runs.map(({ scenario }) => scenario))]).toEqual(['A', 'B', 'C', 'D', 'E'])
  for (const { title, server, sample } of results.runs) {
    for (const [name, figure] of Object.entries(sample)) {
      expect(figure, `${name} of ${title}, ${server}`).toSatisfy(Number.isFinite)
    }
    expect(table).toContain(title)
  }
})

test('nothing was lost', () => {
  expect(results.runs.filter(({ sample }) => sample.lost !== 0)).toEqual([])
})

test('92 of more than can be done, nothing is lost and nothing goes unanswered', async () => {
  const json = join(folder, 'overload.json')
  const args = [program('overload'), '--seconds', '0.5', '--capacity-seconds', '0.3', '--pairs', '10', '--json', json]
  // How fast it was decides how it exits, and says nothing here.
  await promisify(execFile)(process.execPath, args).catch(() => undefined)
  const found = JSON.parse(readFileSync(json, 'utf8'))
  expect(found).toMatchObject({ silent: 0, missing: 0, undelivered: 0, withoutTime: 0, retriedInVain: 0, cut: 0 })
  expect(found.acknowledged).toBeGreaterThan(0)
})

test('the limits of the machine are there as well', () => {
  for (const rate of Object.values(results.machine[0]!)) expect(rate).toBeGreaterThan(0)
})
