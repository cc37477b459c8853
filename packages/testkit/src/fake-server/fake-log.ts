/**
 * The log of a scripted server: conversations with their rows, inboxes, and a cursor over all of it. Just enough rules
 * to be a believable peer of the client in a test; what the real server refuses is the real server's test.
 */
import {
  addPositions,
  addUpTo,
  type BasicIdentity,
  type ConversationId,
  type ConversationRow,
  conversationId,
  type IdentityId,
  identityId,
  type MembershipRow,
  type MessageId,
  type MessageRow,
  messageId,
  type OperationInputs,
  type ParticipantRow,
  type PatchOperation,
  patchConversation,
  type Row,
  type StreamId,
  type UserId,
  type Uuid,
} from '@parley/protocol'

export interface FakeChange {
  readonly to: IdentityId
  readonly stream: StreamId
  readonly after: number
  readonly sequence: number
  readonly cursor: number
  readonly rows: readonly Row[]
}

interface FakeConversation {
  row: ConversationRow
  sequence: number
  cursor: number
  readonly participants: Map<IdentityId, ParticipantRow>
  readonly messages: MessageRow[]
}

interface FakeInbox {
  sequence: number
  cursor: number
  readonly memberships: Map<ConversationId, MembershipRow>
}

export type FakeOutcome =
  | { readonly result: Record<string, unknown>; readonly stream: StreamId; readonly sequence: number }
  | { readonly refused: 'not_found' | 'access_denied' | 'invalid_property' }

export class FakeLog {
  epoch = 'epoch-1'
  cursor = 0
  readonly conversations = new Map<ConversationId, FakeConversation>()
  readonly #inboxes = new Map<IdentityId, FakeInbox>()
  readonly #outcomes = new Map<string, FakeOutcome>()
  readonly #now: () => number
  /** Every change, to whoever may see it. */
  onChange: (change: FakeChange) => void = () => {}

  constructor(now: () => number) {
    this.#now = now
  }

  identity(userId: string): BasicIdentity {
    const id = identityId(userId as UserId)
    return { id, url: id, user_id: userId, display_name: null, avatar_url: null }
  }

  inbox(me: IdentityId): FakeInbox {
    const inbox = this.#inboxes.get(me) ?? { sequence: 0, cursor: 0, memberships: new Map() }
    this.#inboxes.set(me, inbox)
    return inbox
  }

  /** How often an id was carried out: anything but once is a fault of the test's subject or of this. */
  operate<Name extends keyof OperationInputs>(
    me: BasicIdentity,
    id: string,
    name: Name,
    input: OperationInputs[Name],
  ): FakeOutcome {
    const key = `${me.id} ${id}`
    const known = this.#outcomes.get(key)
    if (known) return known
    const verbs = this.#verbs as Record<string, (me: BasicIdentity, input: never) => FakeOutcome>
    const outcome = verbs[name]!(me, input as never)
    if (!('refused' in outcome)) this.#outcomes.set(key, outcome)
    return outcome
  }

