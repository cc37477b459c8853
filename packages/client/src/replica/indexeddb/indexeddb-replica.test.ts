import 'fake-indexeddb/auto'
import { IDBFactory } from 'fake-indexeddb'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { replicaContract } from '../replica.contract.ts'
import type { LossReason, OutboxEntry } from '../replica.ts'
import { createIndexedDbStorage } from './index.ts'
import { answer, completion } from './requests.ts'

beforeEach(() => {
  vi.stubGlobal('indexedDB', new IDBFactory())
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('the replica in IndexedDB', () => {
  replicaContract(() => ({ storage: createIndexedDbStorage(), restarted: createIndexedDbStorage }))

  const row = { name: 'm', value: 1 }
  const write = { type: 'put', table: 'meta', row } as const

  it('DB-9 without IndexedDB opening says that it is unavailable', async () => {
    vi.stubGlobal('indexedDB', undefined)
    await expect(createIndexedDbStorage().open('app')).rejects.toMatchObject({ code: 'unavailable' })
    await expect(createIndexedDbStorage().destroy('app')).rejects.toMatchObject({ code: 'unavailable' })
  })

  it.each(['InvalidStateError', 'SecurityError'])(
    'DB-9 a private window that answers %s is unavailable',
    async (name) => {
      vi.stubGlobal('indexedDB', {
        open: () => {
          throw new DOMException('not here', name)
        },
      })
      await expect(createIndexedDbStorage().open('app')).rejects.toMatchObject({ code: 'unavailable' })
    },
  )

  it('lets go when a newer version of the code in another tab upgrades the database', async () => {
    const reasons: LossReason[] = []
    const replica = await createIndexedDbStorage().open('app', { onLost: (reason) => reasons.push(reason) })
    const newer = await openNewer()
    expect(reasons).toEqual(['superseded'])
    await expect(replica.commit([write], { durability: 'strict' })).rejects.toMatchObject({ code: 'closed' })
    newer.close()
  })

  it('a commit under way when the database is taken away is finished first', async () => {
    const replica = await createIndexedDbStorage().open('app')
    const commit = replica.commit([write], { durability: 'strict' })
    const newer = await openNewer()
    await commit
    expect(await answer(newer.transaction('meta').objectStore('meta').get(['m']))).toEqual(row)
    newer.close()
  })

  it('a device that kept positions by themselves finds its messages by their ids', async () => {
    const opening = indexedDB.open('parley:app', 2)
    opening.onupgradeneeded = () => {
      for (const store of ['messages', 'positions', 'meta', 'past-terms']) opening.result.createObjectStore(store)
    }
    const older = await answer(opening)
    const transaction = older.transaction(['messages', 'positions'], 'readwrite')
    const place = { id: 'm1', conversation: 'c1', position: 7 }
    transaction.objectStore('messages').put(place, ['c1', 7])
    transaction.objectStore('positions').put(place, ['m1'])
    await completion(transaction)
    older.close()
    const replica = await createIndexedDbStorage().open('app')
    expect(await replica.getMany('positions', [['m1'], ['m2']])).toEqual([place, undefined])
    await replica.commit([{ type: 'delete', table: 'messages', key: ['c1', 7] }], { durability: 'relaxed' })
    expect(await replica.count('positions')).toBe(0)
    await replica.close()
  })

  it('a database that newer code has written is refused, not downgraded', async () => {
    const newer = await openNewer()
    newer.close()
    await expect(createIndexedDbStorage().open('app')).rejects.toMatchObject({ code: 'broken' })
    expect((await indexedDB.databases()).map((database) => database.version)).toEqual([99])
  })

  it('the last rows are found across gaps, however wide', async () => {
    const replica = await createIndexedDbStorage().open('app')
    const entry = (order: number) => ({ type: 'put', table: 'outbox', row: { order } as OutboxEntry }) as const
    const orders = [1, 2, 3, 500, 501, 40_000]
    await replica.commit(orders.map(entry), { durability: 'relaxed' })
    for (let limit = 1; limit <= 7; limit++) {
      const found = await replica.scan('outbox', { reverse: true, limit })
      expect(found.map(({ order }) => order)).toEqual(orders.toReversed().slice(0, limit))
      const above = await replica.scan('outbox', { reverse: true, limit, from: 3, to: 600 })
      expect(above.map(({ order }) => order)).toEqual([501, 500, 3].slice(0, limit))
    }
    await replica.close()
  })

  it('TAB-5 no transaction waits for the page once it has been asked for', async () => {
    const replica = await createIndexedDbStorage().open('app')
    await replica.commit([write], { durability: 'relaxed', term: 0 })
    const transactions = vi.spyOn(IDBDatabase.prototype, 'transaction')
    const commits = vi.spyOn(IDBTransaction.prototype, 'commit')
    await replica.commit([write], { durability: 'strict', term: 0 })
    await replica.get('meta', ['m'])
    await replica.getMany('meta', [['m'], ['n']])
    await replica.count('meta')
    await replica.scan('meta')
    await replica.scan('messages', { prefix: ['c'], reverse: true, limit: 5 })
    expect(commits).toHaveBeenCalledTimes(transactions.mock.calls.length)
    await replica.close()
  })

  it('what is read in one go is one transaction, and a read that fails fails alone', async () => {
    const replica = await createIndexedDbStorage().open('app')
    await replica.commit([write], { durability: 'relaxed' })
    const transactions = vi.spyOn(IDBDatabase.prototype, 'transaction')
    const [found, wrong, none] = await Promise.allSettled([
      replica.get('meta', ['m']),
      replica.get('meta', [{} as never]),
      replica.scan('streams'),
    ])
    expect([found, none]).toMatchObject([{ value: row }, { value: [] }])
    expect(wrong).toMatchObject({ reason: { code: 'broken' } })
    expect(transactions.mock.calls).toEqual([[['meta', 'streams']]])
    await replica.close()
  })

  it('what was asked for before it closed is answered', async () => {
    const replica = await createIndexedDbStorage().open('app')
    await replica.commit([write], { durability: 'relaxed' })
    const reading = replica.get('meta', ['m'])
    await replica.close()
    expect(await reading).toEqual(row)
  })

  it('a commit without room changes nothing and says so', async () => {
    const replica = await createIndexedDbStorage().open('app')
    const put = IDBObjectStore.prototype.put
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (this: IDBObjectStore, row, key) {
      // As a browser does when the quota is reached: the transaction ends with this error and takes all with it.
      const transaction = this.transaction as unknown as { _abort(errorName: string): void }
      setImmediate(() => transaction._abort('QuotaExceededError'))
      return put.call(this, row, key)
    })
    await expect(replica.commit([write], { durability: 'strict' })).rejects.toMatchObject({ code: 'full' })
    vi.restoreAllMocks()
    expect(await replica.scan('meta')).toEqual([])
    await replica.commit([write], { durability: 'strict' })
    expect(await replica.scan('meta')).toEqual([row])
    await replica.close()
  })

  it.each(['strict', 'relaxed'] as const)('a %s commit asks the browser for that durability', async (durability) => {
    const replica = await createIndexedDbStorage().open('app')
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
    await replica.commit([write], { durability })
    expect(transaction).toHaveBeenCalledWith(['meta'], 'readwrite', { durability })
    await replica.close()
  })
})

/** As the code of some day to come would. */
function openNewer(): Promise<IDBDatabase> {
  return answer(indexedDB.open('parley:app', 99))
}
