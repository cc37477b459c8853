/**
 * Sends the outbox over one connection at a time: pipelined within a window, in order within a conversation, again
 * after a reconnect, later after a refusal for the moment.
 *
 * It owns which entries are under way, until when a busy server is left alone, and one timer for the next moment
 * something is due. What goes next is decided by `schedule.ts`, what becomes of an entry by `outbox.ts`.
 */
import {
  type AcknowledgementFrame,
  type ConversationId,
  isTemporary,
  type OperationFrame,
  type OperationName,
} from '@parley/protocol'
import type { Chance, Clock } from '../environment.ts'
import { retryDelayMs } from '../sync/retry-delay.ts'
import type { Outbox } from './outbox.ts'
import { nextToSend } from './schedule.ts'

/** Operations under way at once: enough to fill a slow line, few enough that a reconnect repeats little. */
export const SEND_WINDOW = 32

/** Unanswered for so long, an operation is sent again on the same connection; doubled each time. */
export const ANSWER_MS = 15_000
const MAX_ANSWER_MS = 120_000

/** Delivery receipts wait up to this for more of their kind. */
export const QUIET_GUST_MS = 200

export interface SenderPorts {
  readonly outbox: Outbox
  readonly clock: Clock
  readonly chance: Chance
  /** Takes final answers into the replica; see {@link Outbox.settle}. */
  readonly settle: (answers: readonly AcknowledgementFrame[]) => Promise<void>
  /** Reading the outbox failed: this run cannot go on. */
  readonly onBroken: (error: unknown) => void
}

interface UnderWay {
  readonly conversation: ConversationId
  readonly order: number
  resendAt: number
  attempts: number
}

type Refused = Extract<AcknowledgementFrame, { refusal: unknown }>

/** The server is busy: nobody sends until then. */
interface Pause {
  readonly until: number
  readonly attempt: number
}

export class Sender {
  readonly #ports: SenderPorts
  readonly #underWay = new Map<string, UnderWay>()
  #pause: Pause | undefined
  #send: ((frame: OperationFrame) => void) | undefined
  #leave: (() => void) | undefined
  #quietUntil = 0
  #isPumping = false
  #isPumpWanted = false
  #cancelTimer: (() => void) | undefined

  constructor(ports: SenderPorts) {
    this.#ports = ports
    ports.outbox.isUnderWay = (id) => this.#underWay.has(id)
  }

  /** A connection is live. Everything unanswered goes again, in order, under the same ids. */
  start(send: (frame: OperationFrame) => void): void {
    this.stop()
    this.#send = send
    this.pump()
  }