  readonly #verbs = {
    'create-conversation': (me: BasicIdentity, input: OperationInputs['create-conversation']) =>
      this.#create(me, input),
    'send-message': (me: BasicIdentity, input: OperationInputs['send-message']) => this.#send(me, input),
    'mark-messages': (me: BasicIdentity, input: OperationInputs['mark-messages']) => this.#mark(me, input),
    'update-conversation': (me: BasicIdentity, input: OperationInputs['update-conversation']) =>
      this.#update(me, input),
    'delete-conversation': (me: BasicIdentity, input: OperationInputs['delete-conversation']) =>
      this.#delete(me, input),
    'delete-message': (me: BasicIdentity, input: OperationInputs['delete-message']) => this.#deleteMessage(me, input),
  }

  #create(me: BasicIdentity, input: OperationInputs['create-conversation']): FakeOutcome {
    const people = [...new Set([me.id, ...(input.participants as IdentityId[])])]
    const found = input.distinct ? this.#distinct(people) : undefined
    if (found) {
      return {
        result: { conversation: found.row.id, outcome: 'found' },
        stream: found.row.id,
        sequence: found.sequence,
      }
    }
    const id = input.id as ConversationId
    const conversation: FakeConversation = {
      row: {
        type: 'conversation',
        sequence: 1,
        id,
        created_at: this.#time(),
        distinct: input.distinct,
        metadata: (input.metadata as ConversationRow['metadata'] | undefined) ?? {},
        deleted_at: null,
      },
      sequence: 0,
      cursor: 0,
      participants: new Map(),
      messages: [],
    }
    this.conversations.set(id, conversation)
    const joined = people.map((person) => this.#join(conversation, person))
    this.#commit(conversation, (sequence) => {
      conversation.row = { ...conversation.row, sequence }
      return [conversation.row, ...joined.map((row) => this.#participant(conversation, { ...row, sequence }))]
    })
    for (const person of people) this.#commitMembership(person, id, 'joined')
    return { result: { conversation: id, outcome: 'created' }, stream: id, sequence: conversation.sequence }
  }

  #distinct(people: readonly IdentityId[]): FakeConversation | undefined {
    return [...this.conversations.values()].find(
      ({ row, participants }) =>
        row.distinct &&
        !row.deleted_at &&
        participants.size === people.length &&
        people.every((p) => participants.has(p)),
    )
  }

  #join(conversation: FakeConversation, id: IdentityId): ParticipantRow {
    const before = addUpTo([], conversation.messages.length)
    const userId = decodeURIComponent(id.slice('layer:///identities/'.length))
    return {
      type: 'participant',
      sequence: 0,
      identity: this.identity(userId),
      state: 'active',
      joined_at: this.#time(),
      absent: before,
      delivered: before,
      read: before,
    }
  }

  #send(me: BasicIdentity, input: OperationInputs['send-message']): FakeOutcome {
    return this.#inConversation(me, input.conversation, (conversation) => {
      const position = conversation.messages.length + 1
      const sent_at = this.#time()
      const row = (sequence: number): MessageRow => ({
        type: 'message',
        sequence,
        id: input.id as MessageId,
        position,
        sender: me.id,
        sent_at,
        parts: input.parts as MessageRow['parts'],
        deleted_at: null,
      })
      this.#commit(conversation, (sequence) => {
        conversation.messages.push(row(sequence))
        return [row(sequence)]
      })
      return { position, sent_at }
    })
  }

  #mark(me: BasicIdentity, input: OperationInputs['mark-messages']): FakeOutcome {
    return this.#inConversation(me, input.conversation, (conversation) => {
      const mine = conversation.participants.get(me.id)!
      const from = input.only ? input.position : 1
      const delivered = addPositions(mine.delivered, from, input.position)
      const read = input.receipt === 'read' ? addPositions(mine.read, from, input.position) : mine.read
      if (delivered !== mine.delivered || read !== mine.read) {
        this.#commit(conversation, (sequence) => [
          this.#participant(conversation, { ...mine, sequence, delivered, read }),
        ])
      }
      return {}
    })
  }

  #update(me: BasicIdentity, input: OperationInputs['update-conversation']): FakeOutcome {
    return this.#inConversation(me, input.conversation, (conversation) => {
      const before = [...conversation.participants.values()].filter((row) => row.state === 'active')
      const outcome = patchConversation(
        {
          participants: before.map((row) => row.identity.user_id as UserId),
          metadata: conversation.row.metadata,
        },
        input.patch as PatchOperation[],
      )
      if ('refusal' in outcome) return 'invalid_property'
      const people = outcome.conversation.participants.map((userId) => identityId(userId))
      const gone = before.filter((row) => !people.includes(row.identity.id))
      const come = people.filter((id) => conversation.participants.get(id)?.state !== 'active')
      this.#commit(conversation, (sequence) => {
        const distinct = conversation.row.distinct && gone.length + come.length === 0
        conversation.row = { ...conversation.row, sequence, distinct, metadata: outcome.conversation.metadata }
        return [
          conversation.row,
          ...gone.map((row) => this.#participant(conversation, { ...row, sequence, state: 'left' as const })),
          ...come.map((id) => this.#participant(conversation, { ...this.#join(conversation, id), sequence })),
        ]
      })
      for (const row of gone) this.#commitMembership(row.identity.id, conversation.row.id, 'removed')
      for (const id of come) this.#commitMembership(id, conversation.row.id, 'joined')
      return {}
    })
  }

  #delete(me: BasicIdentity, input: OperationInputs['delete-conversation']): FakeOutcome {
    return this.#inConversation(me, input.conversation, (conversation) => {
      const { id } = conversation.row
      if (input.mode === 'all_participants') {
        conversation.messages.length = 0
        this.#commit(conversation, (sequence) => {
          conversation.row = { ...conversation.row, sequence, metadata: {}, deleted_at: this.#time() }
          return [conversation.row]
        })
        return {}
      }
      if (input.leave) {
        const mine = conversation.participants.get(me.id)!
        this.#commit(conversation, (sequence) => [
          this.#participant(conversation, { ...mine, sequence, state: 'left' }),
        ])
        this.#commitMembership(me.id, id, 'left')
        return {}
      }
      this.#commitMembership(me.id, id, 'hidden', addUpTo([], conversation.messages.length))
      return {}
    })
  }

  #deleteMessage(me: BasicIdentity, input: OperationInputs['delete-message']): FakeOutcome {
    return this.#inConversation(me, input.conversation, (conversation) => {
      const at = conversation.messages.findIndex((row) => row.id === input.message)
      if (at < 0) return 'not_found'
      this.#commit(conversation, (sequence) => {
        const row = { ...conversation.messages[at]!, sequence, parts: [], deleted_at: this.#time() }
        conversation.messages[at] = row
        return [row]
      })
      return {}
    })
  }

  #inConversation(
    me: BasicIdentity,
    id: string,
    change: (conversation: FakeConversation) => Record<string, unknown> | 'invalid_property' | 'not_found',
  ): FakeOutcome {
    const conversation = this.conversations.get(id as ConversationId)
    const mine = conversation?.participants.get(me.id)
    if (!conversation || !mine || conversation.row.deleted_at) return { refused: 'not_found' }
    if (mine.state !== 'active') return { refused: 'access_denied' }
    const result = change(conversation)
    if (typeof result === 'string') return { refused: result }
    return { result, stream: conversation.row.id, sequence: conversation.sequence }
  }

  #participant(conversation: FakeConversation, row: ParticipantRow): ParticipantRow {
    conversation.participants.set(row.identity.id, row)
    return row
  }

  #commit(conversation: FakeConversation, write: (sequence: number) => readonly Row[]): void {
    const after = conversation.sequence
    const sequence = ++conversation.sequence
    const cursor = ++this.cursor
    conversation.cursor = cursor
    const rows = write(sequence)
    const stream = conversation.row.id
    for (const [to, { state }] of conversation.participants) {
      const isLast = rows.some((row) => row.type === 'participant' && row.identity.id === to)
      if (state === 'active' || isLast) this.onChange({ to, stream, after, sequence, cursor, rows })
    }
  }

  #commitMembership(
    to: IdentityId,
    conversation: ConversationId,
    state: MembershipRow['state'],
    hidden: MembershipRow['hidden'] = [],
  ): void {
    const inbox = this.inbox(to)
    const after = inbox.sequence
    const sequence = ++inbox.sequence
    const cursor = ++this.cursor
    inbox.cursor = cursor
    const head = this.conversations.get(conversation)?.messages.length ?? 0
    const row: MembershipRow = {
      type: 'membership',
      sequence,
      conversation,
      state,
      hidden,
      last_position: state === 'removed' ? head : null,
    }
    inbox.memberships.set(conversation, row)
    this.onChange({ to, stream: 'inbox', after, sequence, cursor, rows: [row] })
  }

  /** Streams of an identity that moved after a cursor. */
  heads(me: IdentityId, after: number): { readonly stream: StreamId; readonly sequence: number }[] {
    const inbox = this.inbox(me)
    const heads: { stream: StreamId; sequence: number }[] = []
    if (inbox.cursor > after) heads.push({ stream: 'inbox', sequence: inbox.sequence })
    for (const { row, cursor, sequence, participants } of this.conversations.values()) {
      if (participants.get(me)?.state === 'active' && cursor > after) heads.push({ stream: row.id, sequence })
    }
    return heads
  }

  /** Rows of a stream above a sequence, by sequence; undefined where there is nothing to see. */
  rows(me: IdentityId, stream: StreamId, after: number): { rows: readonly Row[]; sequence: number } | undefined {
    if (stream === 'inbox') {
      const { memberships, sequence } = this.inbox(me)
      return { rows: above([...memberships.values()], after), sequence }
    }
    const conversation = this.#visible(me, stream)
    if (!conversation) return undefined
    const { row, participants, messages, sequence } = conversation
    return { rows: above([row, ...participants.values(), ...messages], after), sequence }
  }

  page(
    me: IdentityId,
    stream: ConversationId,
    before: number | null,
    limit: number,
  ): { rows: readonly Row[]; sequence: number; more: boolean } | undefined {
    const conversation = this.#visible(me, stream)
    if (!conversation) return undefined
    const { row, participants, messages, sequence } = conversation
    const below = messages.filter((message) => before === null || message.position < before)
    const newest = below.slice(-limit).reverse()
    const rest: Row[] = before === null ? [row, ...participants.values()] : []
    return { rows: [...rest, ...newest], sequence, more: below.length > newest.length }
  }

  #visible(me: IdentityId, stream: ConversationId): FakeConversation | undefined {
    const conversation = this.conversations.get(stream)
    return conversation?.participants.has(me) ? conversation : undefined
  }

  #time(): string {
    return new Date(this.#now()).toISOString()
  }
}

const above = (rows: readonly Row[], after: number): Row[] =>
  rows.filter((row) => row.sequence > after).sort((a, b) => a.sequence - b.sequence)

/** Ids as a test writes them: `conversation(7)`. */
export const fakeUuid = (n: number): Uuid => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Uuid
export const fakeConversation = (n: number): ConversationId => conversationId(fakeUuid(n))
export const fakeMessage = (n: number): MessageId => messageId(fakeUuid(n))
