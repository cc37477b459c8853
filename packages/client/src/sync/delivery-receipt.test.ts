import type { ConversationId, IdentityId, MessageRow, ParticipantRow } from '@parley/protocol'
import { describe, expect, it, vi } from 'vitest'
import type { Chance, Clock } from '../environment.ts'
import type { Replica, StoredStream, Tables } from '../replica/replica.ts'
import { type Arrival, draftDeliveryReceipt } from './delivery-receipt.ts'

const conversation = 'layer:///conversations/1' as ConversationId
const identity = 'layer:///identities/me' as IdentityId
const other = 'layer:///identities/other' as IdentityId

const message = (position: number) =>
  ({
    type: 'message',
    conversation,
    id: `m${position}`,
    position,
    sequence: position,
    sender: other,
  }) as unknown as MessageRow & Tables['messages']
const participant = (id: IdentityId, state = 'active', delivered: readonly number[] = []) =>
  ({ type: 'participant', sequence: 20, conversation, identity: { id }, state, delivered }) as unknown as ParticipantRow
const level = (sequence: number): StoredStream => ({
  ...{ stream: conversation, sequence, head: sequence, oldest: 1, complete: true },
})

/** What is drafted, and how many looks it took, where one message is stored and nothing of it was told. */
async function draft({ before, stored = [], rows }: Draft) {
  const replica = {
    get: vi.fn(async () => participant(identity)),
    scan: vi.fn(async () => [message(4)]),
  }
  const arrival: Arrival = {
    stored: {
      ...{ stream: before, memberships: new Map(), conversation: undefined, messages: new Map(), doomed: [] },
      ...{ participants: new Map(stored.map((row) => [row.identity.id, row])), streams: new Map(), newest: new Map() },
    },
    rows,
    stream: level(21),
    told: 0,
  }
  const ports = {
    replica: replica as unknown as Replica,
    identity,
    clock: { wall: () => 0 } as Clock,
    chance: { bytes: (count: number) => new Uint8Array(count) } as unknown as Chance,
  }
  const drafted = await draftDeliveryReceipt(ports, arrival)
  return { position: drafted?.input.position, looks: replica.get.mock.calls.length + replica.scan.mock.calls.length }
}

interface Draft {
  readonly before: StoredStream | undefined
  readonly stored?: readonly ParticipantRow[]
  readonly rows: Arrival['rows']
}

describe('that messages arrived is', () => {
  it('told of the first rows of a conversation without looking anything up', async () => {
    const rows = [participant(identity), participant(other), message(7), message(8)]
    expect(await draft({ before: undefined, rows })).toEqual({ position: 8, looks: 0 })
  })

  it('told of a message that came by itself after looking up who one is', async () => {
    expect(await draft({ before: level(20), rows: [message(9)] })).toMatchObject({ position: 9 })
  })

  it.each([
    ['a receipt of somebody else', [], [participant(other)]],
    ['the echo of an own receipt', [participant(identity)], [participant(identity, 'active', [1, 4])]],
  ])('not told, nor looked up, again because of %s', async (_what, stored, rows) => {
    expect(await draft({ before: level(20), stored, rows })).toEqual({ position: undefined, looks: 0 })
  })

  it.each([
    ['one takes part again', level(20), [participant(identity, 'left')]],
    ['one was not known to take part', level(20), []],
    ['the conversation was behind', { ...level(20), head: 21 }, [participant(identity)]],
    ['its history was not all there', { ...level(20), complete: false }, [participant(identity)]],
  ])('told without a new message if %s', async (_what, before, stored) => {
    expect(await draft({ before, stored, rows: [participant(identity)] })).toMatchObject({ position: 4 })
  })
})
