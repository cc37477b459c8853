/**
 * What one identity's queries know between two looks: the outbox, and per conversation what was made of its rows.
 * Everything here is a copy that can be made again; a commit takes away just what it touches.
 */
import type { BasicIdentity, ConversationId, IdentityId, StreamId } from '@parley/protocol'
import type { StoredStream, Write } from '../replica/replica.ts'
import { type ConversationRows, readAllConversationRows, readConversationRows } from '../view/conversation-rows.ts'
import { type ConversationState, conversationState } from '../view/conversation-state.ts'
import {
  type ConversationView,
  isShown,
  type SortKeys,
  sortKeys,
  toConversationView,
} from '../view/conversation-view.ts'
import { readNewest } from '../view/read-messages.ts'
import { UnreadCounter } from '../view/unread-counter.ts'
import { OutboxMirror } from './outbox-mirror.ts'
import { share } from './share.ts'
import type { ViewBasis } from './view-source.ts'

/** A conversation as lists show it. */
export interface Summary {
  readonly view: ConversationView
  readonly isShown: boolean
  readonly sortKeys: SortKeys
}

/** Conversations whose messages are read at the same time. */
const BATCH = 32
/** While commits come faster than they can be looked at, a list is given out after so many rounds. */
const MAX_ROUNDS = 2

export class Session {
  readonly basis: ViewBasis
  readonly #outbox = new OutboxMirror()
  readonly #people = new Map<IdentityId, BasicIdentity>()
  readonly #states = new Map<ConversationId, Promise<ConversationState>>()
  readonly #summaries = new Map<ConversationId, Summary>()
  readonly #counters = new Map<ConversationId, UnreadCounter>()
  readonly #streams = new Map<StreamId, StoredStream>()
  #stale: Set<ConversationId> | 'all' = 'all'
  #loading: Promise<void> | undefined
  #refreshing: Promise<void> | undefined

  constructor(basis: ViewBasis) {
    this.basis = basis
  }

  /** Takes a commit and answers the conversations that may look different now. */
  take(writes: readonly Write[]): ReadonlySet<ConversationId> | 'all' {
    const touched = new Set(this.#outbox.apply(writes))
    for (const write of writes) {
      if (write.table === 'messages') this.#recount(write)
      const id = this.#conversationOf(write)
      if (id === 'all') return this.#forgetAll()
      if (id) touched.add(id)
    }
    for (const id of touched) {
      this.#states.delete(id)
      if (this.#stale !== 'all') this.#stale.add(id)
    }
    return touched
  }

  state(id: ConversationId): Promise<ConversationState> {
    return this.#state(id, () => readConversationRows(this.basis.replica, id))
  }

  /** Every conversation there is, gone ones included. */
  async summaries(): Promise<ReadonlyMap<ConversationId, Summary>> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
    return this.#summaries
  }

  async #refresh(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const stale = this.#stale
      if (stale !== 'all' && stale.size === 0) return
      this.#stale = new Set()
      try {
        await (stale === 'all' ? this.#loadAll() : this.#load([...stale]))
      } catch (error) {
        this.#stale = 'all'
        throw error
      }
    }
  }

