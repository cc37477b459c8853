/** A write lane over a store in memory, and people who ask it for operations. Time stands still until it is moved. */
import { randomUUID } from 'node:crypto'
import type { ConversationId, OperationInputs, OperationName, Part, Refusal, UserId, Uuid } from '@parley/protocol'
import * as v from 'valibot'
import { newProfile } from '../src/model/profile.ts'
import type { AppKey, MessageRecord, ParticipantRecord } from '../src/model/state.ts'
import type { Committed } from '../src/operations/committed.ts'
import { type LaneOptions, WriteLane } from '../src/operations/lane.ts'
import type { Outcome } from '../src/operations/lane-request.ts'
import { operations } from '../src/operations/table.ts'
import { openMemoryStore } from '../src/store/memory/memory-store.ts'
import type { ConversationView, Store, StreamRow } from '../src/store/store.ts'

export const APP = 1 as AppKey
export const newId = (): Uuid => randomUUID() as Uuid
export const says = (body: string): Part[] => [{ mime_type: 'text/plain', body }]

export type Done = Extract<Outcome, { result: unknown }>

/** The id of what an operation creates, which is the operation's as well. */
const idOf = (input: unknown): Uuid | undefined => (input as { readonly id?: Uuid }).id

export class LaneWorld {
  readonly store: Store
  readonly lane: WriteLane
  readonly committed: Committed[] = []
  readonly logged: string[] = []
  now = 1_800_000_000_000

  constructor(options: { store?: Store } & Partial<LaneOptions> = {}) {
    this.store = options.store ?? openMemoryStore()
    this.lane = new WriteLane({
      publish: (committed) => this.committed.push(...committed),
      now: () => this.now,
      log: (message, details) => this.logged.push(`${message} ${JSON.stringify(details)}`),
      ...options,
      store: this.store,
    })
  }

  /** People of the app, who come into being with their first sign-in. */
  async people<Names extends string>(...names: Names[]): Promise<Record<Names, Somebody>> {
    const cursor = (await this.store.log.lastCursor()) + 1
    const people = names.map((name) => ({
      app: APP,
      profile: newProfile(name as unknown as UserId, this.now),
      inboxSequence: 0,
      isInboxMoved: false,
    }))
    const none = {
      conversations: [],
      participants: [],
      messages: [],
      purged: [],
      sessions: [],
      nonces: [],
      operations: [],
    }
    await this.store.log.commit({ ...none, cursor, at: this.now, people })
    return Object.fromEntries(names.map((name) => [name, new Somebody(this, name)])) as Record<Names, Somebody>
  }

  /** Every row of a conversation, whoever may see it. */
  async rows(id: Uuid, viewer = 'alice', after = 0): Promise<readonly StreamRow[]> {
    return (await this.store.streams.conversation(APP, id, viewer as UserId, after, 10_000))?.rows ?? []
  }

  async messages(id: Uuid, viewer = 'alice'): Promise<readonly MessageRecord[]> {
    return (await this.rows(id, viewer)).flatMap((row) => (row.type === 'message' ? [row.record] : []))
  }
}

/** Somebody who asks for operations, as a connection would: what they say is checked by the schema first. */
export class Somebody {
  readonly world: LaneWorld
  readonly userId: UserId

  constructor(world: LaneWorld, name: string) {
    this.world = world
    this.userId = name as UserId
  }

  ask<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options: { id?: Uuid | null; isHeldBack?: () => boolean } = {},
  ): Promise<Outcome> {
    const { schema, operation } = operations[name]
    const parsed = v.parse(schema as v.GenericSchema, input)
    return this.world.lane.submit({
      operation: operation as never,
      input: parsed as never,
      app: APP,
      userId: this.userId,
      operationId: options.id === undefined ? (idOf(parsed) ?? newId()) : options.id,
      ...(options.isHeldBack && { isHeldBack: options.isHeldBack }),
    })
  }

  async does<Name extends OperationName>(
    name: Name,
    input: OperationInputs[Name],
    options: { id?: Uuid | null } = {},
  ): Promise<Done> {
    const outcome = await this.ask(name, input, options)
    if ('refusal' in outcome) throw new Error(JSON.stringify(outcome.refusal))
    return outcome
  }

  /** Why it was refused; an error if it was not. */
  async refused<Name extends OperationName>(name: Name, input: OperationInputs[Name]): Promise<Refusal> {
    const outcome = await this.ask(name, input)
    if (!('refusal' in outcome)) throw new Error(`Not refused: ${JSON.stringify(outcome)}`)
    return outcome.refusal
  }

  async starts(
    participants: readonly string[],
    options: { distinct?: boolean; metadata?: Record<string, string>; id?: Uuid } = {},
  ): Promise<Uuid> {
    const { id = newId(), distinct = false, metadata = null } = options
    const input = { id, participants: [...participants], distinct, metadata }
    const { result } = await this.does('create-conversation', input)
    return (result as { conversation: string }).conversation.slice('layer:///conversations/'.length) as Uuid
  }

  async sends(conversation: Uuid, body = 'Hello', id = newId()): Promise<{ id: Uuid; done: Done; position: number }> {
    const done = await this.does('send-message', { id, conversation, parts: says(body) })
    return { id, done, position: (done.result as { position: number }).position }
  }

  reads(conversation: Uuid, position: number, only = false): Promise<Done> {
    return this.does('mark-messages', { conversation, receipt: 'read', position, only })
  }

  adds(conversation: Uuid, ...names: string[]): Promise<Done> {
    return this.does('update-conversation', {
      conversation,
      patch: names.map((id) => ({ operation: 'add', property: 'participants', id })),
    })
  }

  removes(conversation: Uuid, ...names: string[]): Promise<Done> {
    return this.does('update-conversation', {
      conversation,
      patch: names.map((id) => ({ operation: 'remove', property: 'participants', id })),
    })
  }

  deletes(conversation: Uuid, how: 'for all' | 'from my devices' | 'and leaves'): Promise<Done> {
    const mode = how === 'for all' ? 'all_participants' : 'my_devices'
    return this.does('delete-conversation', { conversation, mode, leave: how === 'and leaves' })
  }

  sees(conversation: Uuid): Promise<ConversationView | undefined> {
    return this.world.store.lists.conversation(APP, conversation, this.userId)
  }

  /** One's own side of a conversation. */
  async membership(conversation: Uuid): Promise<ParticipantRecord | undefined> {
    const { rows } = await this.world.store.streams.inbox(APP, this.userId, 0, 10_000)
    return rows.find((row) => row.conversation === conversation)?.record
  }
}

export const conversationUri = (id: Uuid) => `layer:///conversations/${id}` as ConversationId
