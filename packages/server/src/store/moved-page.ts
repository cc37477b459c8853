import type { MovedHead, MovedPage } from '../model/moved.ts'
import type { Cursor } from './store.ts'

export interface Moved {
  readonly head: MovedHead
  readonly moved: Cursor
}

/** The first of those that moved after a cursor. What one commit moved is not torn apart: a page ends between two. */
export function movedPage(all: readonly Moved[], after: Cursor, limit: number): Omit<MovedPage, 'settled'> {
  const sorted = all.filter(({ moved }) => moved > after).sort((a, b) => a.moved - b.moved)
  const last = sorted[limit - 1]?.moved ?? Number.POSITIVE_INFINITY
  const page = sorted.filter(({ moved }) => moved <= last)
  return { heads: page.map(({ head }) => head), next: page.length < sorted.length ? last : null }
}
