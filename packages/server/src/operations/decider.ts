import { limits, type Refusal, refuse, type UserId, type Uuid } from '@parley/protocol'
import type { Asking, Decision, Remembered } from '../model/decision.ts'
import type { AppKey } from '../model/state.ts'
import { busy, type LaneRequest, NO_MOVES, type Outcome, type Waiting } from './lane-request.ts'
import type { Ledger } from './ledger.ts'
import type { WorkingSet } from './working-set.ts'

export interface DeciderOptions {
  readonly known: WorkingSet
  readonly log: (message: string, details: Record<string, unknown>) => void
  /** Most participants of a conversation; default `limits.maxParticipants`. */
  readonly maxParticipants?: number
}

/** What comes of an operation, from what is known: nothing is read or written here. */
export class Decider {
  readonly #known: WorkingSet
  readonly #log: DeciderOptions['log']
  readonly #maxParticipants: number

  constructor({ known, log, maxParticipants = limits.maxParticipants }: DeciderOptions) {
    this.#known = known
    this.#log = log
    this.#maxParticipants = maxParticipants
  }

  /** Decides an operation in its turn, on top of what the ledger has of those before it in the batch. */
  decide(waiting: Waiting, ledger: Ledger, now: number): void {
    waiting.moves = NO_MOVES
    waiting.isProven = false
    waiting.isRepeat = false
    waiting.outcome = this.#outcomeOf(waiting, ledger, now)
    if (!restsOnTerms(waiting)) this.#relyOnAll(waiting, ledger)
  }

  #relyOnAll({ reads, request: { app } }: Waiting, ledger: Ledger): void {
    for (const id of reads.conversations ?? []) ledger.relyOn(this.#known.conversation(app, id))
    for (const key of reads.distinctKeys ?? []) ledger.relyOn(this.#known.distinct(app, key))
  }

  #outcomeOf(waiting: Waiting, ledger: Ledger, now: number): Outcome {
    const { operation, input, app, userId, operationId, isHeldBack } = waiting.request
    if (isHeldBack?.()) return busy(100)
    if (userId !== null && !operation.toleratesSuspension && this.#isSuspended(app, userId)) {
      return refuse('user_suspended')
    }
    const asking = this.asking(waiting.request, now)
    const facts = this.#known.factsFor(app, userId)
    const before = operation.remembered && operationId ? facts.remembered(operationId) : undefined
    if (before) {
      waiting.isRepeat = true
      return this.#repeatedOutcome(waiting, before)
    }
    let decision: Decision<unknown>
    try {
      decision = operation.decide(input, asking, facts)
    } catch (error) {
      return this.bug(operation.name, error)
    }
    if ('refusal' in decision) return decision
    waiting.isProven = decision.facts.length > 0 || decision.isForGood === true
    // What fails from here on leaves half an operation behind, so it takes the batch with it.
    waiting.moves = ledger.record(app, decision.facts)
    const { found: answer } = decision
    if ((operation.remembered === true || answer) && operationId && userId !== null) {
      ledger.remember({ app, userId, id: operationId, name: operation.name, at: now, ...(answer && { answer }) })
    }
    return this.#done(waiting, decision.result, decision.effect, waiting.moves.length > 0)
  }

  #isSuspended(app: AppKey, userId: UserId): boolean {
    return this.#known.person(app, userId)?.profile.suspendedAt != null
  }

  /** An operation threw, which it must not: that is logged, and its caller hears so. */
  bug(operation: string, error: unknown): { readonly refusal: Refusal } {
    const details = error instanceof Error ? error.stack : String(error)
    this.#log('a bug in an operation', { operation, error: details })
    return refuse('internal_server_error')
  }

  /** What an operation is told of whoever asks. */
  asking({ app, userId }: LaneRequest<unknown, unknown>, now: number): Asking {
    return { app, userId: userId ?? ('' as UserId), now, maxParticipants: this.#maxParticipants }
  }

  #repeatedOutcome(waiting: Waiting, { name, answer }: Remembered): Outcome {
    if (name !== waiting.request.operation.name) {
      return refuse('id_in_use', { message: 'This operation id was used for another operation.' })
    }
    return this.#done(waiting, answer?.result ?? {}, answer?.effect ?? waiting.reads.conversations?.[0], false)
  }

  /**
   * The outcome, and where the caller's devices will see the effect: a stream that is closed to them would have them
   * wait for ever.
   */
  #done(waiting: Waiting, result: unknown, effect: Uuid | undefined, hasChanged: boolean): Outcome {
    const { app, userId } = waiting.request
    if (userId === null) return { result, stream: 'inbox', sequence: 0, hasChanged }
    const conversation = effect === undefined ? undefined : this.#known.conversation(app, effect)
    if (conversation?.activeParticipant(userId)) {
      return { result, stream: conversation.id, sequence: conversation.headSequence, hasChanged }
    }
    const sequence = this.#known.person(app, userId)?.inboxSequence ?? 0
    return { result, stream: 'inbox', sequence, hasChanged }
  }
}

/** A message that is sent, or was before: which others there are is no matter to it, only who may send it. */
const restsOnTerms = ({ reads, outcome, isProven }: Waiting) =>
  reads.newMessage !== undefined && isProven && !('refusal' in outcome)
