import type { ConversationId, Row } from '@parley/protocol'
import { afterEach, expect, it, vi } from 'vitest'
import { createMemoryStorage } from '../replica/memory/index.ts'
import type { Replica, Tables } from '../replica/replica.ts'
import { readStoredRows } from './stored-rows.ts'

const id = 'layer:///conversations/1' as ConversationId
const message = (position: number) =>
  ({
    type: 'message',
    id: `m${position}`,
    position,
    sequence: position,
    conversation: id,
  }) as unknown as Tables['messages']

let replica: Replica
afterEach(() => replica.close())

async function lookUp(positions: readonly number[]) {
  replica = await createMemoryStorage().open('app')
  const writes = [2, 3, 90].map((position) => ({ type: 'put', table: 'messages', row: message(position) }) as const)
  await replica.commit(writes, { durability: 'relaxed' })
  const one = vi.spyOn(replica, 'getMany')
  const range = vi.spyOn(replica, 'scan')
  const { messages } = await readStoredRows(replica, id, positions.map(message) as unknown as Row[])
  const keys = one.mock.calls.flatMap(([table, asked]) => (table === 'messages' ? asked : []))
  return { found: [...messages.keys()], keys: keys.length, ranges: range.mock.calls.length }
}

it('of the messages of a page, what is stored is found by one look at their range', async () => {
  expect(await lookUp([4, 3, 2, 1])).toEqual({ found: [2, 3], keys: 0, ranges: 1 })
})

it('messages far apart are looked up one by one, not with all that lies between', async () => {
  expect(await lookUp([2, 90])).toEqual({ found: [2, 90], keys: 2, ranges: 0 })
})

it('rows without messages ask for none', async () => {
  expect(await lookUp([])).toEqual({ found: [], keys: 0, ranges: 0 })
})
