import { beforeEach, expect, it, vi } from 'vitest'
import { createMemoryStorage } from '../replica/memory/index.ts'
import { ReplicaError, type ReplicaStorage } from '../replica/replica.ts'
import { SharedReplica } from './shared-replica.ts'

const storage = createMemoryStorage()
const row = { type: 'put', table: 'meta', row: { name: 'm', value: 1 } } as const

async function tab(isShared = true, disk: ReplicaStorage = storage) {
  const told = { onCommitted: vi.fn(), onFenced: vi.fn(), onLost: vi.fn() }
  const replica = new SharedReplica({ appId: 'app', storage: disk, isShared: () => isShared, ...told })
  await replica.open()
  return { replica, ...told }
}

beforeEach(() => storage.destroy('app'))

it('TAB-3 whoever claims last writes; the one before is told, and nothing of it is there', async () => {
  const [first, second] = [await tab(), await tab()]
  expect(await first.replica.claim(0)).toBe(1)
  await first.replica.commit([row], { durability: 'relaxed' })
  expect(first.onCommitted).toHaveBeenCalledOnce()
  expect(await second.replica.claim(7)).toBe(8)
  const late = first.replica.commit([{ ...row, row: { name: 'm', value: 2 } }], { durability: 'relaxed' })
  await expect(late).rejects.toMatchObject({ code: 'fenced' })
  expect(first.onFenced).toHaveBeenCalledOnce()
  expect(first.onCommitted).toHaveBeenCalledOnce()
  expect(await first.replica.get('meta', ['m'])).toMatchObject({ value: 1 })
})

it('TAB-7 emptied, it is still open in every tab, and the one before may still not write', async () => {
  const [first, second] = [await tab(), await tab()]
  await first.replica.claim(0)
  await first.replica.commit([row], { durability: 'relaxed' })
  await second.replica.claim(0)
  await second.replica.wipe()
  expect(await first.replica.scan('meta')).toEqual([{ name: 'term', value: 2 }])
  expect(first.onLost).not.toHaveBeenCalled()
  await expect(first.replica.commit([row], { durability: 'strict' })).rejects.toMatchObject({ code: 'fenced' })
  await expect(first.replica.wipe()).rejects.toMatchObject({ code: 'fenced' })
  await second.replica.commit([row], { durability: 'strict' })
})

it('TAB-7 where nobody else can have it open, no trace of the database is left', async () => {
  const { replica, onLost } = await tab(false)
  const other = await storage.open('app')
  await replica.claim(0)
  await replica.commit([row], { durability: 'relaxed' })
  await replica.wipe()
  await expect(other.scan('meta')).rejects.toMatchObject({ code: 'closed' })
  expect(await replica.scan('meta')).toEqual([{ name: 'term', value: 2 }])
  expect(onLost).not.toHaveBeenCalled()
})

it('TAB-3 a term that there was no room to write begins anew, before anything is written in it', async () => {
  let isFull = false
  const tight: ReplicaStorage = {
    destroy: (appId) => storage.destroy(appId),
    async open(appId, options) {
      const replica = await storage.open(appId, options)
      const commit = replica.commit.bind(replica)
      return Object.assign(replica, {
        commit: async (...args: Parameters<typeof commit>) => {
          if (isFull) throw new ReplicaError('full', 'No room.')
          await commit(...args)
        },
      })
    },
  }
  const [first, second] = [await tab(), await tab(true, tight)]
  await first.replica.claim(0)
  isFull = true
  expect(await second.replica.claim(0)).toBe(2)
  await expect(second.replica.commit([row], { durability: 'strict' })).rejects.toMatchObject({ code: 'full' })
  // The one before sleeps, wakes, and knows nothing of another.
  await first.replica.commit([row], { durability: 'strict' })
  isFull = false
  const blind = second.replica.commit([{ ...row, row: { name: 'm', value: 2 } }], { durability: 'strict' })
  await expect(blind).rejects.toMatchObject({ code: 'fenced' })
  expect(second.onFenced).toHaveBeenCalledOnce()
  expect(await second.replica.get('meta', ['m'])).toMatchObject({ value: 1 })
  await expect(first.replica.commit([row], { durability: 'strict' })).rejects.toMatchObject({ code: 'fenced' })
  await second.replica.claim(2)
  await second.replica.commit([row], { durability: 'strict' })
})