  /** The connection is gone: whether what was under way arrived is unknown, which repeating will settle. */
  stop(): void {
    this.#send = undefined
    this.#leave = undefined
    this.#underWay.clear()
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  /** The connection is about to go: nothing new is sent over it, and once all that is under way was answered, `go`. */
  leave(go: () => void): void {
    this.#leave = go
    this.pump()
  }

  /** Holds delivery receipts back for a moment, so that a burst of messages costs one. */
  hush(): void {
    const now = this.#ports.clock.now()
    if (this.#quietUntil <= now) this.#quietUntil = now + QUIET_GUST_MS
  }

  /** Sends what may be sent. */
  pump(): void {
    this.#isPumpWanted = true
    if (this.#isPumping) return
    this.#isPumping = true
    this.#pumpAll().catch(this.#ports.onBroken)
  }

  async #pumpAll(): Promise<void> {
    try {
      while (this.#isPumpWanted) {
        this.#isPumpWanted = false
        await this.#pumpOnce()
      }
    } finally {
      // In the same turn as the last look at what is wanted, or a wish in between would be forgotten.
      this.#isPumping = false
    }
  }

  async #pumpOnce(): Promise<void> {
    const send = this.#send
    const { outbox, clock } = this.#ports
    const now = clock.now()
    if (!send) return
    if (this.#leave) {
      if (this.#underWay.size === 0) this.#leave()
      return
    }
    if (this.#pause && this.#pause.until > now) return this.#setTimer(now)
    const sendings = nextToSend(outbox.entries, {
      isUnderWay: outbox.isUnderWay,
      leaving: outbox.leaving,
      isQuietTime: this.#quietUntil > now,
      room: SEND_WINDOW - this.#underWay.size,
    })
    for (const { entry } of sendings) {
      const { conversation, order } = entry
      this.#underWay.set(entry.id, { conversation, order, resendAt: now + ANSWER_MS, attempts: 1 })
    }
    if (sendings.length > 0) {
      const entries = await outbox.read(sendings.map(({ entry }) => entry.order))
      if (this.#send !== send) return
      for (const [i, { after }] of sendings.entries()) {
        const entry = entries[i]
        if (entry) send(frameOf(entry, after))
        else this.#underWay.delete(sendings[i]!.entry.id)
      }
    }
    this.#setTimer(now)
  }

  /** Answers from the server, in the order they came. */
  async answered(answers: readonly AcknowledgementFrame[]): Promise<void> {
    const final: AcknowledgementFrame[] = []
    for (const answer of answers) {
      if ('refusal' in answer && isWorthRepeating(answer)) this.#wait(answer)
      else final.push(answer)
    }
    if (final.length > 0) await this.#ports.settle(final)
    for (const answer of final) {
      const wasUnderWay = this.#underWay.delete(answer.id)
      if (wasUnderWay && 'result' in answer) this.#pause = undefined
    }
    this.pump()
  }

  /** Nothing happened (OPR-5), neither to this nor to what was sent behind it. */
  #wait(answer: Refused): void {
    if (!this.#underWay.delete(answer.id)) return
    const { clock, chance } = this.#ports
    const now = clock.now()
    // One refusal drags along everything behind it; together they count as one attempt.
    if (this.#pause && this.#pause.until > now) return
    const attempt = this.#pause ? this.#pause.attempt + 1 : 0
    const delayMs = Math.max(answer.retry_after_ms ?? 0, retryDelayMs(attempt, chance.number()))
    this.#pause = { attempt, until: now + delayMs }
  }

  /**
   * @param since when it was last looked at what may go: a moment that passed since then still wants its look, or what
   *   waits for it would wait for ever
   */
  #setTimer(since: number): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const moments = [
      ...[this.#pause?.until ?? 0, this.#quietUntil].filter((moment) => moment > since),
      // Looking repeats nothing: what is overdue, because a timer came late, wants its timer all the more.
      ...[...this.#underWay.values()].map((underWay) => underWay.resendAt),
    ]
    if (moments.length === 0 || !this.#send) return
    const delayMs = Math.max(0, Math.min(...moments) - this.#ports.clock.now())
    this.#cancelTimer = this.#ports.clock.after(delayMs, () => {
      this.#cancelTimer = undefined
      void this.#resendOverdue().then(() => this.pump(), this.#ports.onBroken)
    })
  }

  /** An acknowledgement may get lost on a line that otherwise lives; a repeat brings it again. */
  async #resendOverdue(): Promise<void> {
    const send = this.#send
    const now = this.#ports.clock.now()
    const overdue = [...this.#underWay.values()].filter((underWay) => underWay.resendAt <= now)
    if (!send || overdue.length === 0) return
    overdue.sort((a, b) => a.order - b.order)
    for (const underWay of overdue) {
      underWay.resendAt = now + Math.min(MAX_ANSWER_MS, ANSWER_MS * 2 ** underWay.attempts)
      underWay.attempts++
    }
    const entries = await this.#ports.outbox.read(overdue.map(({ order }) => order))
    if (this.#send !== send) return
    for (const entry of entries) {
      if (entry && this.#underWay.has(entry.id)) send(frameOf(entry, this.#before(entry)))
    }
  }

  /** The entry sent before this one in its conversation that is still unanswered. */
  #before({ conversation, order }: Pick<UnderWay, 'conversation' | 'order'>): string | undefined {
    let before: { readonly id: string; readonly order: number } | undefined
    for (const [id, other] of this.#underWay) {
      const isBefore = other.conversation === conversation && other.order < order
      if (isBefore && (!before || other.order > before.order)) before = { id, order: other.order }
    }
    return before?.id
  }
}

/** Also when the session is over: the connection says the same in a moment, and the entry waits for the next one. */
const isWorthRepeating = ({ refusal }: Refused) => refusal.id === 'authentication_required' || isTemporary(refusal.id)

function frameOf(
  entry: { readonly id: string; readonly name: OperationName; readonly input: OperationFrame['input'] },
  after: string | undefined,
): OperationFrame {
  const frame: OperationFrame = { type: 'operation', id: entry.id, name: entry.name, input: entry.input }
  return after === undefined ? frame : { ...frame, after }
}
