/**
 * One sign-out that the app asked for, up to the end of the session: the outbox goes out, then the server is told (AUTH-13).
 * It ends the session or leaves everything as it was (AUTH-17). The deletion that follows is for `authentication.ts`; what
 * is asked of the server, for `sign-out.ts`, which comes with the online part.
 */
import { ParleyError, untilAny } from '../errors.ts'
import type { Engine } from '../sync/engine.ts'
import type { AuthenticationPorts } from './authentication-ports.ts'
import { flush } from './flush.ts'
import { deleteCopy } from './local-copy.ts'
import type { Stored } from './stored-session.ts'

export interface DeauthenticateOptions {
  readonly signal?: AbortSignal
  /** Don't wait for the outbox, and give up what is in it. */
  readonly discardUnsent?: boolean
  /**
   * Keep the local copy for the return of the same user, with what could not be sent unless that is given up; anybody
   * else's sign-in deletes it (AUTH-38).
   */
  readonly keepData?: boolean
}

export class Departure {
  /** Fires when the connection that sending relies on is lost. */
  readonly #interrupt = new AbortController()
  /** The server said itself that the session is over, in the middle of this. */
  hasServerEndedSession = false

  connectionLost(): void {
    this.#interrupt.abort()
  }

  /** @param from what is left: an engine, its session's token, and whether that session `isOver` already */
  async endSession(
    ports: AuthenticationPorts,
    from: { readonly engine: Engine; readonly token: () => string; readonly isOver: boolean },
    { signal: asked, discardUnsent = false, keepData = false }: DeauthenticateOptions,
    life: AbortSignal,
  ): Promise<void> {
    const { engine, token, isOver } = from
    const interrupt = this.#interrupt.signal
    try {
      const online = await untilAny([interrupt, asked, life], async (signal) => {
        const part = isOver ? undefined : await ports.online.get(signal)
        if (!discardUnsent) await flush(engine, ports.replica, { isOver, keepData, signal })
        return part
      })
      const hasEnded = () => this.hasServerEndedSession
      await untilAny([asked, life], async (signal) =>
        online?.endStoredSession(ports, { token: token(), keepData, signal, life, hasEnded }),
      )
    } catch (error) {
      throw interrupt.aborted && !asked?.aborted ? offline(error) : error
    }
  }
}

/** @param cause what went wrong as the connection was lost */
export const offline = (cause?: unknown) =>
  new ParleyError('offline', 'Signing out needs a connection. Nothing was deleted.', { cause })

/** The run before this one ended between "the server ended the session" and "the copy is deleted". */
export async function finishDeparture(
  { api, online, replica }: AuthenticationPorts,
  { session, signingOut }: Stored,
  life: AbortSignal,
): Promise<void> {
  if (session) {
    online
      .get(life)
      .then(({ endSession }) => endSession(api, session.token, life))
      .catch(() => {})
  }
  await deleteCopy(replica, signingOut?.keepData === true)
}
