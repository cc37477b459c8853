/** The store on threads of its own, which run the built files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WorkerOptions } from 'node:worker_threads'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { alice, chat, ONE, uuid } from '../contract/records.contract.ts'
import { storeContract } from '../store.contract.ts'
import type { Store } from '../store.ts'

/** Threads, in the order they were started: of each store one that writes, one that reads, one that looks after it. */
const threads: { terminate(): Promise<number> }[] = []

// The runner resolves packages to their sources, and threads would inherit that.
vi.mock('node:worker_threads', async (original) => {
  const real = await original<typeof import('node:worker_threads')>()
  class Worker extends real.Worker {
    constructor(file: URL, options: WorkerOptions) {
      super(file, { ...options, execArgv: [] })
      threads.push(this)
    }
  }
  return { ...real, Worker }
})

const built = (file: string) => new URL(`../../../dist/store/${file}`, import.meta.url).href
const { openThreadedSqliteStore, storeFile } = (await import(built('sqlite/sqlite-store.js'))) as {
  openThreadedSqliteStore(file: string): Promise<Store>
  storeFile(folder: string): string
}
const { StoreOutage } = (await import(built('store.js'))) as typeof import('../store.ts')

const folder = mkdtempSync(join(tmpdir(), 'parley-threads-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const open = () => openThreadedSqliteStore(storeFile(join(folder, String(++files))))

describe('25 SQLite on threads of its own', () => {
  storeContract(open)

  it('OPR-2 what a commit promised, a reader sees at once', async () => {
    const store = await open()
    for (let n = 1; n <= 50; n++) {
      await chat(store, uuid(n), 1, { inbox: n })
      expect((await store.streams.moved(ONE, alice, 0)).conversations).toHaveLength(n)
    }
    await store.close()
  })

  it('a closed store answers with an outage, and closes twice without harm', async () => {
    const store = await open()
    await store.close()
    await expect(store.log.lastCursor()).rejects.toBeInstanceOf(StoreOutage)
    await store.close()
  })

  it('questions asked in one turn are answered in order, each its own', async () => {
    const store = await open()
    await chat(store, uuid(1), 5)
    const answers = await Promise.all([
      store.streams.audience(ONE, uuid(1)),
      store.log.lastCursor(),
      store.streams.audience(ONE, uuid(2)),
      store.lists.profile(ONE, alice),
      store.log.load({} as never).catch((error: Error) => error.name),
      store.log.lastCursor(),
    ])
    expect(answers).toMatchObject([['alice', 'ben'], 1, [], { userId: 'alice' }, 'TypeError', 1])
    await store.close()
  })

  it('what is read lies in the memory that was lent for it, where the other thread wrote it', async () => {
    const store = await open()
    await chat(store, uuid(1), 5)
    const room = new Uint8Array(new SharedArrayBuffer(10_000))
    const pages = await store.streams.writtenConversations(ONE, alice, [{ id: uuid(1), after: 0 }], 10, room)
    const texts = pages[0]!.rows.flatMap((row) => (row.type === 'messages' ? [Buffer.from(row.bytes).toString()] : []))
    expect(JSON.parse(`[${texts.join(',')}]`)).toHaveLength(5)
    expect(Buffer.from(room.buffer).toString('utf8', 0, texts.join('').length)).toBe(texts.join(''))
    await store.close()
  })

  it('a folder that cannot be written is a sentence, not a stack', async () => {
    const notAFolder = join(folder, 'a-file')
    writeFileSync(notAFolder, '')
    const opened = openThreadedSqliteStore(storeFile(notAFolder))
    await expect(opened).rejects.toMatchObject({
      code: 'store_unusable',
      message: expect.stringMatching(/^The store /),
    })
  })

  it.each([
    [0, 'The thread that writes the store has ended.'],
    [1, 'The thread that reads the store has ended.'],
  ])(
    'a thread that ends unasked loses the store to this process, and whoever waits is told',
    async (which, sentence) => {
      const before = threads.length
      const store = await open()
      // It does not answer any more, and nobody here knows of that yet.
      const ended = threads[before + which]!.terminate()
      const asked = which === 0 ? store.log.lastCursor() : store.lists.profile(ONE, alice)
      await expect(asked).rejects.toBeInstanceOf(StoreOutage)
      await ended
      expect(await store.lost).toMatchObject({ sentence, remedy: 'restart' })
      await store.close()
    },
  )

  it('a store that is closed is not lost', async () => {
    const store = await open()
    let isLost = false
    void store.lost?.then(() => {
      isLost = true
    })
    await store.close()
    await new Promise((resolve) => setImmediate(resolve))
    expect(isLost).toBe(false)
  })
})
