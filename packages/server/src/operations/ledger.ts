import type { UserId, Uuid } from '@parley/protocol'
import { AppMap } from '../model/app-map.ts'
import { ConversationState } from '../model/conversation-state.ts'
import type { Fact } from '../model/decision.ts'
import { standsAsBefore } from '../model/participation.ts'
import type { Undo } from '../model/recent-map.ts'
import type { AppKey, Participant, ParticipantRecord, Profile } from '../model/state.ts'
import type { Basis, BelievedConversation, Cursor, Person, RememberedOperation, Shift, Writes } from '../store/store.ts'
import { addRow, type ConversationMove, type InboxMove, Moves, type StreamMove } from './moves.ts'
import type { WorkingSet } from './working-set.ts'

/**
 * Turns the facts of a batch into rows with sequences: the only place that hands out sequences. It changes the
 * working set at once, so that the next decision of the batch sees them, and collects what is to be committed.
 */
export class Ledger {
  readonly #known: WorkingSet
  readonly #cursor: Cursor
  readonly #now: number
  readonly #conversations = new Set<ConversationState>()
  /** Of those, the ones whose record changed, and not only what it holds. */
  readonly #records = new Set<ConversationState>()
  /** Everything that anything was changed of, with what was believed. */
  readonly #touched = new Map<ConversationState, Touched>()
  /** Of which more was relied on than the terms on which messages are sent. */
  readonly #relied = new Set<ConversationState>()
  readonly #peopleBefore = new AppMap<Basis['people'][number]>()
  readonly #participants = new AppMap<Writes['participants'][number]>()
  readonly #messages = new AppMap<WrittenMessage>()
  readonly #people = new AppMap<Person & { isInboxMoved: boolean }>()
  readonly #purged: { app: AppKey; key: Uuid }[] = []
  readonly #sessions = new Map<Uuid, Writes['sessions'][number]>()
  readonly #nonces: { hash: string; forgetAt: number }[] = []
  readonly #operations: RememberedOperation[] = []
  readonly #undo: Undo[] = []
  /** To take them back, a function for each would be one for nearly every operation. */
  readonly #sent: WrittenMessage[] = []
  #hidesMessages = false

  constructor(known: WorkingSet, cursor: Cursor, now: number) {
    this.#known = known
    this.#cursor = cursor
    this.#now = now
  }

  get isEmpty(): boolean {
    return (
      this.#conversations.size === 0 &&
      this.#people.size === 0 &&
      this.#sessions.size === 0 &&
      this.#nonces.length === 0 &&
      this.#operations.length === 0
    )
  }

  /**
   * Whether messages were sent and purged again before they were written: that one of them was there already, and this is
   * its repeat, is nothing that the commit would find out.
   */
  get hidesMessages(): boolean {
    return this.#hidesMessages
  }

  /** Whether it changes a person. */
  changes(app: AppKey, userId: UserId): boolean {
    return this.#people.get(app, userId) !== undefined
  }

  /** Whether it changes a conversation, or anything in it. */
  changesWithin(conversation: ConversationState | undefined): boolean {
    return conversation !== undefined && this.#touched.has(conversation)
  }

  /** What is decided rests on more of this conversation than the terms on which messages are sent there. */
  relyOn(conversation: ConversationState | undefined): void {
    if (conversation) this.#relied.add(conversation)
  }

  /** A message that is written with this batch. */
  message(app: AppKey, id: Uuid): Writes['messages'][number] | undefined {
    return this.#messages.get(app, id)
  }

  /** The commit happened, and its messages lie after some that others had sent: everything that says where is put right. */
  shift(shifts: AppMap<Shift>): void {
    for (const message of this.#messages.values()) {
      const shift = shifts.get(message.app, message.conversation)
      if (!shift) continue
      message.position += shift.positions
      message.sequence += shift.sequences
      message.firstSequence += shift.sequences
      message.sentAt = shift.sentAt
    }
    for (const conversation of this.#touched.keys()) {
      const shift = shifts.get(conversation.app, conversation.id)
      if (shift) conversation.shift(shift)
    }
  }

