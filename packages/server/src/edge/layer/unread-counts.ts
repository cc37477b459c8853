import { countPositions, unreadRanges } from '@parley/protocol'
import { isAsSent, type Participant } from '../../model/state.ts'
import type { Edge } from '../edge.ts'
import type { ConversationMove, Viewer } from './changes/telling.ts'

/** Counts kept; the least recently used go first. */
const MAX_COUNTS = 50_000

interface Count {
  readonly count: number
  /** The stream's sequence at which it was so. */
  readonly sequence: number
}

/**
 * Unread counts of those who listen, carried on from change to change: one more for a message, counted anew by the
 * store where that is not so plain. A count knows the sequence it belongs to, so that none is carried on from a change
 * it already holds.
 */
export class UnreadCounts {
  readonly #edge: Edge
  readonly #counts = new Map<string, Count>()
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(edge: Edge) {
    this.#edge = edge
  }

  /** The count after a change. `own` is the viewer's side of the conversation at that time. */
  after(viewer: Viewer, move: ConversationMove, own: Participant): number | Promise<number> {
    const name = `${viewer.app} ${move.conversation.id} ${viewer.userId}`
    const plain = plainCount(viewer, move, own, this.#counts.get(name))
    if (plain) {
      this.#keep(name, plain)
      return plain.count
    }
    return this.#recount(name, viewer, move).then(() => this.after(viewer, move, own))
  }

  /** What the store counted on another occasion. */
  learn(viewer: Viewer, stored: { readonly id: string; readonly unreadCount: number; readonly headSequence: number }) {
    const name = `${viewer.app} ${stored.id} ${viewer.userId}`
    if ((this.#counts.get(name)?.sequence ?? -1) > stored.headSequence) return
    this.#keep(name, { count: stored.unreadCount, sequence: stored.headSequence })
  }

  #recount(name: string, viewer: Viewer, move: ConversationMove): Promise<void> {
    const underWay = this.#underWay.get(name)
    if (underWay) return underWay
    const { id } = move.conversation
    const counting = this.#edge.store.lists
      .conversation(viewer.app, id, viewer.userId)
      .then((stored) => {
        // Gone meanwhile: nobody will look at the count.
        const { unreadCount = 0, headSequence = move.conversation.headSequence } = stored ?? {}
        this.learn(viewer, { id, unreadCount, headSequence })
      })
      .finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, counting)
    return counting
  }

  #keep(name: string, count: Count): void {
    this.#counts.delete(name)
    this.#counts.set(name, count)
    if (this.#counts.size > MAX_COUNTS) this.#counts.delete(this.#counts.keys().next().value as string)
  }
}

/** The count as far as it follows from the change and the count before; undefined if only the log can tell. */
export function plainCount(
  viewer: Viewer,
  move: ConversationMove,
  own: Participant,
  before: Count | undefined,
): Count | undefined {
  if (before && before.sequence >= move.sequence) return before
  const added = newMessages(move)
  const fromOthers = added.filter((message) => message.sender !== viewer.userId)
  const unread = countPositions(unreadRanges(own, move.conversation.headPosition))
  if (unread === 0) return { count: 0, sequence: move.sequence }
  if (unread === 1 && added.some(({ position }) => position === move.conversation.headPosition) && added.length === 1) {
    return { count: fromOthers.length, sequence: move.sequence }
  }
  if (!before || before.sequence !== move.after || !onlyAdds(viewer, move)) return undefined
  return { count: before.count + fromOthers.length, sequence: move.sequence }
}

const newMessages = (move: ConversationMove) =>
  move.rows.flatMap((row) =>
    row.type === 'message' && isAsSent(row.record) && row.record.deletedAt === null ? [row.record] : [],
  )

/** Whether new messages are all that can have changed the viewer's count. */
const onlyAdds = (viewer: Viewer, move: ConversationMove): boolean =>
  move.rows.every((row) =>
    row.type === 'message' ? isAsSent(row.record) : row.type === 'conversation' || row.record.userId !== viewer.userId,
  )
