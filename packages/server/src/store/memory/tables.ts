import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey, MessageRecord, ParticipantRecord, Session } from '../../model/state.ts'
import type { App, ConversationWrite, Cursor, Person, Provider, ProviderKey, RememberedOperation } from '../store.ts'

/** A conversation with where its stream stands, and when it last moved. */
export interface ConversationEntry extends ConversationWrite {
  readonly moved: Cursor
  readonly movedAt: number
  readonly revision: number
  readonly terms: number
}

/** Everything a store in memory knows. Keys begin with the app: nothing crosses. */
export interface Tables {
  cursor: Cursor
  readonly conversations: Map<string, ConversationEntry>
  /** By conversation. */
  readonly participants: Map<string, Map<UserId, ParticipantRecord>>
  /** By conversation, in order of position. */
  readonly messages: Map<string, MessageRecord[]>
  readonly people: Map<string, Person & { readonly inboxMoved: Cursor; readonly revision: number }>
  readonly operations: Map<string, RememberedOperation>
  /** Hash → when to forget it. */
  readonly nonces: Map<string, number>
  readonly sessions: Map<Uuid, { readonly session: Session; readonly tokenHash: string }>
  readonly apps: App[]
  readonly providers: Map<Uuid, Provider>
  readonly keys: Map<string, ProviderKey>
}

export const emptyTables = (): Tables => ({
  cursor: 0,
  conversations: new Map(),
  participants: new Map(),
  messages: new Map(),
  people: new Map(),
  operations: new Map(),
  nonces: new Map(),
  sessions: new Map(),
  apps: [],
  providers: new Map(),
  keys: new Map(),
})

export const keyOf = (app: AppKey, key: string): string => `${app} ${key}`

export const messagesOf = (tables: Tables, app: AppKey, conversation: Uuid): readonly MessageRecord[] =>
  tables.messages.get(keyOf(app, conversation)) ?? []

export function messageById(tables: Tables, app: AppKey, id: Uuid): MessageRecord | undefined {
  for (const [name, messages] of tables.messages) {
    const found = name.startsWith(`${app} `) ? messages.find((message) => message.id === id) : undefined
    if (found) return found
  }
  return undefined
}

/** Everybody who ever took part, in the order they joined, with their profiles. */
export function participantsOf(tables: Tables, app: AppKey, conversation: Uuid) {
  return [...(tables.participants.get(keyOf(app, conversation))?.values() ?? [])]
    .sort((a, b) => a.order - b.order)
    .map((record) => ({ record, profile: tables.people.get(keyOf(app, record.userId))!.profile }))
}

/** What one person has to do with each conversation they ever took part in. */
export function membershipsOf(
  tables: Tables,
  app: AppKey,
  userId: UserId,
): { readonly conversation: ConversationEntry; readonly own: ParticipantRecord }[] {
  return [...tables.conversations.values()].flatMap((conversation) => {
    const own = conversation.app === app && tables.participants.get(keyOf(app, conversation.record.id))?.get(userId)
    return own ? [{ conversation, own }] : []
  })
}