  /** Takes everything back: the commit did not happen, and nothing was told. */
  undo(): void {
    for (const undo of this.#undo.reverse()) undo()
    for (const { app, id } of this.#sent) this.#known.forgetMessage(app, id)
  }

  /** Records the facts of one operation; answers how streams moved. */
  record(app: AppKey, facts: readonly Fact[]): StreamMove[] {
    const moves = new Moves()
    for (const fact of facts) this.#recordOne(app, fact, moves)
    for (const move of moves.list) {
      if (move.stream === 'conversation') move.audience = move.conversation.audience
    }
    return moves.list
  }

  remember(operation: RememberedOperation): void {
    this.#operations.push(operation)
    this.#undo.push(this.#known.putOperation(operation.app, operation.userId, operation.id, operation))
  }

  /** An operation is decided once more: it must not be taken for a repeat of itself. */
  forgetOperation({ app, userId, id }: Pick<RememberedOperation, 'app' | 'userId' | 'id'>): void {
    const isIt = (one: RememberedOperation) => one.id === id && one.userId === userId && one.app === app
    const index = this.#operations.findIndex(isIt)
    if (index === -1) return
    this.#operations.splice(index, 1)
    this.#known.forgetOperation(app, userId, id)
  }

  writes(): Writes {
    return {
      cursor: this.#cursor,
      at: this.#now,
      basis: {
        conversations: [...this.#touched].map(([conversation, touched]) => this.#believed(conversation, touched)),
        people: this.#peopleBefore.values(),
      },
      conversations: [...this.#conversations].map((conversation) => ({
        app: conversation.app,
        record: conversation.record,
        isRecordSame: !this.#records.has(conversation),
        headSequence: conversation.headSequence,
        headPosition: conversation.headPosition,
        lastMessageAt: conversation.lastMessageAt,
      })),
      participants: this.#participants.values(),
      messages: this.#messages.values(),
      purged: this.#purged,
      people: this.#people.values(),
      sessions: [...this.#sessions.values()],
      nonces: this.#nonces,
      operations: this.#operations,
    }
  }

  #recordOne(app: AppKey, fact: Fact, moves: Moves): void {
    switch (fact.type) {
      case 'conversation':
        this.#recordConversation(app, fact.conversation, moves)
        return
      case 'participant':
        this.#recordParticipant(app, fact, moves)
        return
      case 'message':
        this.#recordMessage(app, fact, moves)
        return
      case 'messages-purged':
        this.#purged.push({ app, key: fact.conversation })
        this.#touch(this.#known.conversation(app, fact.conversation), 'anything')
        for (const message of this.#messages.values()) {
          if (message.app !== app || message.conversation !== fact.conversation) continue
          this.#messages.delete(app, message.id)
          this.#hidesMessages = true
        }
        return
      case 'profile':
        this.#putPerson(app, fact.profile)
        return
      case 'session':
        this.#undo.push(this.#known.putSession(fact.session))
        this.#sessions.set(fact.session.id, {
          session: fact.session,
          tokenHash: fact.tokenHash ?? this.#sessions.get(fact.session.id)?.tokenHash ?? null,
        })
        return
      case 'nonce-used':
        this.#undo.push(this.#known.putNonce(fact.nonceHash))
        this.#nonces.push({ hash: fact.nonceHash, forgetAt: fact.forgetAt })
        return
    }
  }

  #recordConversation(
    app: AppKey,
    conversation: Extract<Fact, { type: 'conversation' }>['conversation'],
    moves: Moves,
  ): void {
    const known = this.#known.conversation(app, conversation.id)
    const state =
      known ??
      new ConversationState({
        app,
        record: { ...conversation, sequence: 0, changedAt: this.#now },
        headSequence: 0,
        headPosition: 0,
        lastMessageAt: conversation.createdAt,
        participants: [],
      })
    const before = known?.record.distinctKey ?? null
    if (before !== null && conversation.distinctKey !== before) this.#undo.push(this.#known.dropDistinct(app, before))
    const move = this.#conversationMove(state, moves, 'anything')
    const { id, createdAt, createdBy, distinctKey, metadata, deletedAt } = conversation
    const sequence = ++state.headSequence
    this.#records.add(state)
    state.record = { id, createdAt, createdBy, distinctKey, metadata, deletedAt, sequence, changedAt: this.#now }
    this.#undo.push(this.#known.putConversation(state))
    addRow(move, { type: 'conversation', record: state.record })
    move.sequence = state.headSequence
  }

  #recordParticipant(app: AppKey, fact: Extract<Fact, { type: 'participant' }>, moves: Moves): void {
    const conversation = this.#known.conversation(app, fact.conversation)
    const person = this.#known.person(app, fact.participant.userId)
    if (!conversation || !person) throw new Error(`Participant ${fact.participant.userId} without what it belongs to.`)
    const before = conversation.participants.get(fact.participant.userId)
    const isPublic = fact.side !== 'private'
    const isPrivate = fact.side !== 'public'
    const change = isMark(before, fact) ? 'marks' : 'anything'
    const conversationMove = isPublic ? this.#conversationMove(conversation, moves, change) : undefined
    const inboxMove = isPrivate ? this.#inboxMove(app, person, moves) : undefined
    const record: ParticipantRecord = {
      ...plainParticipant(fact.participant),
      sequence: isPublic ? ++conversation.headSequence : (before?.sequence ?? 0),
      inboxSequence: isPrivate ? person.inboxSequence + 1 : (before?.inboxSequence ?? 0),
      changedAt: this.#now,
    }
    this.#touch(conversation, change)
    this.#undo.push(conversation.putParticipant(record))
    this.#participants.set(app, `${conversation.id} ${record.userId}`, {
      ...record,
      app,
      conversation: conversation.id,
    })
    if (conversationMove) {
      addRow(conversationMove, { type: 'participant', record, profile: person.profile, before })
      conversationMove.sequence = conversation.headSequence
    }
    if (inboxMove) {
      this.#putPerson(app, person.profile, person.inboxSequence + 1)
      addRow(inboxMove, { conversation: conversation.id, record })
      inboxMove.sequence = record.inboxSequence
    }
  }

  #recordMessage(app: AppKey, { message, partsText }: Extract<Fact, { type: 'message' }>, moves: Moves): void {
    const conversation = this.#known.conversation(app, message.conversation)
    if (!conversation) throw new Error(`Message ${message.id} without its conversation.`)
    const isNew = message.position === conversation.headPosition + 1
    const move = this.#conversationMove(conversation, moves, isNew ? 'messages' : 'anything')
    const sequence = ++conversation.headSequence
    const before = 'firstSequence' in message ? (message.firstSequence as number) : sequence
    const { id, position, sender, sentAt, parts, deletedAt } = message
    const record = {
      id,
      conversation: conversation.id,
      position,
      sender,
      sentAt,
      parts,
      deletedAt,
      sequence,
      firstSequence: isNew ? sequence : before,
      changedAt: this.#now,
      partsText,
      app,
      isNew: isNew || (this.#messages.get(app, id)?.isNew ?? false),
    }
    if (isNew) {
      conversation.headPosition = position
      conversation.lastMessageAt = sentAt
      this.#known.addMessage(app, record)
      this.#sent.push(record)
    } else this.#undo.push(this.#known.putMessage(app, record))
    this.#messages.set(app, id, record)
    addRow(move, { type: 'message', record, sender: this.#known.person(app, sender)?.profile })
    move.sequence = sequence
  }

  #putPerson(app: AppKey, profile: Profile, inboxSequence?: number): void {
    const before = this.#known.person(app, profile.userId)
    const isFirst = this.#peopleBefore.get(app, profile.userId) === undefined
    const revision = (before?.revision ?? 0) + Number(isFirst)
    if (isFirst) this.#peopleBefore.set(app, profile.userId, { app, key: profile.userId, revision: revision - 1 })
    const person = { app, profile, inboxSequence: inboxSequence ?? before?.inboxSequence ?? 0, revision }
    this.#undo.push(this.#known.putPerson(person))
    const isInboxMoved = inboxSequence !== undefined || (this.#people.get(app, profile.userId)?.isInboxMoved ?? false)
    this.#people.set(app, profile.userId, { ...person, isInboxMoved })
  }

  /** A commit counts once for each conversation, whatever it changes there. */
  #touch(conversation: ConversationState | undefined, change: Change): void {
    if (!conversation) return
    const known = this.#touched.get(conversation)
    if (known && known.change >= CHANGES[change]) return
    const { revision, terms } = known ?? conversation
    this.#touched.set(conversation, { revision, terms, change: CHANGES[change] })
    if (change === 'anything') conversation.terms = terms + 1
    if (known) return
    conversation.revision = revision + 1
    this.#undo.push(() => Object.assign(conversation, { revision, terms }))
  }

  #believed(conversation: ConversationState, { revision, terms, change }: Touched): BelievedConversation {
    const believed = { app: conversation.app, key: conversation.id, revision, terms }
    if (change === CHANGES.anything) return believed
    return {
      ...believed,
      change: change === CHANGES.messages && !this.#relied.has(conversation) ? 'messages' : 'marks',
    }
  }

  #conversationMove(conversation: ConversationState, moves: Moves, change: Change): ConversationMove {
    this.#touch(conversation, change)
    if (!this.#conversations.has(conversation)) {
      this.#conversations.add(conversation)
      this.#undo.push(conversation.checkpoint())
    }
    const known = moves.of(conversation.id)
    if (known) return known as ConversationMove
    const after = conversation.headSequence
    return moves.add(conversation.id, {
      stream: 'conversation',
      conversation,
      after,
      sequence: after,
      rows: [],
      audience: [],
    })
  }

  #inboxMove(_app: AppKey, person: Person, moves: Moves): InboxMove {
    const { userId } = person.profile
    const name = `inbox ${userId}`
    const known = moves.of(name)
    if (known) return known as InboxMove
    const after = person.inboxSequence
    return moves.add(name, { stream: 'inbox', userId, after, sequence: after, rows: [] })
  }
}

/** What all see of somebody, and nothing that a message's sending rests on. */
const isMark = (before: Participant | undefined, { participant, side }: Extract<Fact, { type: 'participant' }>) =>
  side === 'public' && standsAsBefore(before, participant)

/** What a batch does in a conversation, each including those before it. */
const CHANGES = { messages: 0, marks: 1, anything: 2 } as const
type Change = keyof typeof CHANGES

/** Revision and terms as they were believed to be, and what was changed. */
interface Touched {
  readonly revision: number
  readonly terms: number
  readonly change: (typeof CHANGES)[Change]
}

type WrittenMessage = { -readonly [Key in keyof Writes['messages'][number]]: Writes['messages'][number][Key] }

function plainParticipant(participant: Participant): Participant {
  const { userId, state, order, joinedAt, absent, delivered, read, hidden, lastPosition } = participant
  return { userId, state, order, joinedAt, absent, delivered, read, hidden, lastPosition }
}
