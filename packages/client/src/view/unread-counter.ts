import { hasPosition, type MessageRow, type PositionSet, unionPositions, unreadRanges } from '@parley/protocol'
import type { Replica } from '../replica/replica.ts'
import type { ConversationState } from './conversation-state.ts'

/**
 * Counts a conversation's unread messages (RCT-5) and remembers where they are: reading thousands of rows again for
 * each message that joins them would make the busiest conversations the slowest.
 */
export class UnreadCounter {
  /** Ranges that were looked through; null before the first count. */
  #known: PositionSet | null = null
  /** Positions of live messages by others within them; others are weeded out at the next count. */
  #live = new Set<number>()
  /** Rows that were committed while rows were read: what was read may be older. */
  #late: MessageRow[] | null = null

  async count(replica: Replica, state: ConversationState): Promise<number> {
    const wanted = clip(unreadRanges(state, state.lastPosition ?? Number.MAX_SAFE_INTEGER), state.firstPosition)
    // A union that adds nothing is the same array. Marks only grow, unless one in the outbox is refused.
    const isKnown = this.#known !== null && unionPositions(this.#known, wanted) === this.#known
    if (!isKnown) await this.#look(replica, state, wanted)
    this.#known = wanted
    for (const position of this.#live) if (!hasPosition(wanted, position)) this.#live.delete(position)
    return this.#live.size - (await this.#countDeleted(replica, state))
  }

  /** A message's row was committed. */
  put(row: MessageRow, self: string): void {
    this.#late?.push(row)
    if (row.deleted_at !== null || row.sender === self) this.#live.delete(row.position)
    else this.#live.add(row.position)
  }

  async #look(replica: Replica, state: ConversationState, wanted: PositionSet): Promise<void> {
    const late: MessageRow[] = []
    this.#late = late
    const found: MessageRow[] = []
    try {
      for (let i = 0; i < wanted.length; i += 2) {
        found.push(...(await replica.scan('messages', { prefix: [state.id], from: wanted[i]!, to: wanted[i + 1]! })))
      }
    } finally {
      this.#late = null
    }
    this.#known = wanted
    this.#live = new Set()
    for (const row of [...found, ...late]) this.put(row, state.self)
  }

  /** Those that the outbox is about to delete. */
  async #countDeleted(replica: Replica, { id, deletedMessages }: ConversationState): Promise<number> {
    if (deletedMessages.size === 0) return 0
    const places = await replica.getMany(
      'positions',
      [...deletedMessages].map((message): [string] => [message]),
    )
    return places.filter((place) => place?.conversation === id && this.#live.has(place.position)).length
  }
}

function clip(set: PositionSet, from: number): PositionSet {
  const clipped: number[] = []
  for (let i = 0; i < set.length; i += 2) {
    if (set[i + 1]! >= from) clipped.push(Math.max(from, set[i]!), set[i + 1]!)
  }
  return clipped
}
