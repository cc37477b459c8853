/** How the log is counted: where a commit stands in it, and up to where somebody has read. */

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
}
