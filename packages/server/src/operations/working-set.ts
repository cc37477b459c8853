import type { UserId, Uuid } from '@parley/protocol'
import { ConversationState } from '../model/conversation-state.ts'
import type { Facts, Reads, Remembered } from '../model/decision.ts'
import type { AppKey, MessageRecord, Session } from '../model/state.ts'
import type { Loaded, Person, Wanted } from '../store/store.ts'

/** How many are kept in memory between batches; the least recently used go first. */
export interface Memory {
  readonly conversations: number
  readonly people: number
  /** For whoever repeats what was sent a moment ago. */
  readonly messages: number
}

const DEFAULT_MEMORY: Memory = { conversations: 20_000, people: 50_000, messages: 10_000 }

/**
 * What the write lane knows: everything the current batch needs, and conversations and people of earlier batches.
 * This is sound because the lane is the only writer of its store; after a failed commit everything is forgotten.
 */
export class WorkingSet {
  readonly #memory: Memory
  readonly #conversations = new Map<string, ConversationState | null>()
  readonly #people = new Map<string, Person | null>()
  readonly #distinct = new Map<string, Uuid | null>()
  readonly #messages = new Map<string, MessageRecord>()
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
  missing(
    requests: readonly { readonly reads: Reads; readonly app: AppKey; readonly userId: UserId | null }[],
    isDoubtful = false,
  ): Wanted {
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
    for (const { reads, app, userId } of requests) {
      for (const key of reads.conversations ?? []) {
        if (!touch(this.#conversations, keyOf(app, key)) && need('c', app, key)) wanted.conversations.push({ app, key })
      }
      for (const key of reads.distinctKeys ?? []) {
        const id = touch(this.#distinct, keyOf(app, key)) ? this.#distinct.get(keyOf(app, key)) : undefined
        const isKnown = id === null || (id !== undefined && this.#conversations.has(keyOf(app, id)))
        if (!isKnown && need('d', app, key)) wanted.distinctKeys.push({ app, key })
      }
      for (const key of [...(reads.messages ?? []), ...((isDoubtful && reads.newMessages) || [])]) {
        if (!touch(this.#messages, keyOf(app, key)) && need('m', app, key)) wanted.messages.push({ app, key })
      }
      for (const key of [...(reads.profiles ?? []), ...(userId === null ? [] : [userId])]) {
        if (!touch(this.#people, keyOf(app, key)) && need('p', app, key)) wanted.people.push({ app, key })
      }
      for (const nonce of reads.nonces ?? []) if (need('n', app, nonce)) wanted.nonces.push(nonce)
      for (const id of reads.sessions ?? []) if (need('s', app, id)) wanted.sessions.push(id)
    }
    return { ...wanted, operations: [] }
  }

  /** Once conversations are known: the people a decision may touch without naming them, not known yet. */
  missingPeople(requests: readonly { readonly reads: Reads; readonly app: AppKey }[]): Wanted['people'] {
    const wanted = new Map<string, { app: AppKey; key: UserId }>()
    for (const { reads, app } of requests) {
      for (const id of reads.conversations ?? []) {
        const conversation = this.conversation(app, id)
        if (!conversation || !(reads.everyParticipant || conversation.hasHidden)) continue
        for (const { userId, state } of conversation.participants.values()) {
          if (!reads.everyParticipant && state !== 'hidden') continue
          if (!touch(this.#people, keyOf(app, userId))) wanted.set(keyOf(app, userId), { app, key: userId })
        }
      }
    }
    return [...wanted.values()]
  }

  /** Takes in what was loaded for `wanted`; what was wanted and is not there is known to be absent. */
  learn(wanted: Wanted, loaded: Loaded): void {
    for (const { app, key } of wanted.conversations) this.#conversations.set(keyOf(app, key), null)
    for (const { app, key } of wanted.distinctKeys) this.#distinct.set(keyOf(app, key), null)
    for (const { app, key } of wanted.people) this.#people.set(keyOf(app, key), null)
    for (const conversation of loaded.conversations) {
      const name = keyOf(conversation.app, conversation.record.id)
      // One that was known stays the same object, but its distinct key may have been forgotten.
      this.putConversation(this.#conversations.get(name) ?? new ConversationState(conversation))
    }
    for (const person of loaded.people) {
      const name = keyOf(person.app, person.profile.userId)
      if (!this.#people.get(name)) this.#people.set(name, person)
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
    return {
      conversation: (id) => this.conversation(app, id),
      distinct: (distinctKey) => {
        const id = this.#distinct.get(keyOf(app, distinctKey))
        const conversation = id ? this.conversation(app, id) : undefined
        return conversation?.record.distinctKey === distinctKey ? conversation : undefined
      },
      message: (id) => this.#messages.get(keyOf(app, id)),
      profile: (of) => this.person(app, of)?.profile,
      remembered: (id) => (userId === null ? undefined : this.#operations.get(operationKey(app, userId, id))),
      isNonceUsed: (nonceHash) => this.#nonces.has(nonceHash),
      session: (id) => this.#sessions.get(id),
    }
  }

  conversation(app: AppKey, id: Uuid): ConversationState | undefined {
    return this.#conversations.get(keyOf(app, id)) ?? undefined
  }

  person(app: AppKey, userId: UserId): Person | undefined {
    return this.#people.get(keyOf(app, userId)) ?? undefined
  }

  // Everything below changes what is known, and answers with what takes it back.

  putConversation(conversation: ConversationState): Undo {
    const { distinctKey } = conversation.record
    const undoConversation = put(this.#conversations, keyOf(conversation.app, conversation.id), conversation)
    if (distinctKey === null) return undoConversation
    const undoDistinct = put(this.#distinct, keyOf(conversation.app, distinctKey), conversation.id)
    return () => {
      undoDistinct()
      undoConversation()
    }
  }

  /** A conversation stopped being the distinct one of its participants. */
  dropDistinct(app: AppKey, distinctKey: string): Undo {
    return put(this.#distinct, keyOf(app, distinctKey), null)
  }

  putPerson(person: Person): Undo {
    return put(this.#people, keyOf(person.app, person.profile.userId), person)
  }

  putMessage(app: AppKey, message: MessageRecord): Undo {
    return put(this.#messages, keyOf(app, message.id), message)
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
    evict(this.#conversations, this.#memory.conversations)
    evict(this.#distinct, this.#memory.conversations)
    evict(this.#people, this.#memory.people)
    evict(this.#messages, this.#memory.messages)
    this.#operations.clear()
    this.#nonces.clear()
    this.#sessions.clear()
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

/** Takes one change back. */
export type Undo = () => void

function put<K, V>(map: Map<K, V>, key: K, value: V): Undo {
  const before = map.get(key)
  map.set(key, value)
  return () => {
    if (before === undefined) map.delete(key)
    else map.set(key, before)
  }
}

const keyOf = (app: AppKey, key: string) => `${app} ${key}`
const operationKey = (app: AppKey, userId: UserId, id: Uuid) => `${app} ${id} ${userId}`

/** Whether the key is known; if so it becomes the most recently used. */
function touch<V>(map: Map<string, V>, key: string): boolean {
  const value = map.get(key)
  if (value === undefined) return false
  map.delete(key)
  map.set(key, value)
  return true
}

function evict(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return
    map.delete(key)
  }
}
