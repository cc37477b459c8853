import type { UserId, Uuid } from '@parley/protocol'
import { ConversationState } from '../model/conversation-state.ts'
import type { Facts, Reads, Remembered } from '../model/decision.ts'
import { RecentMap, type Undo } from '../model/recent-map.ts'
import type { AppKey, MessageRecord, Session } from '../model/state.ts'
import type { Loaded, Person, RememberedOperation, Wanted } from '../store/store.ts'

/** How many are kept in memory between batches; what was not used for the longest time goes first. */
export interface Memory {
  readonly conversations: number
  readonly people: number
  /** For whoever repeats what was sent a moment ago. Few: each keeps the whole text that it came in. */
  readonly messages: number
}

/** Somebody's operation, and what it has to know. */
interface Reader {
  readonly reads: Reads
  readonly request: { readonly app: AppKey; readonly userId: UserId | null }
}

/** What another server committed. */
export interface ChangedElsewhere {
  readonly app: AppKey
  readonly conversations: readonly ChangedConversation[]
  readonly people: readonly UserId[]
  readonly messages: readonly Uuid[]
}

export interface ChangedConversation {
  readonly id: Uuid
  /** The sequence it reached; null where only somebody's own side changed. */
  readonly sequence: number | null
  /** If that is all there is: new messages, or marks as well. */
  readonly misses?: 'messages' | 'marks' | undefined
}

const DEFAULT_MEMORY: Memory = { conversations: 20_000, people: 50_000, messages: 200 }

/**
 * What the write lane knows: everything the current batch needs, and conversations and people of earlier batches.
 * This is sound because the lane is the only writer of its store, or is told by each commit what others changed.
 */
export class WorkingSet {
  readonly #memory: Memory
  // Null stands for what is known to be absent.
  readonly #conversations = new RecentMap<ConversationState | null>()
  readonly #people = new RecentMap<Person | null>()
  readonly #distinct = new RecentMap<Uuid | null>()
  readonly #messages = new RecentMap<MessageRecord>()
  readonly #operations = new Map<string, Remembered>()
  readonly #nonces = new Set<string>()
  readonly #sessions = new Map<Uuid, Session>()

  constructor(memory: Memory = DEFAULT_MEMORY) {
    this.#memory = memory
  }

