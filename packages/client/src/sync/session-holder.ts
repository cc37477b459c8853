import type { GoodbyeFrame, SessionInfo, WelcomeFrame, WireError } from '@parley/protocol'
import type { Socket } from '../transport/socket.ts'
import type { ConnectionState } from './connection-state.ts'

/** Whose session the connection is opened with; hears what the server says of it. */
export interface SessionHolder {
  readonly sessionToken: string
  /** The socket on which the session was opened just now, if it was: hello was said on it. */
  takeSocket(): Socket | undefined
  connectionChanged(state: ConnectionState): void
  welcomed(welcome: Pick<WelcomeFrame, 'identity' | 'session'>): void
  challenged(nonce: string): void
  renewed(session: SessionInfo): void
  /** A refusal that names no request: of a renewal, if one is out. */
  refused(error: WireError): void
  saidGoodbye(goodbye: GoodbyeFrame): void
}
