/** Records to commit, made of little: one of each kind with whatever is said of it, and all else as it usually is. */
import type { PositionSet, UserId, Uuid } from '@parley/protocol'
import { expect } from 'vitest'
import { newProfile } from '../../model/profile.ts'
import type {
  AppKey,
  ConversationRecord,
  MessageRecord,
  ParticipantRecord,
  Profile,
  Session,
} from '../../model/state.ts'
import { type Basis, type ConversationWrite, NOTHING, type Store, type Writes } from '../store.ts'

export const ONE = 1 as AppKey
export const TWO = 2 as AppKey
export const alice = 'alice' as UserId
export const ben = 'ben' as UserId
export const cleo = 'cleo' as UserId
export const T = 1_800_000_000_000

/** A different UUID for each number, the same one each time. */
export const uuid = (n: number): Uuid => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}` as Uuid

export const EMPTY: Omit<Writes, 'cursor' | 'at'> = {
  conversations: [],
  participants: [],
  messages: [],
  purged: [],
  people: [],
  sessions: [],
  nonces: [],
  operations: [],
}
export type Changes = Partial<Omit<Writes, 'cursor' | 'at'>>

/** Commits one thing after another, as the write lane does. */
export async function commit(store: Store, writes: Changes): Promise<number> {
  const cursor = (await store.log.lastCursor()) + 1
  const basis = await basisOf(store, writes)
  const place = await store.log.commit({ ...EMPTY, basis, ...writes, cursor, at: T + 1_000 })
  expect(place.settled).toBeLessThan(place.cursor)
  return place.cursor
}

/** What a writer believes that has just looked. */
async function basisOf(store: Store, writes: Changes): Promise<Basis> {
  const touched = [
    ...(writes.conversations ?? []).map(({ app, record }) => ({ app, key: record.id })),
    ...[...(writes.participants ?? []), ...(writes.messages ?? [])].map((one) => ({
      app: one.app,
      key: one.conversation,
    })),
    ...(writes.purged ?? []),
  ]
  const conversations = [...new Map(touched.map((item) => [`${item.app} ${item.key}`, item])).values()]
  const people = (writes.people ?? []).map(({ app, profile }) => ({ app, key: profile.userId }))
  const loaded = await store.log.load({ ...NOTHING, conversations, people })
  return {
    conversations: conversations.map(({ app, key }) => {
      const found = loaded.conversations.find((one) => one.app === app && one.record.id === key)
      return { app, key, revision: found?.revision ?? 0 }
    }),
    people: people.map(({ app, key }) => {
      const found = loaded.people.find((one) => one.app === app && one.profile.userId === key)
      return { app, key, revision: found?.revision ?? 0 }
    }),
  }
}

export const person = (userId: UserId, inboxSequence = 0, app = ONE, profile: Partial<Profile> = {}) => ({
  app,
  profile: { ...newProfile(userId, T), ...profile },
  inboxSequence,
  isInboxMoved: inboxSequence > 0,
})

export function conversation(
  id: Uuid,
  heads: { sequence?: number; headSequence?: number; headPosition?: number; lastMessageAt?: number } = {},
  record: Partial<ConversationRecord> = {},
  app = ONE,
): ConversationWrite {
  const { sequence = 1, headSequence = sequence, headPosition = 0, lastMessageAt = T } = heads
  return {
    app,
    record: {
      id,
      createdAt: T,
      createdBy: alice,
      distinctKey: null,
      metadata: {},
      deletedAt: null,
      sequence,
      changedAt: T,
      ...record,
    },
    headSequence,
    headPosition,
    lastMessageAt,
  }
}

export function participant(
  conversation: Uuid,
  userId: UserId,
  record: Partial<ParticipantRecord> = {},
  app = ONE,
): Writes['participants'][number] {
  const none: PositionSet = []
  return {
    app,
    conversation,
    userId,
    state: 'joined',
    order: 1,
    joinedAt: T,
    absent: none,
    delivered: none,
    read: none,
    hidden: none,
    lastPosition: null,
    sequence: 2,
    inboxSequence: 1,
    changedAt: T,
    ...record,
  }
}

export function message(
  conversation: Uuid,
  position: number,
  record: Partial<MessageRecord> & { isNew?: boolean } = {},
  app = ONE,
): Writes['messages'][number] {
  const sequence = record.sequence ?? position + 3
  return {
    app,
    conversation,
    position,
    id: uuid(Number.parseInt(conversation.slice(-4), 16) * 1000 + position),
    sender: alice,
    sentAt: T + position,
    parts: [{ mime_type: 'text/plain', body: `message ${position}` }],
    deletedAt: null,
    firstSequence: sequence,
    changedAt: T + position,
    isNew: true,
    ...record,
    sequence,
  }
}

export const session = (id: Uuid, over: Partial<Session> = {}): Session => ({
  id,
  app: ONE,
  userId: alice,
  createdAt: T,
  expiresAt: T + 1000,
  endedAt: null,
  ...over,
})

/** Alice (2) and Ben (3) with `count` messages (4 …) by Alice. */
export async function chat(
  store: Store,
  id: Uuid,
  count: number,
  { app = ONE, inbox = 1 }: { app?: AppKey; inbox?: number } = {},
): Promise<number> {
  const positions = Array.from({ length: count }, (_, index) => index + 1)
  return commit(store, {
    people: [person(alice, inbox, app), person(ben, inbox, app)],
    conversations: [
      conversation(id, { headSequence: 3 + count, headPosition: count, lastMessageAt: T + count }, {}, app),
    ],
    participants: [
      participant(id, alice, { inboxSequence: inbox }, app),
      participant(id, ben, { order: 2, sequence: 3, inboxSequence: inbox }, app),
    ],
    messages: positions.map((position) => message(id, position, {}, app)),
  })
}

export const positions = (messages: readonly { position: number }[]) => messages.map(({ position }) => position)