  /**
   * Of what a batch asks for, what is not known yet.
   * @param isDoubtful whether messages expected to be new are to be looked up all the same
   */
  missing(batch: readonly Reader[], isDoubtful = false): Wanted {
    const wanted = {
      conversations: [] as { app: AppKey; key: Uuid }[],
      distinctKeys: [] as { app: AppKey; key: string }[],
      messages: [] as { app: AppKey; key: Uuid }[],
      people: [] as { app: AppKey; key: UserId }[],
      nonces: [] as string[],
      sessions: [] as Uuid[],
    }
    const asked = new Set<string>()
    const need = (kind: string, app: AppKey, key: string) => {
      const name = `${kind} ${app} ${key}`
      if (asked.has(name)) return false
      asked.add(name)
      return true
    }
    const needPerson = (app: AppKey, key: UserId) => {
      if (this.#people.get(app, key) === undefined && need('p', app, key)) wanted.people.push({ app, key })
    }
    const needMessage = (app: AppKey, key: Uuid) => {
      if (!this.#messages.get(app, key) && need('m', app, key)) wanted.messages.push({ app, key })
    }
    for (const { reads, request } of batch) {
      const { app, userId } = request
      if (userId !== null) needPerson(app, userId)
      for (const key of reads.profiles ?? NONE) needPerson(app, key)
      for (const key of reads.conversations ?? NONE) {
        const known = this.#conversations.get(app, key)
        const isKnown = known === null || (known !== undefined && isEnough(known, reads))
        if (!isKnown && need('c', app, key)) wanted.conversations.push({ app, key })
      }
      for (const key of reads.distinctKeys ?? NONE) {
        const id = this.#distinct.get(app, key)
        const known = id === null ? null : id && this.#conversations.get(app, id)
        const isKnown = known === null || (known !== undefined && isEnough(known, reads))
        if (!isKnown && need('d', app, key)) wanted.distinctKeys.push({ app, key })
      }
      for (const key of reads.messages ?? NONE) needMessage(app, key)
      if (isDoubtful && reads.newMessage !== undefined) needMessage(app, reads.newMessage)
      for (const nonce of reads.nonces ?? NONE) if (need('n', app, nonce)) wanted.nonces.push(nonce)
      for (const id of reads.sessions ?? NONE) if (need('s', app, id)) wanted.sessions.push(id)
    }
    return { ...wanted, operations: [] }
  }

  /** Once conversations are known: the people a decision may touch without naming them, not known yet. */
  missingPeople(batch: readonly Reader[]): Wanted['people'] {
    const wanted = new Map<string, { app: AppKey; key: UserId }>()
    for (const { reads, request } of batch) {
      const { app } = request
      for (const id of reads.conversations ?? NONE) {
        const conversation = this.conversation(app, id)
        if (!conversation || !(reads.everyParticipant || conversation.hasHidden)) continue
        for (const { userId, state } of conversation.participants.values()) {
          if (!reads.everyParticipant && state !== 'hidden') continue
          if (this.#people.get(app, userId) === undefined) wanted.set(`${app} ${userId}`, { app, key: userId })
        }
      }
    }
    return [...wanted.values()]
  }

  /** Once operations are known that are being repeated: the conversations their answers are about, not known yet. */
  missingEffects(operations: readonly RememberedOperation[]): Wanted['conversations'] {
    return operations.flatMap(({ app, answer }) =>
      answer && this.#conversations.get(app, answer.effect) === undefined ? [{ app, key: answer.effect }] : [],
    )
  }

  /** Takes in what was loaded for `wanted`; what was wanted and is not there is known to be absent. */
  learn(wanted: Wanted, loaded: Loaded): void {
    for (const { app, key } of wanted.conversations) this.#conversations.set(app, key, null)
    for (const { app, key } of wanted.distinctKeys) this.#distinct.set(app, key, null)
    for (const { app, key } of wanted.people) this.#people.set(app, key, null)
    for (const conversation of loaded.conversations) {
      // One that was known stays the same object, but its distinct key may have been forgotten.
      const known = this.conversation(conversation.app, conversation.record.id)
      const isWhole = known?.misses === 'nothing'
      this.putConversation(isWhole ? known : new ConversationState(conversation))
    }
    for (const person of loaded.people) {
      const { app, profile } = person
      if (!this.#people.get(app, profile.userId)) this.#people.set(app, profile.userId, person)
    }
    for (const message of loaded.messages) this.putMessage(message.app, message)
    for (const remembered of loaded.operations) {
      this.putOperation(remembered.app, remembered.userId, remembered.id, remembered)
    }
    for (const nonce of loaded.nonces) this.putNonce(nonce)
    for (const session of loaded.sessions) this.putSession(session)
  }

  /** The view one caller's decision is made from. */
  factsFor(app: AppKey, userId: UserId | null): Facts {
    return new CallersFacts(this, app, userId)
  }

  conversation(app: AppKey, id: Uuid): ConversationState | undefined {
    return this.#conversations.get(app, id) ?? undefined
  }

  distinct(app: AppKey, distinctKey: string): ConversationState | undefined {
    const id = this.#distinct.get(app, distinctKey)
    const conversation = id ? this.conversation(app, id) : undefined
    return conversation?.record.distinctKey === distinctKey ? conversation : undefined
  }

  person(app: AppKey, userId: UserId): Person | undefined {
    return this.#people.get(app, userId) ?? undefined
  }

  message(app: AppKey, id: Uuid): MessageRecord | undefined {
    return this.#messages.get(app, id)
  }

  operation(app: AppKey, userId: UserId, id: Uuid): Remembered | undefined {
    return this.#operations.get(operationKey(app, userId, id))
  }

  isNonceUsed(nonceHash: string): boolean {
    return this.#nonces.has(nonceHash)
  }

  session(id: Uuid): Session | undefined {
    return this.#sessions.get(id)
  }

  // Everything below changes what is known, and answers with what takes it back.

  putConversation(conversation: ConversationState): Undo {
    const { distinctKey } = conversation.record
    const undoConversation = this.#conversations.put(conversation.app, conversation.id, conversation)
    if (distinctKey === null) return undoConversation
    const undoDistinct = this.#distinct.put(conversation.app, distinctKey, conversation.id)
    return () => {
      undoDistinct()
      undoConversation()
    }
  }

  /** A conversation stopped being the distinct one of its participants. */
  dropDistinct(app: AppKey, distinctKey: string): Undo {
    return this.#distinct.put(app, distinctKey, null)
  }

  putPerson(person: Person): Undo {
    return this.#people.put(person.app, person.profile.userId, person)
  }

  putMessage(app: AppKey, message: MessageRecord): Undo {
    return this.#messages.put(app, message.id, message)
  }

  /** One that was not known; {@link forgetMessage} takes it back. */
  addMessage(app: AppKey, message: MessageRecord): void {
    this.#messages.set(app, message.id, message)
  }

  forgetMessage(app: AppKey, id: Uuid): void {
    this.#messages.delete(app, id)
  }

  forgetOperation(app: AppKey, userId: UserId, id: Uuid): void {
    this.#operations.delete(operationKey(app, userId, id))
  }

  putOperation(app: AppKey, userId: UserId, id: Uuid, remembered: Remembered): Undo {
    return put(this.#operations, operationKey(app, userId, id), remembered)
  }

  putNonce(nonceHash: string): Undo {
    this.#nonces.add(nonceHash)
    return () => this.#nonces.delete(nonceHash)
  }

  putSession(session: Session): Undo {
    return put(this.#sessions, session.id, session)
  }

  /** Between batches: keeps memory within its bounds. */
  trim(): void {
    this.#conversations.trim(this.#memory.conversations)
    this.#distinct.trim(this.#memory.conversations)
    this.#people.trim(this.#memory.people)
    this.#messages.trim(this.#memory.messages)
    this.#operations.clear()
    this.#nonces.clear()
    this.#sessions.clear()
  }

  /** These are not so any more. */
  forgetThese(outdated: Partial<Wanted>): void {
    for (const { app, key } of outdated.conversations ?? NONE) this.#conversations.delete(app, key)
    for (const { app, key } of outdated.distinctKeys ?? NONE) {
      const id = this.#distinct.get(app, key)
      if (id) this.#conversations.delete(app, id)
      this.#distinct.delete(app, key)
    }
    for (const { app, key } of outdated.people ?? NONE) this.#people.delete(app, key)
    // Whatever was changed in a conversation, its messages may be.
    this.#messages.clear()
  }

  /** Others changed these; unless what is known is newer. */
  forgetChanged({ app, conversations, people, messages }: ChangedElsewhere): void {
    for (const { id, sequence, misses } of conversations) {
      const known = this.conversation(app, id)
      const isNewer = sequence !== null && (known?.headSequence ?? 0) >= sequence
      if (isNewer) continue
      if (!known || !misses) this.#conversations.delete(app, id)
      else if (known.misses !== 'marks') known.misses = misses
    }
    for (const userId of people) this.#people.delete(app, userId)
    for (const id of messages) this.#messages.delete(app, id)
  }

  /** After a commit of unknown or failed outcome: only the store knows. */
  forget(): void {
    this.#conversations.clear()
    this.#distinct.clear()
    this.#people.clear()
    this.#messages.clear()
    this.trim()
  }
}

/** What one caller's decision may look at: a thin view, since one is made for each operation. */
class CallersFacts implements Facts {
  readonly #known: WorkingSet
  readonly #app: AppKey
  readonly #userId: UserId | null

  constructor(known: WorkingSet, app: AppKey, userId: UserId | null) {
    this.#known = known
    this.#app = app
    this.#userId = userId
  }

  conversation(id: Uuid) {
    return this.#known.conversation(this.#app, id)
  }

  distinct(distinctKey: string) {
    return this.#known.distinct(this.#app, distinctKey)
  }

  message(id: Uuid) {
    return this.#known.message(this.#app, id)
  }

  profile(userId: UserId) {
    return this.#known.person(this.#app, userId)?.profile
  }

  remembered(operationId: Uuid) {
    return this.#userId === null ? undefined : this.#known.operation(this.#app, this.#userId, operationId)
  }

  isNonceUsed(nonceHash: string) {
    return this.#known.isNonceUsed(nonceHash)
  }

  session(id: Uuid) {
    return this.#known.session(id)
  }
}

/** Whether that much is known of a conversation: to send something there, it is no matter what others sent or read. */
const isEnough = ({ misses, hasHidden }: ConversationState, reads: Reads) =>
  misses === 'nothing' || (reads.newMessage !== undefined && !hasHidden)

function put<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): Undo {
  const before = map.get(key)
  map.set(key, value)
  return () => {
    if (before === undefined) map.delete(key)
    else map.set(key, before)
  }
}

const NONE: readonly never[] = []
const operationKey = (app: AppKey, userId: UserId, id: Uuid) => `${app} ${id} ${userId}`
