/**
 * What this tab asked for and has no final answer to, in the order it asked. It owns that list; who is asked is for
 * `tab.ts`. Whenever there is a new owner, all of it is asked again: the ids in it make repeats harmless.
 */

import type { ChallengeHandler } from '../authentication/challenge-handler.ts'
import { type Deferred, deferred } from '../deferred.ts'
import { aborted, type ParleyError } from '../errors.ts'
import type { Acknowledged } from '../outbox/answers.ts'
import type { Placed } from '../outbox/outbox.ts'
import {
  type Answer,
  answerFrom,
  type Call,
  copyError,
  isOperation,
  type Message,
  type OwnerEnvelope,
  type Verbs,
} from './messages.ts'

export interface CallsPorts {
  /** Carries it out here, or has the owner do it elsewhere. */
  readonly ask: (call: Call) => void
  readonly post: (message: Message) => void
  /** Whether the owner is in this tab: then it answers what is cancelled, too. */
  readonly isOwner: () => boolean
  /** The app's handler in this tab. */
  readonly challenge: ChallengeHandler
}

interface Pending {
  readonly call: Call
  /** Placed in the outbox; the acknowledgement is awaited. */
  isPlaced: boolean
  readonly answer: Deferred<unknown>
  readonly acknowledgement: Deferred<Acknowledged>
  /** Ends when there is nothing more to wait for. */
  readonly abort: AbortController
  /** What the app's handler threw in this tab: the owner has only heard its sentence. */
  handlerError?: unknown
}

export class Calls {
  readonly #ports: CallsPorts
  /** In the order they were made. */
  readonly #pending = new Map<number, Pending>()
  #last = 0

  constructor(ports: CallsPorts) {
    this.#ports = ports
  }

  make(asked: Pick<Call, 'verb' | 'args' | 'identity'>, signal: AbortSignal | undefined): Promise<unknown> {
    const { ask, post, isOwner } = this.#ports
    const number = ++this.#last
    const call = { ...asked, number }
    const answer = deferred<unknown>()
    const abort = new AbortController()
    this.#pending.set(number, { call, isPlaced: false, answer, acknowledgement: deferred(), abort })
    const cancel = () => {
      abort.abort()
      post({ type: 'cancel', number })
      if (!isOwner()) this.answered(number, { error: aborted(signal!) })
    }
    signal?.addEventListener('abort', cancel, { once: true })
    ask(call)
    return answer.promise
  }

  /** There is a new owner: what the one before knew of, it may not. */
  askAgain(): void {
    for (const { call, isPlaced } of [...this.#pending.values()]) {
      this.#ports.ask({ ...call, isRepeat: isPlaced ? 'placed' : 'perhaps' })
    }
  }

  /** Fires when the answer is not wanted any more; undefined for what needs none. */
  signalOf(number: number): AbortSignal | undefined {
    return this.#pending.get(number)?.abort.signal
  }

  /** What an owner in another tab says to this one. */
  hear(message: OwnerEnvelope & { readonly type: 'answer' | 'ask' }): void {
    const { number } = message
    if (message.type === 'ask') void this.#giveToken(number, message.nonce)
    else this.answered(number, answerFrom(message.answer, this.#pending.get(number)?.handlerError))
  }

  answered(number: number, answer: Answer): void {
    const pending = this.#pending.get(number)
    if (!pending) return
    if ('value' in answer && isOperation(pending.call)) {
      pending.isPlaced = true
      const acknowledged = pending.acknowledgement.promise
      pending.answer.resolve({ ...(answer.value as Omit<Placed, 'acknowledged'>), acknowledged })
      return
    }
    this.#pending.delete(number)
    if ('value' in answer) pending.answer.resolve(answer.value)
    else if ('error' in answer) pending.answer.reject(answer.error)
    else if ('failed' in answer) pending.acknowledgement.reject(answer.failed)
    else pending.acknowledgement.resolve(answer.acknowledged as Acknowledged)
  }

  /** The app's handler in this tab is asked for a token, since here somebody is to be signed in. */
  async #giveToken(number: number, nonce: string): Promise<void> {
    const { post, challenge } = this.#ports
    const pending = this.#pending.get(number)
    if (!pending) return
    const [userId] = pending.call.args as Parameters<Verbs['authenticate']>
    try {
      post({ type: 'token', number, token: await challenge({ nonce, userId, signal: pending.abort.signal }) })
    } catch (error) {
      pending.handlerError = error
      post({ type: 'token', number, error: copyError(error) })
    }
  }

  /** Nobody will answer any more. */
  close(error: ParleyError): void {
    for (const { answer, acknowledgement } of this.#pending.values()) {
      answer.reject(error)
      acknowledgement.reject(error)
    }
    this.#pending.clear()
  }
}
