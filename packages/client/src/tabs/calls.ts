/**
 * What this tab asked for and has no final answer to, in the order it asked. It owns that list; who is asked is for
 * `tab.ts`. Whenever there is a new owner, all of it is asked again: the ids in it make repeats harmless.
 */

import type { ChallengeHandler } from '../authentication/challenge-handler.ts'
import { type Deferred, deferred } from '../deferred.ts'
import type { ParleyError } from '../errors.ts'
import type { Acknowledged } from '../outbox/answers.ts'
import type { Placed } from '../outbox/outbox.ts'
import { type Answer, type Call, copyError, isOperation, type Message, type Verbs } from './messages.ts'

type Token = Extract<Message, { readonly type: 'token' }>

export interface Pending {
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
  readonly #pending = new Map<number, Pending>()
  #last = 0

  /** In the order they were made. */
  get all(): readonly Pending[] {
    return [...this.#pending.values()]
  }

  get(number: number): Pending | undefined {
    return this.#pending.get(number)
  }

  make({ verb, args, identity }: Pick<Call, 'verb' | 'args' | 'identity'>): Pending {
    const call = { number: ++this.#last, verb, args, identity }
    const pending: Pending = {
      call,
      isPlaced: false,
      answer: deferred(),
      acknowledgement: deferred(),
      abort: new AbortController(),
    }
    this.#pending.set(call.number, pending)
    return pending
  }

  /** As an owner hears it that may not be the first to hear it. */
  repeated({ call, isPlaced }: Pending): Call {
    return { ...call, isRepeat: isPlaced ? 'placed' : 'perhaps' }
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
  async giveToken(
    number: number,
    nonce: string,
    challenge: ChallengeHandler,
  ): Promise<Omit<Token, 'type'> | undefined> {
    const pending = this.#pending.get(number)
    if (!pending) return undefined
    const [userId] = pending.call.args as Parameters<Verbs['authenticate']>
    try {
      return { number, token: await challenge({ nonce, userId, signal: pending.abort.signal }) }
    } catch (error) {
      pending.handlerError = error
      return { number, error: copyError(error) }
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
