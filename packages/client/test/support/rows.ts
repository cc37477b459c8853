/** Rows and outbox entries as tests speak of them: alice's device, and what there is on it. */
import type {
  BasicIdentity,
  ConversationId,
  ConversationRow,
  IdentityId,
  MembershipRow,
  MessageId,
  OperationInputs,
  OperationName,
  ParticipantRow,
} from '@parley/protocol'
import type { OutboxEntry, StoredStream, Tables, Write } from '../../src/replica/replica.ts'

export const at = (minute: number) => new Date(Date.UTC(2026, 10, 22, 10, minute)).toISOString()

export const conversationNamed = (name: string) =>
  `layer:///conversations/00000000-0000-4000-8000-${name.padStart(12, '0')}` as ConversationId
export const messageNamed = (name: string | number) =>
  `layer:///messages/00000000-0000-4000-8000-${String(name).padStart(12, '0')}` as MessageId
export const identityNamed = (name: string) => `layer:///identities/${name}` as IdentityId

export const person = (name: string): BasicIdentity => ({
  id: identityNamed(name),
  user_id: name,
  display_name: name[0]!.toUpperCase() + name.slice(1),
  avatar_url: null,
})

export const alice = identityNamed('alice')
export const bob = identityNamed('bob')
export const talk = conversationNamed('1')

let sequence = 0

export function put<T extends Write['table']>(table: T, row: Tables[T]): Write {
  return { type: 'put', table, row } as Write
}

export function conversation(other: Partial<ConversationRow> = {}): Write {
  return put('conversations', {
    type: 'conversation',
    sequence: ++sequence,
    id: talk,
    created_at: at(0),
    distinct: false,
    metadata: {},
    deleted_at: null,
    ...other,
  })
}

export function participant(
  name: string,
  { conversation = talk, ...other }: Partial<ParticipantRow & { conversation: ConversationId }> = {},
): Write {
  return put('participants', {
    type: 'participant',
    conversation,
    sequence: ++sequence,
    identity: person(name),
    state: 'active',
    joined_at: at(0),
    absent: [],
    delivered: [],
    read: [],
    ...other,
  })
}

export function membership(state: MembershipRow['state'] = 'joined', other: Partial<MembershipRow> = {}): Write {
  return put('memberships', {
    type: 'membership',
    sequence: ++sequence,
    conversation: talk,
    state,
    hidden: [],
    last_position: null,
    ...other,
  })
}

export function stream(other: Partial<StoredStream> = {}): Write {
  return put('streams', { stream: talk, sequence: 9, head: 9, oldest: 1, complete: true, ...other })
}

/** A confirmed message by bob, said at that minute. */
export function message(position: number, other: Partial<Tables['messages']> = {}): Write[] {
  const row: Tables['messages'] = {
    type: 'message',
    conversation: talk,
    sequence: ++sequence,
    id: messageNamed(position),
    position,
    sender: bob,
    sent_at: at(position),
    parts: [{ mime_type: 'text/plain', body: `message ${position}` }],
    deleted_at: null,
    ...other,
  }
  return [put('messages', row), put('positions', { id: row.id, conversation: row.conversation, position })]
}

export const deletedMessage = (position: number, other: Partial<Tables['messages']> = {}) =>
  message(position, { ...other, parts: [], deleted_at: at(59) })

/** A conversation of alice and bob with messages by bob. */
export function talkWith(messages: number, id = talk): Write[] {
  return [
    conversation({ id }),
    participant('alice', { conversation: id }),
    participant('bob', { conversation: id }),
    membership('joined', { conversation: id }),
    stream({ stream: id }),
    ...Array.from({ length: messages }, (_, i) =>
      message(i + 1, { conversation: id, id: messageNamed(`${id.slice(-4)}${i + 1}`) }),
    ).flat(),
  ]
}

export const operationNamed = (order: number) => `00000000-0000-4000-9000-${String(order).padStart(12, '0')}`

export function entry<Name extends OperationName>(
  order: number,
  name: Name,
  input: Omit<OperationInputs[Name], 'conversation'> & { readonly conversation?: string },
  other: Partial<OutboxEntry> = {},
): Write {
  return put('outbox', {
    order,
    id: operationNamed(order),
    name,
    // The cast: a test names the conversation once, beside the input.
    input: { conversation: other.conversation ?? talk, ...input } as never,
    conversation: talk,
    createdAt: at(50),
    identity: alice,
    state: { state: 'waiting' },
    ...other,
  } as OutboxEntry)
}

export function sending(order: number, body = `pending ${order}`, other: Partial<OutboxEntry> = {}): Write {
  const parts = [{ mime_type: 'text/plain', body }]
  return entry(order, 'send-message', { id: messageNamed(`90${order}`), parts }, other)
}

export const failed: OutboxEntry['state'] = {
  state: 'failed',
  error: { id: 'access_denied', code: 101, message: 'no', url: '' },
}

export const dropped = (order: number): Write => ({ type: 'delete', table: 'outbox', key: [order] })
