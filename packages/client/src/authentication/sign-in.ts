/**
 * From a nonce to a session, and from a dead session to a new one: what is asked of the server and of the app's handler.
 * Who is signed in, and what becomes of the local copy, is for `authentication.ts`.
 */
import { type BasicIdentity, clientLimits, parseIdentityId } from '@parley/protocol'
import { ParleyError, throwIfAborted } from '../errors.ts'
import { readSince } from '../sync/meta-rows.ts'
import type { AuthenticationPorts } from './authentication-ports.ts'
import { askHandler, type Challenge, type ChallengeHandler, wrongUser } from './challenge-handler.ts'
import { readIdentityToken } from './identity-token.ts'
import { obtainToken } from './obtain-token.ts'
import { endSession } from './sessions-api.ts'
import { SignInLine } from './sign-in-line.ts'
import { type OpenedSession, readStored } from './stored-session.ts'

type Ports = Pick<AuthenticationPorts, 'line' | 'api' | 'replica' | 'clock' | 'chance' | 'challenge' | 'tell'>

/**
 * Opens a session of the user whose token the handler gives.
 *
 * @param admit takes the session into use, and the line it was opened on; if it cannot, the session is ended again
 */
export async function signIn(
  ports: Ports,
  handler: ChallengeHandler,
  { userId, signal }: Omit<Challenge, 'nonce'>,
  admit: (session: OpenedSession, line: SignInLine) => Promise<void>,
): Promise<BasicIdentity> {
  const { api, clock } = ports
  const line = new SignInLine(ports.line)
  try {
    const nonce = await line.requestNonce(signal)
    // Somebody may be typing a password: there is time for as long as the nonce lives.
    const token = await askHandler(clock, handler, { nonce, userId, signal }, clientLimits.nonceLifetimeMs)
    if (token === null) throw new ParleyError('challenge_failed', 'The challenge handler gave no identity token.')
    const session = await handIn(ports, line, token, signal)
    try {
      const { prn } = readIdentityToken(token)
      if (session.identity.user_id !== prn) throw wrongUser(prn, session.identity.user_id)
      throwIfAborted(signal)
      await admit(session, line)
    } catch (error) {
      endSession(api, session.token, new AbortController().signal).catch(() => {})
      throw error
    }
    return session.identity
  } finally {
    // Whoever has taken it over has it.
    line.close()
  }
}

/** The hello is that of the session's connection as well, which goes on from the copy on the device, if it is theirs. */
async function handIn(
  { replica }: Ports,
  line: SignInLine,
  token: string,
  signal: AbortSignal,
): Promise<OpenedSession> {
  const [{ owner = '' }, since] = await Promise.all([readStored(replica), readSince(replica)])
  const isTheirs = parseIdentityId(owner) === readIdentityToken(token).prn
  return line.openSession(token, isTheirs ? since : NOTHING, signal)
}

const NOTHING = { cursor: null, epoch: null }

/** Asks the app for a token, again and again, until there is a new session for the user of a dead one. */
export function reopenSession(
  ports: Ports,
  { identity }: OpenedSession,
  options: {
    /** The server's, if it gave one with its goodbye. */
    readonly nonce: string | undefined
    readonly signal: AbortSignal
    readonly onOpened: (session: OpenedSession, line: SignInLine) => Promise<void>
  },
): ReturnType<typeof obtainToken> {
  const { clock, chance, challenge, tell } = ports
  const { nonce = '', signal, onOpened } = options
  const line = new SignInLine(ports.line)
  signal.addEventListener('abort', () => line.close())
  const current = { nonce, receivedAt: clock.now(), isUsed: nonce === '' }
  return obtainToken(
    {
      clock,
      chance,
      challenge,
      tell,
      userId: identity.user_id,
      requestNonce: async () => {
        Object.assign(current, { nonce: await line.requestNonce(signal), receivedAt: clock.now(), isUsed: false })
      },
      submit: async (token) => {
        const opened = await handIn(ports, line, token, signal)
        if (opened.identity.id !== identity.id) {
          line.close()
          throw wrongUser(identity.user_id, opened.identity.user_id)
        }
        await onOpened(opened, line)
      },
    },
    current,
    { signal, patienceMs: clientLimits.nonceLifetimeMs },
  )
}
