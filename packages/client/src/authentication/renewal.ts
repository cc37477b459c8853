/**
 * Renews a session in place when the server challenges it ahead of its end: one call of the app's handler, no
 * reconnect, nothing dropped. It owns the challenge being answered; nothing else changes while it works, and if it
 * never succeeds the server ends the session.
 */

import type { RenewFrame, WireError } from '@parley/protocol'
import { abortable, type ParleyError, refused } from '../errors.ts'
import type { AuthenticationPorts } from './authentication-ports.ts'
import { inTime, lost } from './in-time.ts'
import { type CurrentNonce, obtainToken } from './obtain-token.ts'

export interface RenewalPorts extends Pick<AuthenticationPorts, 'clock' | 'chance' | 'challenge' | 'tell'> {
  /** Whose session it is. */
  readonly userId: () => string | undefined
  /** Answers false when there is no connection. */
  readonly say: (frame: RenewFrame | { readonly type: 'challenge-me' }) => boolean
}

export class Renewal {
  readonly #ports: RenewalPorts
  #current: CurrentNonce | undefined
  #abort = new AbortController()
  /** Who waits for `renewed` or a refusal, for a nonce, for a connection. */
  #answer: { readonly resolve: () => void; readonly reject: (error: ParleyError) => void } | undefined
  #nonceWaiter: (() => void) | undefined
  #liveWaiter: (() => void) | undefined

  constructor(ports: RenewalPorts) {
    this.#ports = ports
  }

  /** For how long a challenge has been waiting for its answer; undefined if none is. */
  get ageMs(): number | undefined {
    return this.#current && this.#ports.clock.now() - this.#current.receivedAt
  }

  /** The server challenged. While an answer is being prepared, only the newer nonce is noted. */
  challenged(nonce: string): void {
    const fresh = { nonce, receivedAt: this.#ports.clock.now(), isUsed: false }
    if (this.#current) {
      Object.assign(this.#current, fresh)
      this.#nonceWaiter?.()
      return
    }
    this.#current = fresh
    this.#abort = new AbortController()
    const { signal } = this.#abort
    const { userId, ...ports } = this.#ports
    const submit = (token: string) => this.#handIn(token, signal)
    const requestNonce = () => this.#requestNonce(signal)
    const done = () => {
      if (this.#abort.signal === signal) this.#current = undefined
    }
    obtainToken({ ...ports, userId: userId(), submit, requestNonce }, fresh, { signal }).then(done, done)
  }

  renewed(): void {
    if (this.#answer) this.#answer.resolve()
    // Renewed without our hearing of it: a connection was lost in between.
    else this.stop()
  }

  /** The server refused something unnamed: if a token is out, it is that. */
  refused(error: WireError): void {
    this.#answer?.reject(refused(error))
  }

  connected(): void {
    this.#liveWaiter?.()
  }

  disconnected(): void {
    this.#answer?.reject(lost())
  }

  stop(): void {
    this.#abort.abort()
    this.#current = undefined
  }

  async #handIn(token: string, signal: AbortSignal): Promise<void> {
    // A token that came while the line was down is still good; its nonce lives for minutes.
    while (!this.#ports.say({ type: 'renew', identity_token: token })) {
      await abortable(
        new Promise<void>((resolve) => {
          this.#liveWaiter = resolve
        }),
        signal,
      )
    }
    const answer = new Promise<void>((resolve, reject) => {
      this.#answer = { resolve, reject }
    })
    try {
      await inTime(this.#ports.clock, answer, signal)
    } finally {
      this.#answer = undefined
    }
  }

  async #requestNonce(signal: AbortSignal): Promise<void> {
    const nonce = new Promise<void>((resolve) => {
      this.#nonceWaiter = resolve
    })
    this.#ports.say({ type: 'challenge-me' })
    await inTime(this.#ports.clock, nonce, signal)
  }
}