  async #loadAll(): Promise<void> {
    await this.#loadOutbox()
    const rows = await readAllConversationRows(this.basis.replica)
    for (const { participants } of rows.values()) this.#meet(participants)
    for (const id of this.#summaries.keys()) if (!rows.has(id)) this.#summaries.delete(id)
    const ids = new Set([...rows.keys(), ...this.#outbox.entries.keys()])
    for (const [id, found] of rows) {
      // What was touched since these rows were read has to be read again.
      if (this.#isStale(id)) continue
      if (found.stream) this.#streams.set(id, found.stream)
      void this.#state(id, () => Promise.resolve(found))
    }
    await this.#load([...ids])
  }

  async #load(ids: readonly ConversationId[]): Promise<void> {
    for (let i = 0; i < ids.length; i += BATCH) {
      await Promise.all(ids.slice(i, i + BATCH).map((id) => this.#summarise(id)))
    }
  }

  async #summarise(id: ConversationId): Promise<void> {
    const { replica } = this.basis
    const state = await this.state(id)
    const isGone = state.presence === 'gone'
    const newest = isGone ? [] : (await readNewest(replica, state, 1)).messages
    const unreadCount = isGone ? 0 : await this.#counter(id).count(replica, state)
    const lastMessage = newest[0] ?? null
    const view = share(this.#summaries.get(id)?.view, toConversationView(state, { lastMessage, unreadCount }))
    this.#summaries.set(id, { view, isShown: isShown(state, lastMessage), sortKeys: sortKeys(state, view) })
  }

  #state(id: ConversationId, read: () => Promise<ConversationRows>): Promise<ConversationState> {
    const known = this.#states.get(id)
    if (known) return known
    const state = this.#makeState(id, read)
    this.#states.set(id, state)
    state.catch(() => this.#states.delete(id))
    return state
  }

  async #makeState(id: ConversationId, read: () => Promise<ConversationRows>): Promise<ConversationState> {
    await this.#loadOutbox()
    const rows = await read()
    this.#meet(rows.participants)
    return conversationState({
      id,
      rows,
      entries: this.#outbox.entries.get(id) ?? [],
      self: this.basis.identity,
      identityOf: (identity) => this.#people.get(identity),
    })
  }

  #counter(id: ConversationId): UnreadCounter {
    const counter = this.#counters.get(id) ?? new UnreadCounter()
    this.#counters.set(id, counter)
    return counter
  }

  #recount(write: Extract<Write, { table: 'messages' }>): void {
    if (write.type === 'put') {
      this.#counters.get(write.row.conversation)?.put(write.row, this.basis.identity.id)
      return
    }
    const [id] = write.type === 'delete' ? write.key : write.prefix
    if (id === undefined) this.#counters.clear()
    else this.#counters.delete(id as ConversationId)
  }

  #meet(participants: ConversationRows['participants']): void {
    for (const { identity } of participants) this.#people.set(identity.id, identity)
  }

  /** Once; again if it failed. */
  #loadOutbox(): Promise<void> {
    this.#loading ??= this.#outbox.load(this.basis.replica).catch((error) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  #isStale(id: ConversationId): boolean {
    return this.#stale === 'all' || this.#stale.has(id)
  }

  #forgetAll(): 'all' {
    this.#states.clear()
    // What else the commit says is not looked at: all is as it will be read.
    this.#counters.clear()
    this.#streams.clear()
    this.#stale = 'all'
    return 'all'
  }

  /** The conversation a write is about, if it can be seen in it. */
  #conversationOf(write: Write): ConversationId | 'all' | undefined {
    switch (write.table) {
      case 'meta':
      case 'positions':
      case 'outbox':
        return undefined
      case 'streams':
        if (write.type === 'put') return this.#isNews(write.row) ? conversationOfStream(write.row.stream) : undefined
    }
    if (write.type === 'put') return write.table === 'conversations' ? write.row.id : conversationOfRow(write.row)
    const [id] = write.type === 'delete' ? write.key : write.prefix
    // When it comes again it is news, even if it is as it was.
    if (write.table === 'streams') this.#streams.delete(id as StreamId)
    return id === undefined ? 'all' : conversationOfStream(id as StreamId)
  }

  /** Sequences and heads are nothing to look at; how far back the history reaches is. */
  #isNews(stream: StoredStream): boolean {
    const before = this.#streams.get(stream.stream)
    this.#streams.set(stream.stream, stream)
    return before?.oldest !== stream.oldest || before.complete !== stream.complete
  }
}

const conversationOfStream = (stream: StreamId) => (stream === 'inbox' ? undefined : stream)

const conversationOfRow = (row: object) => (row as { conversation?: ConversationId }).conversation
