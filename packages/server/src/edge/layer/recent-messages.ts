import type { UserId, Uuid } from '@parley/protocol'
import type { ToldConversationMove } from '../../delivery/change.ts'
import type { AppKey } from '../../model/state.ts'
import type { Edge } from '../edge.ts'
import type { Viewer } from './changes/telling.ts'

const MAX_CONVERSATIONS = 10_000
const MAX_PER_CONVERSATION = 64

export interface MessageAt {
  readonly position: number
  readonly id: Uuid
  readonly sender: UserId
}

/**
 * Which message stands at a position. The log marks receipts by position, Layer's clients want the message's id; nearly
 * always it was sent a moment ago and is still known here.
 */
export class RecentMessages {
  readonly #edge: Edge
  readonly #known = new Map<string, Map<number, MessageAt | null>>()

  constructor(edge: Edge) {
    this.#edge = edge
  }

  /** Takes note of messages that were sent or deleted. */
  note(app: AppKey, move: ToldConversationMove): void {
    for (const row of move.rows) {
      if (row.type !== 'message') continue
      const { position, id, sender, deletedAt } = row.record
      this.#put(`${app} ${row.record.conversation}`, position, deletedAt === null ? { position, id, sender } : null)
    }
  }

  /** The messages at these positions that are still there; given and answered newest first. */
  at(
    viewer: Viewer,
    conversation: Uuid,
    positions: readonly number[],
  ): readonly MessageAt[] | Promise<readonly MessageAt[]> {
    const known = this.#known.get(`${viewer.app} ${conversation}`)
    const found = positions.map((position) => known?.get(position))
    if (found.every((message) => message !== undefined)) return found.filter((message) => message !== null)
    return this.#load(viewer, conversation, positions)
  }

  async #load(viewer: Viewer, conversation: Uuid, positions: readonly number[]): Promise<readonly MessageAt[]> {
    const [newest, oldest] = [positions[0]!, positions[positions.length - 1]!]
    const limit = Math.min(newest - oldest + 1, 1_000)
    const { streams } = this.#edge.store
    const page = await streams.messages(viewer.app, conversation, viewer.userId, newest + 1, limit)
    const wanted = new Set(positions)
    return (page?.messages ?? []).filter(({ position, deletedAt }) => deletedAt === null && wanted.has(position))
  }

  #put(name: string, position: number, message: MessageAt | null): void {
    const known = this.#known.get(name) ?? new Map<number, MessageAt | null>()
    this.#known.delete(name)
    this.#known.set(name, known)
    known.set(position, message)
    if (known.size > MAX_PER_CONVERSATION) known.delete(known.keys().next().value as number)
    if (this.#known.size > MAX_CONVERSATIONS) this.#known.delete(this.#known.keys().next().value as string)
  }
}
