import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SqliteStore } from '../store/sqlite/sqlite-store.ts'
import { StoreMoved, type TransferAnswer, type TransferMark } from '../store/sqlite/transfer-mark.ts'
import { Stale, type Store, type Writes } from '../store/store.ts'
import { transferable } from './transferable-store.ts'

const MARK: TransferMark = { id: 'one', state: 'under-way', to: 'postgres://db/x', since: 0 }
const ASKED: TransferMark = { ...MARK, asked: { question: 'ready?', url: 'postgres://secret@db/x' } }
const writes = {} as Writes

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A store whose parts note what they are asked. */
function fakeStore(name: string, hasOneWriter: boolean) {
  const asked: string[] = []
  let isSealed = false
  const call =
    (what: string, isWrite = false) =>
    async () => {
      if (isWrite && isSealed) throw new StoreMoved()
      asked.push(what)
      return name
    }
  const log = {
    lastCursor: call('lastCursor'),
    load: call('load'),
    commit: call('commit', true),
    prune: call('prune', true),
  }
  const store = {
    epoch: 'e',
    hasOneWriter,
    log,
    streams: { moved: call('moved') },
    lists: {},
    apps: { putApp: call('putApp', true), all: call('all') },
    close: vi.fn(async () => undefined),
  }
  return { asked, store, seal: () => (isSealed = true) }
}

function world(openTarget?: () => Promise<Store>) {
  const [file, database] = [fakeStore('file', true), fakeStore('database', false)]
  let mark: TransferMark | undefined
  const answers: TransferAnswer[] = []
  const openForAll = vi.fn(async () => undefined)
  const embedded = {
    ...file.store,
    transfer: { read: async () => mark, putAnswer: async (answer: TransferAnswer) => void answers.push(answer) },
  } as unknown as SqliteStore
  const target = database.store as unknown as Store
  const store = transferable(embedded, {
    openTarget: openTarget ?? (async () => target),
    openForAll,
    log: () => undefined,
  })
  const say = async (said: TransferMark | undefined) => {
    mark = said
    await vi.advanceTimersByTimeAsync(500)
  }
  return { store, file, database, say, answers, openForAll }
}

test('asked to stand by, it connects, says so once, and goes on with the file', async () => {
  const { store, say, answers, openForAll } = world()
  await say(ASKED)
  await say(ASKED)
  expect(answers).toEqual([{ question: 'ready?', state: 'ready', pid: process.pid }])
  expect(await store.log.commit(writes)).toBe('file')
  expect(store.hasOneWriter).toBe(true)
  expect(openForAll).not.toHaveBeenCalled()
  await store.close()
})

test('a database that cannot be reached from here is told', async () => {
  const { store, say, answers } = world(() => Promise.reject(new Error('no route')))
  await say(ASKED)
  expect(answers).toEqual([{ question: 'ready?', state: 'unable', trouble: 'no route', pid: process.pid }])
  await store.close()
})

test('a commit that the sealed file refuses is decided anew from the database, and never before it is open for all', async () => {
  const { store, file, database, say, answers, openForAll } = world()
  await say(ASKED)
  file.seal()
  await say({ ...MARK, state: 'under-way' })
  openForAll.mockRejectedValueOnce(new Error('away'))
  await expect(store.log.commit(writes)).rejects.toThrow('The database cannot be reached.')
  expect(await store.streams.moved(1 as never, 'a' as never, 0)).toBe('file')
  await expect(store.log.commit(writes)).rejects.toThrow(Stale)
  // Whoever decided from the file has to begin anew, even if the database would take it.
  await expect(store.log.commit(writes)).rejects.toThrow(Stale)
  expect(database.asked).toEqual([])
  await store.log.lastCursor()
  expect(await store.log.commit(writes)).toBe('database')
  expect(await store.streams.moved(1 as never, 'a' as never, 0)).toBe('database')
  expect(store.hasOneWriter).toBe(false)
  expect(answers.at(-1)).toMatchObject({ state: 'went-over' })
  await store.close()
})

test('administration that the sealed file refuses is done in the database', async () => {
  const { store, file, database, say } = world()
  await say(ASKED)
  file.seal()
  expect(await store.apps.putApp({} as never)).toBe('database')
  await store.log.prune({ operationsMs: 0, noncesMs: 0 })
  expect(database.asked).toEqual(['putApp', 'prune'])
  await store.close()
})

test('a server that nobody writes to goes over as well', async () => {
  const { store, say, database } = world()
  await say(ASKED)
  await say({ ...MARK, state: 'gone' })
  await store.apps.all()
  expect(database.asked).toEqual(['all'])
  await store.close()
})

test('a server that was not asked has lost its store when the file is gone, and says so', async () => {
  const { store, say, file } = world()
  file.seal()
  await say({ ...MARK, state: 'gone' })
  expect(await store.lost).toMatchObject({ remedy: 'restart' })
  await expect(store.log.commit(writes)).rejects.toThrow(/was not told where to/)
  await store.close()
})
