/**
 * The session of whoever is signed in, as the server last spoke of it. It owns that, here and in the replica; its renewal;
 * and the socket it was opened on, until the connection goes on with it. What follows when it is over is for
 * `authentication.ts`.
 */
import type { BasicIdentity, GoodbyeFrame, SessionInfo, WireError } from '@parley/protocol'
import type { ConnectionState } from '../sync/connection-state.ts'
import type { SessionHolder } from '../sync/session-holder.ts'
import type { Socket } from '../transport/socket.ts'
import type { AuthenticationPorts } from './authentication-ports.ts'
import type { Renewal, RenewalPorts } from './renewal.ts'
import type { SignInLine } from './sign-in-line.ts'
import { type OpenedSession, storeSession } from './stored-session.ts'

interface Listeners {
  readonly say: RenewalPorts['say']
  /** Nobody is being signed out, and no token is asked for. */
  readonly isAuthenticated: () => boolean
  /** The server says what the user looks like. */
  readonly onIdentity: (identity: BasicIdentity) => void
  /** It has another end, and somebody is authenticated with it. */
  readonly onProlonged: (session: OpenedSession) => void
  readonly onConnectionLost: () => void
  /** It is dead; `isOver` if another one is not to be asked for. The nonce for that is the server's, if it gave one. */
  readonly onDead: (isOver: boolean, nonce?: string) => void
}

/** A session that ends this soon after its challenge had no fair chance of being renewed: the device was asleep. */
const UNFAIR_MS = 3_000

export class SessionInHand implements SessionHolder {
  readonly #ports: AuthenticationPorts
  readonly #listeners: Listeners
  #present: OpenedSession | undefined
  /** What it was opened on, until the engine goes on with it. */
  #line: SignInLine | undefined
  #madeRenewal: Renewal | undefined

  constructor(ports: AuthenticationPorts, listeners: Listeners) {
    this.#ports = ports
    this.#listeners = listeners
  }

  get present(): OpenedSession | undefined {
    return this.#present
  }

  take(session: OpenedSession, line?: SignInLine): void {
    this.#present = session
    this.#line = line
  }

  /** Nobody has taken the socket, and nobody will. */
  dropLine(): void {
    this.#line?.close()
    this.#line = undefined
  }

  stopRenewal(): void {
    this.#renewal?.stop()
  }

  drop(): void {
    this.#present = undefined
    this.dropLine()
    this.stopRenewal()
  }

  /** Present once there was a connection: only there is anything renewed. */
  get #renewal(): Renewal | undefined {
    const { online } = this.#ports
    if (!online.present) return undefined
    this.#madeRenewal ??= new online.present.Renewal({
      ...this.#ports,
      userId: () => this.#present?.identity.user_id,
      say: this.#listeners.say,
    })
    return this.#madeRenewal
  }

  // -- for the connection, and from it -------------------------------------------------------------------------------

  /** For the hello; only asked for while there is a session. */
  get sessionToken(): string {
    return this.#present?.token ?? ''
  }

  takeSocket(): Socket | undefined {
    return this.#line?.take()
  }

  connectionChanged({ state }: ConnectionState): void {
    if (state === 'live' || state === 'probing') this.#renewal?.connected()
    else {
      this.#renewal?.disconnected()
      this.#listeners.onConnectionLost()
    }
  }

  /** The server announces the end of the session on the live connection; it is renewed in place. */
  challenged(nonce: string): void {
    if (this.#listeners.isAuthenticated()) this.#renewal?.challenged(nonce)
  }

  renewed(info: SessionInfo): void {
    this.#prolong(info)
    this.#renewal?.renewed()
    this.#ports.tell('renewed', info)
  }

  welcomed({ identity, session: info }: Parameters<SessionHolder['welcomed']>[0]): void {
    const session = this.#present
    if (!session || identity.id !== session.identity.id) return
    this.#present = { ...session, identity }
    this.#listeners.onIdentity(identity)
    const isProlonged = Date.parse(info.expires_at) > Date.parse(session.expiresAt)
    if (isProlonged) this.renewed(info)
    else this.#prolong(info)
  }

  refused(error: WireError): void {
    this.#renewal?.refused(error)
  }

  #prolong(info: SessionInfo): void {
    if (!this.#present || info.expires_at === this.#present.expiresAt) return
    this.#present = { ...this.#present, id: info.id, expiresAt: info.expires_at }
    storeSession(this.#ports.replica, this.#present).catch(() => {})
    const { isAuthenticated, onProlonged } = this.#listeners
    if (isAuthenticated()) onProlonged(this.#present)
  }

  saidGoodbye({ reason, error }: GoodbyeFrame): void {
    if (reason !== 'session_ended' && reason !== 'authentication_required') return
    const age = this.#renewal?.ageMs
    const isUnfair = age !== undefined && age < UNFAIR_MS
    const nonce = (error?.data as { readonly nonce?: unknown } | undefined)?.nonce
    this.#listeners.onDead(reason === 'session_ended' && !isUnfair, typeof nonce === 'string' ? nonce : undefined)
  }
}
