import type { UserId, Uuid } from '@parley/protocol'
import type { AppKey } from './state.ts'

/** How far a stream is, as the store says, and who hears of it: of its end as well. */
export type MovedHead = { readonly app: AppKey; readonly sequence: number } & (
  | { readonly stream: 'conversation'; readonly id: Uuid; readonly audience: readonly UserId[] }
  | { readonly stream: 'inbox'; readonly userId: UserId }
)

/** Streams of any app that moved after a cursor, in the order of their last move. */
export interface MovedPage {
  readonly heads: readonly MovedHead[]
  /** The cursor after which the next page begins; null: this was the last. */
  readonly next: number | null
  /** Whatever is committed up to here is on this page or on one after it. */
  readonly settled: number
}
