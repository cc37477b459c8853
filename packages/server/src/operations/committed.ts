import type { UserId } from '@parley/protocol'
import type { AppKey } from '../model/state.ts'
import type { Cursor } from '../store/store.ts'
import type { StreamMove } from './moves.ts'

/** One operation's streams as they moved, told to delivery after the commit. */
export interface Committed {
  readonly app: AppKey
  /** Who asked; null for the server itself. */
  readonly actor: UserId | null
  readonly operation: string
  readonly input: unknown
  readonly moves: readonly StreamMove[]
  readonly cursor: Cursor
  /** Everything up to this cursor was told before. */
  readonly settled: Cursor
  readonly at: number
}
