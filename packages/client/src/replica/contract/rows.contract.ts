/** Rows to commit, one of each table, and messages of any number. */
import type { ConversationId, IdentityId, MessageId } from '@parley/protocol'
import type { Replica, Tables, Write } from '../replica.ts'

const at = '2026-11-22T10:00:00.000Z'
const alice = 'layer:///identities/alice' as IdentityId
export const conversation = (id: string) => id as ConversationId

export function put<T extends Write['table']>(table: T, row: Tables[T]) {
  return { type: 'put', table, row } as Extract<Write, { type: 'put'; table: T }>
}

export function message(id: string, position: number): Tables['messages'] {
  return {
    type: 'message',
    conversation: conversation(id),
    id: `${id}/${position}` as MessageId,
    sequence: position,
    position,
    sender: alice,
    sent_at: at,
    parts: [{ mime_type: 'text/plain', body: `message ${position}` }],
    deleted_at: null,
  }
}

export function messages(id: string, from: number, to: number): Write[] {
  return Array.from({ length: to - from + 1 }, (_, i) => put('messages', message(id, from + i)))
}

export const commit = (replica: Replica, ...writes: Write[]) => replica.commit(writes, { durability: 'strict' })

export const gone = (id: string): Write[] => [{ type: 'delete', table: 'positions', key: [id] }]

export function outboxEntry(order: number): Tables['outbox'] {
  return {
    order,
    id: `operation ${order}`,
    name: 'delete-message',
    input: { conversation: 'c1', message: 'm1', mode: 'my_devices' },
    conversation: conversation('c1'),
    createdAt: at,
    identity: alice,
    state: { state: 'waiting' },
  }
}

export const oneOfEach = [
  put('meta', { name: 'epoch', value: null }),
  put('streams', { stream: 'inbox', sequence: 1, head: 2, oldest: null, complete: false }),
  put('conversations', {
    type: 'conversation',
    id: conversation('c1'),
    sequence: 1,
    created_at: at,
    distinct: true,
    metadata: { a: { b: 'c' } },
    deleted_at: null,
  }),
  put('participants', {
    type: 'participant',
    conversation: conversation('c1'),
    sequence: 2,
    identity: { id: alice, user_id: 'alice', display_name: null, avatar_url: null },
    state: 'active',
    joined_at: at,
    absent: [],
    delivered: [1, 3],
    read: [],
  }),
  put('memberships', {
    type: 'membership',
    conversation: conversation('c1'),
    sequence: 1,
    state: 'joined',
    hidden: [2, 2],
    last_position: null,
  }),
  put('messages', message('c1', 1)),
  put('positions', { id: message('c1', 1).id, conversation: conversation('c1'), position: 1 }),
  put('outbox', outboxEntry(7)),
]

export async function keys(rows: Promise<Tables['messages'][]>): Promise<string[]> {
  return (await rows).map((row) => `${row.conversation} ${row.position}`)
}
