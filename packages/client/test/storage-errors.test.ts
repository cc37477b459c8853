import { afterEach, beforeEach, expect, it } from 'vitest'
import { ParleyError } from '../src/index.ts'
import { createMemoryStorage } from '../src/replica/memory/index.ts'
import { ReplicaError, type ReplicaStorage } from '../src/replica/replica.ts'
import { World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

/** A disk that refuses to write while `isFull`. */
function tightDisk() {
  const memory = createMemoryStorage()
  const disk = { isFull: false }
  const storage: ReplicaStorage = {
    destroy: (appId) => memory.destroy(appId),
    async open(appId, options) {
      const replica = await memory.open(appId, options)
      const commit: typeof replica.commit = async (writes, durability) => {
        if (disk.isFull) throw new ReplicaError('full', 'No room.')
        await replica.commit(writes, durability)
      }
      return {
        get: (table, key) => replica.get(table, key),
        getMany: (table, keys) => replica.getMany(table, keys),
        scan: (table, range) => replica.scan(table, range),
        count: (table, range) => replica.count(table, range),
        close: () => replica.close(),
        commit,
      }
    },
  }
  return { disk, storage }
}

const inOurWords = { name: 'ParleyError', code: 'storage_full' }

it('P2 a disk without room fails every call in the one class of errors there is', async () => {
  const { disk, storage } = tightDisk()
  const alice = world.device('alice', { storage })
  await alice.client.opened
  disk.isFull = true
  await expect(world.finish(alice.client.authenticate('alice'))).rejects.toMatchObject(inOurWords)
  disk.isFull = false
  await world.finish(alice.client.authenticate('alice'))
  await world.flow()
  alice.client.disconnect()
  const { operationId } = await alice.client.createConversation({ participants: ['bob'] })
  disk.isFull = true
  await expect(alice.client.outbox.discard(operationId)).rejects.toMatchObject(inOurWords)
  expect(await alice.client.outbox.list()).toHaveLength(1)
})

it('P2 the outbox of nobody rejects rather than throws', async () => {
  const alice = world.device('alice')
  await alice.client.opened
  const calls = [alice.client.outbox.list(), alice.client.outbox.retry('x'), alice.client.outbox.discard('x')]
  for (const outcome of await Promise.allSettled(calls)) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(ParleyError) })
  }
})

it('AUTH-14 a sign-out that cannot delete the copy closes the client, and the next one finishes it', async () => {
  const { disk, storage } = tightDisk()
  const alice = world.device('alice', { storage })
  await world.finish(alice.client.authenticate('alice'))
  await world.flow()
  const call = alice.client.deauthenticate({ keepData: true })
  alice.client.on('connection', ({ state }) => {
    if (state === 'locked-out' || state === 'stopped') disk.isFull = true
  })
  await expect(world.finish(call)).rejects.toMatchObject(inOurWords)
  expect(alice.client.state.state).toBe('closed')
  disk.isFull = false
  await alice.restart()
  expect(alice.client.state.state).toBe('unauthenticated')
})
