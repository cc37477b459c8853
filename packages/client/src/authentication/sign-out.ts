/**
 * The end of a session that the app asked for. It either ends or everything is as it was (AUTH-17); what has to be sent
 * before is for `flush.ts`, and the deletion that follows for `authentication.ts`.
 */
import type { AuthenticationPorts } from './authentication-ports.ts'
import { endSession } from './sessions-api.ts'
import { markSigningOut, unmarkSigningOut } from './stored-session.ts'

export type SignOutPorts = Pick<AuthenticationPorts, 'api' | 'replica' | 'clock' | 'onBroken'>

/** How often, and how soon at first, a sign-out that did not happen is taken back on a disk that fails. */
const MAX_UNMARKS = 5
const UNMARK_AGAIN_MS = 100

/** Ends the session, marked so that whatever happens now, the next opening goes on from here. */
export async function endStoredSession(
  ports: SignOutPorts,
  options: {
    readonly token: string
    readonly keepData: boolean
    readonly signal: AbortSignal
    /** Fires when this client is closed. */
    readonly life: AbortSignal
    /** The server's goodbye may arrive although its answer did not. */
    readonly hasEnded: () => boolean
  },
): Promise<void> {
  await markSigningOut(ports.replica, options.keepData)
  try {
    await endSession(ports.api, options.token, options.signal)
  } catch (error) {
    if (options.hasEnded()) return
    await takeBack(ports, options.life)
    throw error
  }
}

/**
 * As long as the mark is there the next opening deletes everything, so nothing new may be taken on before it is gone: a
 * disk that fails for a moment is waited for, and with one that fails for good there is no going on.
 */
async function takeBack({ replica, clock, onBroken }: SignOutPorts, life: AbortSignal): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await unmarkSigningOut(replica)
    } catch (error) {
      if (life.aborted) throw error
      if (tries === MAX_UNMARKS) {
        onBroken(error)
        throw error
      }
      await new Promise<void>((resolve) => clock.after(UNMARK_AGAIN_MS * 2 ** tries, resolve))
    }
  }
}
