import type { UserId, Uuid } from '@parley/protocol'
import type { Committed } from '../operations/lane.ts'
import type { StreamMove } from '../operations/moves.ts'

/** What a listener is told: one stream moved, and by what. The same object for every listener. */
export interface Change {
  readonly committed: Committed
  readonly move: StreamMove
}

/** Something typed by somebody: told to who is there, kept nowhere. */
export interface Typing {
  readonly conversation: Uuid
  readonly sender: UserId
  readonly action: 'started' | 'paused' | 'finished'
}

/** A connection, as delivery sees it. */
export interface Listener {
  /** Must not throw and must not wait: slow listeners bound themselves. */
  change(change: Change): void
  typing(typing: Typing): void
}
