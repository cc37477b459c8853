import { afterEach, beforeEach, expect, it } from 'vitest'
import { World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

it('DIST-2 what is found in the outbox is acknowledged with it, not before', async () => {
  const alice = await world.signedIn('alice')
  alice.client.disconnect()
  const first = await alice.client.createConversation({ participants: ['bob'] })
  const second = await alice.client.createConversation({ participants: ['bob'] })
  expect(second.id).toBe(first.id)
  let isAcknowledged = false
  void second.acknowledged.then(() => {
    isAcknowledged = true
  })
  await world.flow()
  expect(isAcknowledged).toBe(false)
  alice.client.connect()
  expect(await world.finish(second.acknowledged)).toEqual({ conversation: first.id, outcome: 'found' })
})

it('DIST-2 what is found in the outbox and then given up is never acknowledged', async () => {
  const alice = await world.signedIn('alice')
  alice.client.disconnect()
  const first = await alice.client.createConversation({ participants: ['bob'] })
  const second = await alice.client.createConversation({ participants: ['bob'] })
  await alice.client.outbox.discard(first.operationId)
  await expect(second.acknowledged).rejects.toMatchObject({ code: 'discarded' })
})
