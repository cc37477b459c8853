import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey } from '../model/state.ts'
import type { Committed } from '../operations/committed.ts'
import type { Cursor, MovedStreams } from '../store/store.ts'

/** Changes remembered for devices that were away for a moment. */
const CAPACITY = 16_384

interface Recent {
  cursor: Cursor
  app: AppKey
  sequence: number
  /** The conversation and who takes part in it, or whose inbox. */
  conversation: Uuid | null
  audience: readonly UserId[]
}

/**
 * A ring of recent changes, so that a device that lost its connection for a moment resumes without a look into the
 * store. For a longer absence the store answers; the device cannot tell the difference.
 */
export class RecentChanges {
  readonly #ring: Recent[] = []
  #next = 0
  /** Everything after this cursor is in the ring. */
  #completeAfter: Cursor | undefined
  #last: Cursor = 0

  add(committed: Committed): void {
    this.#completeAfter ??= committed.settled
    this.#last = committed.cursor
    for (const move of committed.moves) {
      const isInbox = move.stream === 'inbox'
      this.#note(
        committed,
        move.sequence,
        isInbox ? null : move.conversation.id,
        isInbox ? [move.userId] : move.audience,
      )
      this.#next = (this.#next + 1) % CAPACITY
    }
  }

  /** The place of the oldest change is taken over as it is: new objects that live this long are what a collector fears. */
  #note(committed: Committed, sequence: number, conversation: Uuid | null, audience: readonly UserId[]): void {
    const { cursor, app } = committed
    const replaced = this.#ring[this.#next]
    if (!replaced) {
      this.#ring[this.#next] = { cursor, app, sequence, conversation, audience }
      return
    }
    this.#completeAfter = replaced.cursor
    replaced.cursor = cursor
    replaced.app = app
    replaced.sequence = sequence
    replaced.conversation = conversation
    replaced.audience = audience
  }

  /** What moved for an identity after a cursor; undefined if the ring does not reach back that far. */
  since(app: AppKey, userId: UserId, after: Cursor): MovedStreams | undefined {
    if (this.#completeAfter === undefined || after < this.#completeAfter || after > this.#last) return undefined
    const conversations = new Map<Uuid, number>()
    const takesPart = memberOf(userId)
    let inbox = 0
    for (let i = 0; i < this.#ring.length; i++) {
      const recent = this.#ring[(this.#next + i) % this.#ring.length]!
      if (recent.cursor <= after || recent.app !== app) continue
      const isIn = takesPart(recent.audience)
      if (recent.conversation === null) inbox = isIn ? recent.sequence : inbox
      // Whoever is no longer in the audience may not see it any more: as the store, it is not named.
      else if (isIn) conversations.set(recent.conversation, recent.sequence)
      else conversations.delete(recent.conversation)
    }
    return {
      cursor: this.#last,
      inbox,
      isInboxMoved: inbox > 0,
      conversations: [...conversations].map(([id, sequence]) => ({ id, sequence })),
    }
  }
}

/** Whether somebody is in an audience. A large one is the same for many changes and is searched once. */
function memberOf(userId: UserId): (audience: readonly UserId[]) => boolean {
  const answers = new Map<readonly UserId[], boolean>()
  return (audience) => {
    if (audience.length <= 2) return audience.includes(userId)
    const known = answers.get(audience) ?? audience.includes(userId)
    answers.set(audience, known)
    return known
  }
}
