import { afterEach, beforeEach, expect, it } from 'vitest'
import type { OutboxEntry } from '../src/index.ts'
import { World } from './world.ts'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

it('OPR-4 what was acknowledged in a conversation one has left does not stay in the outbox after a crash', async () => {
  const alice = await world.signedIn('alice')
  const { conversation } = await alice.client.createConversation({ participants: ['bob'] })
  await world.flow()
  await conversation.leave()
  await world.flow()
  const replica = await alice.replica()
  expect(await replica.get('memberships', [conversation.id])).toMatchObject({ state: 'left' })
  // As a crash leaves it that comes after the copy is gone and before the entry is.
  const identity = 'layer:///identities/alice'
  const state = { state: 'acknowledged', stream: conversation.id, sequence: 9, result: {} }
  const input = { conversation: conversation.id, receipt: 'read', position: 1 }
  const entry = { order: 77, id: 'x', name: 'mark-messages', conversation: conversation.id, input, identity, state }
  const row = entry as unknown as OutboxEntry
  await replica.commit([{ type: 'put', table: 'outbox', row }], { durability: 'strict' })
  await alice.restart()
  await world.flow()
  expect(await replica.count('outbox')).toBe(0)
})
