/**
 * The owner's service for the other tabs: it carries their calls out, answers over the channel, and asks in the tab that
 * wants somebody signed in for a token: there the password was typed. It owns the calls that run and the questions that
 * are out, for one term.
 */
import type { Locks } from '../environment.ts'
import { type Call, copyAnswer, errorFrom, type Message } from './messages.ts'
import type { Owner } from './owner.ts'

export interface ServicePorts {
  readonly owner: Owner
  readonly locks: Locks
  /** Each tab holds a lock of its own as long as it lives. */
  readonly lockOf: (tab: string) => string
  /** Says nothing once the term is over. */
  readonly post: (message: Message) => void
}

type Token = Extract<Message, { type: 'token' }>

export class Service {
  readonly #ports: ServicePorts
  /** By the tab that asked and the number of its call. */
  readonly #running = new Map<string, AbortController>()
  readonly #questions = new Map<string, (answer: Token) => void>()

  constructor(ports: ServicePorts) {
    this.#ports = ports
  }

  async serve(from: string, call: Call): Promise<void> {
    const { owner, post } = this.#ports
    const { number } = call
    const key = keyOf(from, number)
    const abort = new AbortController()
    this.#running.set(key, abort)
    await owner.carryOut(call, {
      signal: abort.signal,
      challenge: ({ nonce, signal }) => this.#askForToken(from, number, nonce, signal),
      answer: (answer) => post({ type: 'answer', to: from, number, answer: copyAnswer(answer) }),
    })
    this.#running.delete(key)
  }

  cancel(from: string, number: number): void {
    this.#running.get(keyOf(from, number))?.abort()
  }

  takeToken(from: string, answer: Token): void {
    this.#questions.get(keyOf(from, answer.number))?.(answer)
  }

  #askForToken(from: string, number: number, nonce: string, signal: AbortSignal): Promise<string | null> {
    const { locks, lockOf, post } = this.#ports
    const key = keyOf(from, number)
    return new Promise<string | null>((resolve, reject) => {
      this.#questions.set(key, ({ token, error }) => (error ? reject(errorFrom(error)) : resolve(token ?? null)))
      post({ type: 'ask', to: from, number, nonce })
      const isGone = async () => reject(new Error('The tab that asked is gone.'))
      locks.hold(lockOf(from), { signal }, isGone).catch(reject)
    }).finally(() => this.#questions.delete(key))
  }
}

const keyOf = (tab: string, call: number) => `${tab}:${call}`
