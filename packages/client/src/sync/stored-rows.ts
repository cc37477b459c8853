import type {
  ConversationId,
  ConversationRow,
  HeadsFrame,
  IdentityId,
  MembershipRow,
  ParticipantRow,
  Row,
  StreamId,
} from '@parley/protocol'
import type { Key, Replica, StoredStream, Tables } from '../replica/replica.ts'

/** What a merge has to know of the replica: what is stored where the arriving rows belong. */
export interface StoredRows {
  readonly stream: StoredStream | undefined
  /** By conversation: the one of a conversation's stream, or those an inbox's rows name. */
  readonly memberships: ReadonlyMap<ConversationId, MembershipRow>
  /** For a conversation's stream. */
  readonly conversation: ConversationRow | undefined
  readonly participants: ReadonlyMap<IdentityId, ParticipantRow>
  /** By position. */
  readonly messages: ReadonlyMap<number, Tables['messages']>
  /** For an inbox: the conversations that its rows name, as far as there is a copy. */
  readonly streams: ReadonlyMap<ConversationId, StoredStream>
  /** For an inbox: the newest message here of each conversation that its rows say one was removed from. */
  readonly newest: ReadonlyMap<ConversationId, number>
  /** Messages that the arriving rows may take away. */
  readonly doomed: readonly Tables['messages'][]
}

/** Reads what merging these rows needs. Nothing may be committed between this and the commit of the merge. */
export async function readStoredRows(replica: Replica, stream: StreamId, rows: readonly Row[]): Promise<StoredRows> {
  const [stored, parts] = await Promise.all([
    replica.get('streams', [stream]),
    stream === 'inbox' ? readForInbox(replica, rows) : readForConversation(replica, stream, rows),
  ])
  return { ...nothing, ...parts, stream: stored }
}

/** What merging heads has to know: the streams it names, and the memberships of their conversations. */
export interface StoredHeads {
  readonly streams: ReadonlyMap<StreamId, StoredStream>
  readonly memberships: ReadonlyMap<ConversationId, MembershipRow>
}

export async function readStoredHeads(replica: Replica, frame: HeadsFrame): Promise<StoredHeads> {
  const keys = frame.streams.map(({ stream }): Key => [stream])
  const [streams, memberships] = await Promise.all([
    present(replica.getMany('streams', keys)),
    present(replica.getMany('memberships', keys)),
  ])
  return {
    streams: byKey(streams, (row) => row.stream),
    memberships: byKey(memberships, (row) => row.conversation),
  }
}

const nothing: StoredRows = {
  stream: undefined,
  memberships: new Map(),
  conversation: undefined,
  participants: new Map(),
  messages: new Map(),
  streams: new Map(),
  newest: new Map(),
  doomed: [],
}

async function readForConversation(
  replica: Replica,
  id: ConversationId,
  rows: readonly Row[],
): Promise<Partial<StoredRows>> {
  const people: Key[] = []
  const positions: number[] = []
  for (const row of rows) {
    if (row.type === 'participant') people.push([id, row.identity.id])
    if (row.type === 'message') positions.push(row.position)
  }
  const isDeletion = rows.some(isDeletedConversation)
  const [membership, conversation, participants, messages, doomed] = await Promise.all([
    replica.get('memberships', [id]),
    replica.get('conversations', [id]),
    present(replica.getMany('participants', people)),
    readMessages(replica, id, positions),
    isDeletion ? replica.scan('messages', { prefix: [id] }) : [],
  ])
  return {
    memberships: new Map(membership ? [[id, membership]] : []),
    conversation,
    participants: byKey(participants, (row) => row.identity.id),
    messages: byKey(messages, (row) => row.position),
    doomed,
  }
}

/** Pages are without gaps, so it is one look; what was changed far apart is looked up one by one. */
async function readMessages(
  replica: Replica,
  id: ConversationId,
  positions: readonly number[],
): Promise<readonly Tables['messages'][]> {
  if (positions.length === 0) return []
  const from = Math.min(...positions)
  const to = Math.max(...positions)
  return to - from < 2 * positions.length
    ? replica.scan('messages', { prefix: [id], from, to })
    : present(
        replica.getMany(
          'messages',
          positions.map((position): Key => [id, position]),
        ),
      )
}

async function readForInbox(replica: Replica, rows: readonly Row[]): Promise<Partial<StoredRows>> {
  const named = rows.filter((row) => row.type === 'membership')
  const ids = named.map((row): Key => [row.conversation])
  const removed = named.filter((row) => row.state === 'removed')
  const [memberships, streams, newest, ...doomed] = await Promise.all([
    present(replica.getMany('memberships', ids)),
    present(replica.getMany('streams', ids)),
    Promise.all(removed.map((row) => readNewest(replica, row.conversation))),
    ...named.map((row) => readHidden(replica, row)),
  ])
  return {
    memberships: byKey(memberships, (row) => row.conversation),
    streams: byKey(streams, (row) => row.stream as ConversationId),
    newest: new Map(removed.map((row, i) => [row.conversation, newest[i]!])),
    doomed: doomed.flat(),
  }
}

async function readNewest(replica: Replica, conversation: ConversationId): Promise<number> {
  const [message] = await replica.scan('messages', { prefix: [conversation], reverse: true, limit: 1 })
  return message?.position ?? 0
}

async function readHidden(replica: Replica, row: MembershipRow): Promise<Tables['messages'][]> {
  const prefix = [row.conversation]
  if (row.state === 'left') return replica.scan('messages', { prefix })
  const found: Tables['messages'][] = []
  for (let i = 0; i < row.hidden.length; i += 2) {
    found.push(...(await replica.scan('messages', { prefix, from: row.hidden[i]!, to: row.hidden[i + 1]! })))
  }
  return found
}

export function isDeletedConversation(row: Row): row is ConversationRow {
  return row.type === 'conversation' && row.deleted_at !== null
}

const byKey = <K, V>(rows: readonly V[], keyOf: (row: V) => K): Map<K, V> =>
  new Map(rows.map((row) => [keyOf(row), row]))

async function present<T>(rows: Promise<(T | undefined)[]>): Promise<T[]> {
  return (await rows).filter((row) => row !== undefined)
}
