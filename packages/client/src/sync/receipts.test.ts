import type { IdentityId, MessageRow, ParticipantRow, PositionSet } from '@parley/protocol'
import { expect, it } from 'vitest'
import type { StoredStream } from '../replica/replica.ts'
import { deliveryDue } from './receipts.ts'

const me = 'me' as IdentityId
const other = 'other' as IdentityId
const stream = (more: Partial<StoredStream> = {}): StoredStream =>
  ({ stream: 'c', sequence: 9, head: 9, oldest: 1, complete: true, ...more }) as StoredStream
const participant = (delivered: PositionSet, state: 'active' | 'left' = 'active') =>
  ({ identity: { id: me }, state, delivered }) as unknown as ParticipantRow
const message = (position: number, sender = other) => ({ position, sender }) as MessageRow

it('RCPT-2 what arrived is told up to the newest of others', () => {
  const newest = [message(5), message(6), message(7, me)]
  expect(deliveryDue({ stream: stream(), me: participant([1, 4]), newest })).toBe(6)
})

it('RCPT-2 nothing is told of own messages, of what is marked already, or by who takes no part', () => {
  expect(deliveryDue({ stream: stream(), me: participant([]), newest: [message(1, me)] })).toBeUndefined()
  expect(deliveryDue({ stream: stream(), me: participant([1, 6]), newest: [message(6)] })).toBeUndefined()
  expect(deliveryDue({ stream: stream(), me: participant([], 'left'), newest: [message(6)] })).toBeUndefined()
  expect(deliveryDue({ stream: stream(), me: undefined, newest: [message(6)] })).toBeUndefined()
  expect(deliveryDue({ stream: stream(), me: participant([]), newest: [] })).toBeUndefined()
})

it('RCPT-2 a receipt is a watermark: not while something below is missing', () => {
  const newest = [message(100)]
  const hole = stream({ complete: false, oldest: 60 })
  expect(deliveryDue({ stream: hole, me: participant([1, 50]), newest })).toBeUndefined()
  expect(deliveryDue({ stream: hole, me: participant([1, 59]), newest })).toBe(100)
  expect(deliveryDue({ stream: stream({ sequence: 8 }), me: participant([]), newest })).toBeUndefined()
})
