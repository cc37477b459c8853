import { type Refusal, refuse, type UserId, type Uuid } from '@parley/protocol'
import type { Reads } from '../model/decision.ts'
import type { AppKey } from '../model/state.ts'
import type { StreamMove } from './moves.ts'
import type { Operation } from './operation.ts'

/** What became of an operation. */
export type Outcome<Result = unknown> =
  | {
      readonly result: Result
      /** Where its effect lies, and the sequence at which it is there. */
      readonly stream: 'inbox' | Uuid
      readonly sequence: number
      /** False if everything was so already: a repeat, or something found. */
      readonly hasChanged: boolean
    }
  | { readonly refusal: Refusal }

export interface LaneRequest<Input, Result> {
  readonly operation: Operation<Input, Result>
  readonly input: Input
  readonly app: AppKey
  /** Who asks; null for the server itself. */
  readonly userId: UserId | null
  /** Recognises a repeat of an operation that creates nothing. */
  readonly operationId?: Uuid | null
  /** Operations of the same connection that are under way; who has few is let in before who has many. */
  readonly underWay?: number
  /** Asked when its turn has come: whether something before it was put off, so that it has to wait as well (OPR-5). */
  readonly isHeldBack?: () => boolean
}

/** An operation in the write lane, from being taken on to being settled. */
export interface Waiting {
  readonly request: LaneRequest<unknown, unknown>
  readonly reads: Reads
  readonly settle: (outcome: Outcome) => void
  /** In milliseconds of a clock that nobody sets. */
  readonly takenOnAt: number
  // What came of its turn; decided anew if the batch could not be committed.
  outcome: Outcome
  moves: readonly StreamMove[]
  /** Whether it holds, or the commit will say so: what is written is compared with the truth. */
  isProven: boolean
  /** Whether it was answered by the memory of an operation, which was loaded, or is of this batch and decided before it. */
  isRepeat: boolean
}

/** The store or the lane has no room or no time for it at present. */
export const busy = (retryAfterMs: number) => refuse('service_unavailable', { retryAfterMs })

export const NO_MOVES: readonly StreamMove[] = []
