import type { OperationName, Uuid } from '@parley/protocol'
import type { Asking, Decision, Facts, Reads } from '../model/decision.ts'

/**
 * The far half of a verb. `reads` names what must be known, `decide` answers with facts or a refusal; both are pure.
 * Loading, storing and telling people are done for all operations alike by the lane.
 */
export interface Operation<Input, Result> {
  readonly name: OperationName | InternalOperationName
  /**
   * Whether a repeat is recognised by a remembered operation id. Operations that create an object, or whose effect
   * cannot be doubled, need no memory; those that may find one instead need it of what they found.
   */
  readonly remembered: boolean | 'if-found'
  /** Whether it may be asked for in the name of somebody who is suspended; it has an answer of its own for them. */
  readonly toleratesSuspension?: true
  reads(input: Input, asking: Asking): Reads
  decide(input: Input, asking: Asking, facts: Facts): Decision<Result>
}

/** Operations that no client can name. */
export type InternalOperationName =
  | 'use-nonce'
  | 'open-session'
  | 'renew-session'
  | 'end-session'
  | 'announce-profile'
  | 'suspend-user'

/** Asked for, with everything it takes to carry it out. */
export interface OperationRequest<Input = unknown, Result = unknown> {
  readonly operation: Operation<Input, Result>
  readonly input: Input
  readonly asking: Omit<Asking, 'now'>
  readonly operationId: Uuid | null
}
