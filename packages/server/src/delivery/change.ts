import type { UserId, Uuid } from '@parley/protocol'
import type { Committed } from '../operations/committed.ts'
import type { ConversationMove, InboxMove } from '../operations/moves.ts'
import type { Cursor } from '../store/store.ts'

/** What a listener is told: one stream moved, and by what. The same object for every listener. */
export interface Change {
  /** Null where that is not known: the rows were read from the store, for nobody told of it. */
  readonly committed: Deed | null
  readonly move: ToldMove
  /** Everything up to this cursor was told before: what a device may remember. */
  readonly cursor: Cursor
}

/** What was asked for and committed, as far as listeners want to know. */
export interface Deed extends Pick<Committed, 'operation' | 'input'> {
  readonly moves: readonly Pick<Committed['moves'][number], 'stream'>[]
}

/** Where it was committed by this server, the whole conversation comes with it; else its id alone. */
export type ToldMove = ToldConversationMove | InboxMove
export type ToldConversationMove = Omit<ConversationMove, 'conversation' | 'audience'> & {
  readonly conversation: { readonly id: Uuid }
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
