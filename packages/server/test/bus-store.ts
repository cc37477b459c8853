/** A store that several nodes share, and somebody at a node who is told of what lies in it. */
import type { UserId, Uuid } from '@parley/protocol'
import type { StreamName, StreamRead, Telling } from '../src/bus/follower.ts'
import type { Commit } from '../src/bus/messages.ts'
import type { Clock } from '../src/clock.ts'
import type { MovedPage } from '../src/model/moved.ts'
import type { AppKey, MessageRecord } from '../src/model/state.ts'

const ONE = 1 as AppKey
const ada = 'ada' as UserId
export const chatId = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}` as Uuid

const message = (conversation: Uuid, sequence: number): MessageRecord => ({
  id: chatId(1_000_000 + sequence),
  ...{ conversation, position: sequence, sender: ada, sentAt: 0, parts: [{ mime_type: 'text/plain', body: 'x' }] },
  ...{ deletedAt: null, sequence, firstSequence: sequence, changedAt: 0 },
})

/** One store for all nodes: conversations in which messages are sent, and who is in them. */
export class SharedStore {
  cursor = 0
  isAway = false
  /** Node and chat → when that node read it. */
  readonly reads = new Map<string, number[]>()
  readonly committedAt = new Map<string, number>()
  readonly #chats = new Map<Uuid, { sequence: number; cursor: number; readonly audience: readonly UserId[] }>()
  /** How long an answer takes. */
  latencyMs = () => 3
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  create(id: Uuid, audience: readonly UserId[]): void {
    this.#chats.set(id, { sequence: 0, cursor: 0, audience })
  }

  head(id: Uuid): number {
    return this.#chats.get(id)!.sequence
  }

  /** The cursor with which it moved last. */
  cursorOf(id: Uuid): number {
    return this.#chats.get(id)!.cursor
  }

  send(id: Uuid): Commit {
    const chat = this.#chats.get(id)!
    const after = chat.sequence
    chat.sequence += 1
    chat.cursor = ++this.cursor
    this.committedAt.set(`${id} ${chat.sequence}`, this.#clock.now())
    const { sequence, cursor, audience } = chat
    const rows = [{ type: 'message' as const, record: message(id, sequence), sender: undefined }]
    const move = { stream: 'conversation' as const, conversation: { id }, after, sequence, audience, rows }
    return { app: ONE, actor: ada, operation: 'send-message', input: {}, cursor, at: 0, moves: [move] }
  }

  async moved(after: number, limit: number): Promise<MovedPage> {
    await this.#answers()
    const all = [...this.#chats].filter(([, { cursor }]) => cursor > after).sort(([, a], [, b]) => a.cursor - b.cursor)
    const page = all.slice(0, limit)
    return {
      heads: page.map(([id, { sequence, audience }]) => ({ app: ONE, stream: 'conversation', id, sequence, audience })),
      next: all.length > limit ? page[page.length - 1]![1].cursor : null,
      settled: this.cursor,
    }
  }

  get readCount(): number {
    return [...this.reads.values()].flat().length
  }

  async read(node: string, name: StreamName, after: number): Promise<StreamRead | undefined> {
    if (name.stream === 'inbox') return undefined
    const key = `${node} ${name.app} ${name.id}`
    this.reads.set(key, [...(this.reads.get(key) ?? []), this.#clock.now()])
    const known = name.app === ONE ? this.#chats.get(name.id) : undefined
    const chat = known && { ...known }
    await this.#answers()
    if (!chat) return undefined
    const last = Math.max(after, Math.min(chat.sequence, after + 20))
    const rows = Array.from({ length: last - after }, (_, i) => ({
      ...{ type: 'message' as const, record: message(name.id, after + 1 + i), sender: undefined },
    }))
    return { stream: 'conversation', rows, audience: chat.audience, sequence: last, more: last < chat.sequence }
  }

  async #answers(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.after(this.latencyMs(), resolve))
    if (this.isAway) throw new Error('away')
  }
}

/** Somebody at a node, who is told and never asks: what comes after a gap passes them by. */
export class Ears {
  readonly have = new Map<Uuid, number>()
  /** How long after its commit each message was told. */
  readonly delays: number[] = []
  strange = 0

  hear(store: SharedStore, now: number, id: Uuid, after: number, sequence: number, rows: readonly number[]): void {
    const expected = Array.from({ length: sequence - after }, (_, i) => after + 1 + i)
    if (sequence > store.head(id) || rows.join() !== expected.join()) this.strange += 1
    const have = this.have.get(id) ?? 0
    if (after > have) return
    for (let n = have + 1; n <= sequence; n++) this.delays.push(now - store.committedAt.get(`${id} ${n}`)!)
    this.have.set(id, Math.max(have, sequence))
  }
}

export function shape(telling: Telling<{ readonly committed: Commit; readonly move: Commit['moves'][number] }>) {
  const numbers = (rows: readonly { readonly record: { readonly sequence: number } }[]) =>
    rows.map(({ record }) => record.sequence)
  if (telling.source === 'store') {
    const { name, after, sequence, read } = telling
    const rows = numbers(read.rows).filter((n) => n > after)
    return { id: name.stream === 'inbox' ? chatId(0) : name.id, after, sequence, rows }
  }
  const move = telling.source === 'here' ? telling.change.move : telling.move
  if (move.stream === 'inbox') throw new Error('No inboxes here.')
  const id = 'conversation' in move ? move.conversation.id : move.id
  return { id, after: move.after, sequence: move.sequence, rows: numbers(move.rows!) }
}
