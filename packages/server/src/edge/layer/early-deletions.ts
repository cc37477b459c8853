import type { Packet } from './packets.ts'

/**
 * How long after a message its deletion is told at the soonest. Longer than one turn of a page or process that has much to do:
 * a replay brings hundreds of packets in one.
 */
export const APART_MS = 2_000
/** Messages looked after. What is deleted so soon is nearly always among the newest. */
const MAX_IN_DANGER = 1_000

/**
 * Deletions that Layer's Web SDK would lose. What it was told in one turn it brings into its lists at once: all deletions in
 * the place of the first one, all new messages in the place of the first one.
 *
 *     told         delete A      create B   delete B
 *     in its lists delete A, B   create B              B stays in them for good, though the SDK has let go of it
 *
 * In danger is only a message that was told soon after a deletion: its own deletion has to come in another turn. Owns what was
 * told lately on one socket; times are those of a clock that may be set.
 */
export class EarlyDeletions {
  #deletedAt = Number.NEGATIVE_INFINITY
  /** Messages told soon after a deletion → when; the oldest first. */
  readonly #inDanger = new Map<string, number>()

  /** Takes note of a packet that is about to be sent. Answers how long it is to be held back before that; mostly 0. */
  holdMs({ type, body }: Packet, now: number): number {
    if (type !== 'change') return 0
    const { operation, object } = body as Told
    if (operation === 'create' && object.type === 'Message') this.#created(object.id, now)
    if (operation !== 'delete') return 0
    const toldAt = this.#inDanger.get(object.id)
    const holdMs = toldAt !== undefined && isSoon(toldAt, now) ? Math.min(APART_MS, toldAt + APART_MS - now) : 0
    // Of whatever it is: the messages of a conversation go with it.
    this.#deletedAt = now + holdMs
    return holdMs
  }

  #created(id: string, now: number): void {
    for (const [earlier, toldAt] of this.#inDanger) {
      if (isSoon(toldAt, now) && this.#inDanger.size < MAX_IN_DANGER) break
      this.#inDanger.delete(earlier)
    }
    if (!isSoon(this.#deletedAt, now)) return
    this.#inDanger.delete(id)
    this.#inDanger.set(id, now)
  }
}

interface Told {
  readonly operation: 'create' | 'update' | 'delete'
  readonly object: { readonly type: string; readonly id: string }
}

const isSoon = (before: number, now: number) => now - before < APART_MS
