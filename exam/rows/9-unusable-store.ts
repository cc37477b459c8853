import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAdministration, storeFile } from '@parley/server'
import { loadSqlite } from '@parley/sqlite'
import { parley } from '@parley/testkit'
import { now } from '../load/recorder.ts'
import { lookIntoStore } from '../load/store-file.ts'
import { judge, type Row, type RowContext } from '../row.ts'

const Sqlite = loadSqlite()

const START_MS = 2_000

const hashOf = (file: string) =>
  existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : 'absent'

async function folderWithStore(context: RowContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-store-'))
  context.onEnd(() => rmSync(folder, { recursive: true, force: true }))
  const administration = await openAdministration(folder)
  await administration.createApp({ algorithm: 'ES256' })
  await administration.close()
  return folder
}

/** Starts a server on a folder that is not fit for it, and waits until it gives up. */
async function tryToServe(folder: string) {
  const startedAt = now()
  const server = parley(['serve', '--json', '--data', folder, '--port', '0'])
  const outcome = await Promise.race([
    server.exit,
    server.line(/"url"/, { timeoutMs: 20_000 }).then(
      () => undefined,
      () => server.exit,
    ),
  ])
  const tookMs = now() - startedAt
  await server.kill()
  return { code: outcome?.code ?? 'serves', lines: [...server.lines], tookMs }
}

export const row: Row = {
  id: 9,
  tier: 'n',
  title: 'the store’s file is something else, of a newer version, a folder, or cut short',
  async run(context) {
    const spoil: Record<string, (folder: string) => void> = {
      newer: (folder) => lookIntoStore(folder, (store) => store.pragma('user_version = 999')),
      text: (folder) => writeFileSync(storeFile(folder), 'Dear diary, '.repeat(1_000)),
      folder: (folder) => {
        rmSync(storeFile(folder))
        mkdirSync(storeFile(folder))
      },
      cut: (folder) => writeFileSync(storeFile(folder), readFileSync(storeFile(folder)).subarray(0, 6_000)),
      foreign: (folder) => {
        rmSync(storeFile(folder))
        const other = new Sqlite(storeFile(folder))
        other.exec('CREATE TABLE diary (day TEXT); PRAGMA user_version = 3')
        other.close()
      },
    }
    const outcomes = []
    for (const [name, make] of Object.entries(spoil)) {
      const folder = await folderWithStore(context)
      make(folder)
      const before = hashInFolder(folder)
      const { code, lines, tookMs } = await tryToServe(folder)
      outcomes.push({ name, code, lines, tookMs, isSame: hashInFolder(folder) === before })
    }
    const bad = outcomes.filter(({ code, lines }) => code === 'serves' || code === 0 || lines.length !== 1)
    const slowest = Math.max(...outcomes.map(({ tookMs }) => tookMs))
    return judge({
      bites: outcomes.length,
      figures: {
        slowestMs: Math.round(slowest),
        codes: outcomes.map(({ name, code }) => `${name}:${code}`).join(' '),
      },
      holds: {
        [`each was refused with one sentence (${bad.map(({ name, lines }) => `${name}: ${lines.join(' / ').slice(0, 200)}`).join('; ')})`]:
          bad.length === 0,
        [`nothing was written (${outcomes.filter(({ isSame }) => !isSame).map(({ name }) => name)})`]: outcomes.every(
          ({ isSame }) => isSame,
        ),
        soon: slowest <= START_MS * context.slowness,
      },
    })
  },
}

const hashInFolder = (folder: string) => {
  try {
    return hashOf(storeFile(folder))
  } catch {
    return 'a folder'
  }
}
