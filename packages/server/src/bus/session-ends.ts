import type { Clock } from '../clock.ts'
import type { Session } from '../model/state.ts'
import type { Exchange } from './exchange.ts'
import { Revocations, type SessionMessage } from './revocations.ts'

const TICK_MS = 50

export interface SessionEndsOptions {
  readonly exchange: Exchange
  readonly clock: Clock
  /** Milliseconds on a clock that does not jump. */
  readonly elapsed?: () => number
  /** Another node says so, for the first time: close what has to be closed. */
  heard(message: SessionMessage): void
}

/** Ends and renewals of sessions, told to all nodes and heard from them. */
export class SessionEnds {
  readonly #options: SessionEndsOptions
  readonly #elapsed: () => number
  readonly #revocations = new Revocations()
  readonly #stops: (() => void)[]
  #cancel: (() => void) | undefined

  constructor(options: SessionEndsOptions) {
    this.#options = options
    this.#elapsed = options.elapsed ?? (() => performance.now())
    const hear = (message: SessionMessage) => {
      if (this.#revocations.hear(message)) options.heard(message)
    }
    this.#stops = [
      options.exchange.on('session-ended', hear),
      options.exchange.on('session-renewed', hear),
      options.exchange.on('sessions-ended', hear),
    ]
  }

  /** It is in the store, and holds here already. */
  happened(message: SessionMessage): void {
    this.#revocations.happened(message, this.#elapsed())
    this.#say()
  }

  /** Whether a session is known to have ended, whatever a look into the store says that was under way. */
  isEnded(session: Pick<Session, 'id' | 'app' | 'userId' | 'createdAt'>): boolean {
    return this.#revocations.isEnded(session)
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop()
    this.#cancel?.()
  }

  #say(): void {
    for (const message of this.#revocations.due(this.#elapsed())) this.#options.exchange.say(message)
    if (this.#cancel || !this.#revocations.isWaiting) return
    this.#cancel = this.#options.clock.after(TICK_MS, () => {
      this.#cancel = undefined
      this.#say()
    })
  }
}
