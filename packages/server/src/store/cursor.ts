/** How the log is counted: where a commit stands in it, and up to where somebody has read. */
import type { Uuid } from '@parley/protocol'
import type { AppKey } from '../model/state.ts'

/**
 * A number that rises with every commit. Where several processes write, numbers may become visible in another order than
 * theirs: what a reader may go by is the cursor that comes with an answer, never one of its own making.
 */
export type Cursor = number

/** Where a commit stands in the log. */
export interface Place {
  /** The commit's own number: what it moved is found by `moved` after any lower cursor. */
  readonly cursor: Cursor
  /** Nothing up to this cursor can still be committed: whoever has heard of all of it may keep it. Below `cursor`. */
  readonly settled: Cursor
  /** Conversations in which the commit's messages came to lie elsewhere than it said; left out if there are none. */
  readonly shifted?: readonly Shift[]
}

/** Others sent something there since the writer looked: its messages come after that, everything else is as it said. */
export interface Shift {
  readonly app: AppKey
  /** The conversation. */
  readonly key: Uuid
  /** How much later its messages are than was believed, in the conversation's stream and in the order of messages. */
  readonly sequences: number
  readonly positions: number
  /** When they were sent: not before those they follow. */
  readonly sentAt: number
  /** The conversation's, with this commit. */
  readonly revision: number
}
