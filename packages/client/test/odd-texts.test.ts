/** The local databases give every text back as it was put in, to the last code unit. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { oddTexts } from '@parley/testkit'
import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createIndexedDbStorage } from '../src/replica/indexeddb/index.ts'
import { createMemoryStorage } from '../src/replica/memory/index.ts'
import type { ReplicaStorage } from '../src/replica/replica.ts'
import { createSqliteStorage } from '../src/replica/sqlite/index.ts'
import { conversation, message, put, talk } from './support/rows.ts'

const directory = mkdtempSync(join(tmpdir(), 'parley-odd-'))
beforeAll(() => {
  vi.stubGlobal('indexedDB', new IDBFactory())
})
afterAll(() => {
  vi.unstubAllGlobals()
  rmSync(directory, { recursive: true, force: true })
})

const storages: readonly (readonly [string, () => ReplicaStorage])[] = [
  ['IndexedDB', () => createIndexedDbStorage()],
  ['SQLite', () => createSqliteStorage({ directory })],
  ['memory', () => createMemoryStorage()],
]

it.each(storages)('128 %s gives back every odd text that the server accepts', async (_, open) => {
  const storage = open()
  const replica = await storage.open('app')
  const texts = Object.values(oddTexts)
  const metadata = Object.fromEntries(texts.map((text, nth) => [`k${nth}`, text]))
  const writes = [
    conversation({ metadata }),
    ...texts.flatMap((body, nth) => message(nth + 1, { parts: [{ mime_type: `a/b; x="${body.slice(0, 9)}"`, body }] })),
    ...texts.map((text, nth) => put('meta', { name: `odd ${nth} ${text.slice(0, 40)}`, value: text })),
  ]
  await replica.commit(writes, { durability: 'strict' })
  await replica.close()
  const again = await storage.open('app')
  const rows = await again.scan('messages', { prefix: [talk] })
  expect(rows.map(({ parts }) => parts[0]!.body)).toEqual(texts)
  expect(rows.map(({ parts }) => parts[0]!.mime_type)).toEqual(texts.map((body) => `a/b; x="${body.slice(0, 9)}"`))
  expect(await again.get('conversations', [talk])).toMatchObject({ metadata })
  for (const [nth, text] of texts.entries()) {
    expect(await again.get('meta', [`odd ${nth} ${text.slice(0, 40)}`])).toEqual({
      name: `odd ${nth} ${text.slice(0, 40)}`,
      value: text,
    })
  }
  await again.close()
})
