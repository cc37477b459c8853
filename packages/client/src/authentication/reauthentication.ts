/**
 * The session died in our absence: the app is asked for a token for a new one, until it gives one or says that there is
 * none. It owns that asking and whoever waits for its end; what follows from it is for `authentication.ts`.
 */
import { deferred } from '../deferred.ts'
import { abortable, untilAny } from '../errors.ts'
import type { AuthenticationPorts } from './authentication-ports.ts'
import type { SignInLine } from './sign-in-line.ts'
import { type OpenedSession, storeSession } from './stored-session.ts'

interface Outcomes {
  /** There is a new session, and it is stored. */
  readonly onOpened: (session: OpenedSession, line: SignInLine) => void
  readonly onEnd: (isAccepted: boolean) => void
}

export class Reauthentication {
  readonly #ports: AuthenticationPorts
  readonly #life: AbortSignal
  readonly #outcomes: Outcomes
  #asking = new AbortController()
  #end = deferred()
  /** It has led to a new session. */
  isAccepted = false

  /** @param life fires when this client is closed */
  constructor(ports: AuthenticationPorts, life: AbortSignal, outcomes: Outcomes) {
    this.#ports = ports
    this.#life = life
    this.#outcomes = outcomes
  }

  /** Asks now, rather than after the back-off of an asking under way. The nonce is the server's, if it gave one. */
  ask(session: OpenedSession, nonce?: string): void {
    const { replica, online } = this.#ports
    const { onOpened, onEnd } = this.#outcomes
    this.#asking.abort()
    this.#asking = new AbortController()
    this.isAccepted = false
    // There was a connection, or the session would not be known to be dead.
    const { reopenSession } = online.present!
    untilAny([this.#asking.signal, this.#life], (signal) =>
      reopenSession(this.#ports, session, {
        nonce,
        signal,
        onOpened: async (opened, line) => {
          await storeSession(replica, opened)
          onOpened(opened, line)
        },
      }),
    ).then(
      (outcome) => {
        this.isAccepted = outcome === 'accepted'
        onEnd(this.isAccepted)
      },
      () => {},
    )
  }

  /** Settles when there is nothing more to wait for. */
  over(signal: AbortSignal | undefined): Promise<void> {
    return abortable(this.#end.promise, signal)
  }

  /** Whoever waits may look what became of it. */
  conclude(): void {
    this.#end.resolve()
    this.#end = deferred()
  }

  stop(): void {
    this.#asking.abort()
    this.conclude()
  }
}
