import {
  type CommonOperation,
  isTemporary,
  limits,
  type Refusal,
  toWireError,
  type UserId,
  type Uuid,
} from '@parley/protocol'
import type { AppKey } from '../../model/state.ts'
import type { Tally } from '../../observability/tally.ts'
import type { WriteLane } from '../../operations/lane.ts'
import type { LaneRequest, Outcome } from '../../operations/lane-request.ts'
import type { Operation } from '../../operations/operation.ts'
import { operations } from '../../operations/table.ts'
import { parseInput } from '../json-input.ts'
import { acknowledgementText, busyText } from './encode.ts'
import type { Frame } from './frames.ts'
import { unreadOperationId } from './unread-operation.ts'

/** Operations remembered as put off, so that nothing overtakes them. */
const MAX_PUT_OFF = 1_024

/** What becomes of a frame that was not read yet. */
export type Passage = 'heard' | 'held' | 'turned away'

/** Which operation is asked for, and on whose behalf. */
interface Asked {
  readonly id: Uuid
  readonly after: Uuid | undefined
}

/** The operations of one connection: those under way, and those that were put off and must not be overtaken (OPR-5). */
export class Operating {
  readonly #lane: WriteLane
  readonly #tally: Tally
  readonly #send: (text: string) => void
  readonly #answered: () => void
  /** What was put off → when it was asked for again; before that, never. */
  readonly #putOff = new Map<string, number>()
  /** Counts what is asked for. */
  #turn = 0
  #inFlight = 0

  /** @param answered called whenever an operation that was under way was answered */
  constructor(lane: WriteLane, tally: Tally, send: (text: string) => void, answered: () => void) {
    this.#tally = tally
    this.#lane = lane
    this.#send = send
    this.#answered = answered
  }

  get isIdle(): boolean {
    return this.#inFlight === 0
  }

  /**
   * What becomes of a frame, before it is read: an operation for which there is no room waits until others of this connection
   * are answered. Where none is, nothing would end the wait, so it is turned away.
   */
  passage(text: string, mayBeHeld: boolean): Passage {
    if (!this.#lane.isPressed || this.#lane.hasRoom(this.#inFlight)) return 'heard'
    const id = unreadOperationId(text)
    if (id === undefined) return 'heard'
    if (mayBeHeld && this.#inFlight > 0) return 'held'
    this.#notePutOff(id)
    this.#send(busyText(id, this.#lane.turnAway(id)))
    return 'turned away'
  }

  /** Takes an operation on whose input is raw. */
  operate(frame: Frame<'operation'>, caller: Caller, drainHint: number | undefined): void {
    if (!Object.hasOwn(operations, frame.name)) {
      this.#refuse(frame.id, { id: 'invalid_operation', message: `There is no operation '${frame.name}'.` })
      return
    }
    const asked = { id: frame.id, after: frame.after }
    if (!this.#mayTakeOn(asked, drainHint)) return
    const { schema, operation } = operations[frame.name as keyof typeof operations]
    const parsed = parseInput(schema, frame.input)
    if ('refusal' in parsed) this.#refuse(frame.id, parsed.refusal)
    else this.#takeOn(asked, operation as Operation<unknown, unknown>, parsed.input, caller)
  }

  /** Takes an operation on whose input is checked. */
  operateCommon(common: CommonOperation, caller: Caller, drainHint: number | undefined): void {
    if (!this.#mayTakeOn(common, drainHint)) return
    const { operation } = operations[common.name]
    this.#takeOn(common, operation as Operation<unknown, unknown>, common.input, caller)
  }

  #mayTakeOn(asked: Asked, drainHint: number | undefined): boolean {
    if (drainHint !== undefined) {
      this.#refuse(asked.id, { id: 'service_unavailable', retryAfterMs: drainHint })
      return false
    }
    // Asked again, it is no longer put off for what follows from here on; what is under way already came before it.
    this.#turn++
    if (this.#putOff.has(asked.id)) this.#putOff.set(asked.id, this.#turn)
    if (this.#isHeldBack(asked, this.#turn)) {
      this.#refuse(asked.id, { id: 'service_unavailable', retryAfterMs: 100 })
      return false
    }
    if (this.#inFlight < limits.maxOperationsInFlight) return true
    this.#tally.rateLimited.add('operation')
    this.#refuse(asked.id, { id: 'rate_limit_exceeded', retryAfterMs: 100 })
    return false
  }

  /** @param turn when it was asked for */
  #isHeldBack({ id, after }: Asked, turn: number): boolean {
    const isHeld = after !== undefined && turn < (this.#putOff.get(after) ?? 0)
    // Noted at once: what follows it may be looked at in the same batch, before this is answered.
    if (isHeld) this.#notePutOff(id)
    return isHeld
  }

  #takeOn(asked: Asked, operation: Operation<unknown, unknown>, input: unknown, { app, userId }: Caller): void {
    const { id, after } = asked
    if (isCreating(operation.name) && (input as { readonly id: Uuid }).id !== id) {
      this.#refuse(id, {
        id: 'invalid_request',
        message: 'The id of the frame and of what it creates are the same.',
      })
      return
    }
    const underWay = this.#inFlight++
    const turn = this.#turn
    const request: LaneRequest<unknown, unknown> = { operation, input, app, userId, operationId: id, underWay }
    this.#lane.enqueue(
      after === undefined ? request : { ...request, isHeldBack: () => this.#isHeldBack(asked, turn) },
      (outcome) => this.#settle(id, outcome),
    )
  }

  #settle(id: Uuid, outcome: Outcome): void {
    this.#inFlight--
    if ('refusal' in outcome) this.#refuse(id, outcome.refusal)
    else this.#send(acknowledgementText(id, outcome))
    this.#answered()
  }

  #refuse(id: Uuid, refusal: Refusal): void {
    if (isTemporary(refusal.id)) this.#notePutOff(id)
    this.#send(
      JSON.stringify({
        type: 'acknowledgement',
        id,
        refusal: toWireError(refusal),
        ...(refusal.retryAfterMs !== undefined && { retry_after_ms: refusal.retryAfterMs }),
      }),
    )
  }

  #notePutOff(id: string): void {
    this.#putOff.delete(id)
    this.#putOff.set(id, Number.POSITIVE_INFINITY)
    if (this.#putOff.size > MAX_PUT_OFF) this.#putOff.delete(this.#putOff.keys().next().value as string)
  }
}

/** On whose behalf operations are carried out. */
interface Caller {
  readonly app: AppKey
  readonly userId: UserId
}

const isCreating = (name: string): boolean => name === 'send-message' || name === 'create-conversation'
