/**
 * Who is signed in on this device, for as long as this tab is the owner.
 *
 * It owns the authentication state, the stored session and the engine that runs while somebody is signed in. The flows
 * below change the state; each leaves it as it was if it fails (AUTH-17), and nothing but the server's word, a call of the
 * app's or an app without a token ends a session: never the device's clock. How a session is replaced that died is in
 * `reauthentication.ts`, how one is left in `departure.ts`, what becomes of the data in `local-copy.ts`. What they ask of the
 * server and the app is in `sign-in.ts`, `renewal.ts` and `sign-out.ts`, known by their types only: `online-part.ts`
 * fetches them.
 */
import type { BasicIdentity, GoodbyeFrame, SessionInfo, WireError } from '@parley/protocol'
import type { Tell } from '../client-types.ts'
import type { Chance, Clock } from '../environment.ts'
import { abortable, closed, ParleyError, throwIfAborted, untilAny } from '../errors.ts'
import type { OnlinePart } from '../online-part.ts'
import type { ConnectionState } from '../sync/connection-state.ts'
import type { Engine, EnginePorts } from '../sync/engine.ts'
import type { SessionHolder } from '../sync/session-holder.ts'
import type { Socket } from '../transport/socket.ts'
import { type AuthenticationState, type DeauthenticationReason, unavailable } from './authentication-state.ts'
import type { ChallengeHandler } from './challenge-handler.ts'
import { type DeauthenticateOptions, Departure, offline } from './departure.ts'
import { clearForeignCopy, deleteCopy, giveUpCopy, type LocalCopy } from './local-copy.ts'
import { Reauthentication } from './reauthentication.ts'
import type { Renewal } from './renewal.ts'
import type { SessionsApiPorts } from './sessions-api.ts'
import type { SignInLine, SignInLinePorts } from './sign-in-line.ts'
import { type OpenedSession, readStored, storeSession } from './stored-session.ts'

export interface AuthenticationPorts {
  readonly line: SignInLinePorts
  readonly api: SessionsApiPorts
  readonly replica: LocalCopy
  readonly online: OnlinePart
  readonly challenge: ChallengeHandler
  readonly clock: Clock
  readonly chance: Chance
  readonly wantsConnection: boolean
  /** An engine for whoever is signed in. */
  readonly makeEngine: (
    ports: Pick<EnginePorts, 'replica' | 'session' | 'online' | 'tell'> & { readonly identity: BasicIdentity },
  ) => Engine
  readonly tell: Tell
  /** Whose data there is to see, and whether the app wants a connection. */
  readonly onBasis: (shown: BasicIdentity | undefined, wantsConnection: boolean) => void
  /** The local database failed where nothing works without it. */
  readonly onBroken: (error: unknown) => void
}

type SignedIn = Extract<AuthenticationState, { state: 'authenticated' | 'challenged' }>

/** A session that ends this soon after its challenge had no fair chance of being renewed: the device was asleep. */
const UNFAIR_MS = 3_000

export class Authentication implements SessionHolder {
  readonly #ports: AuthenticationPorts
  #state: AuthenticationState = { state: 'opening' }
  #engine: Engine | undefined
  #session: OpenedSession | undefined
  /** What it was opened on, until the engine goes on with it. */
  #line: SignInLine | undefined
  readonly #life = new AbortController()
  #ended: Promise<void> | undefined
  #wantsConnection: boolean
  /** Whose data there is to see. */
  #shown: BasicIdentity | undefined
  /** The one sign-in under way (AUTH-34). */
  #signIn: Promise<BasicIdentity> | undefined
  #signOut: Promise<void> | undefined
  #madeRenewal: Renewal | undefined
  readonly #reauthentication: Reauthentication
  /** The sign-out under way that the app asked for. */
  #departure: Departure | undefined

  constructor(ports: AuthenticationPorts) {
    this.#ports = ports
    this.#wantsConnection = ports.wantsConnection
    this.#reauthentication = new Reauthentication(ports, this.#life.signal, {
      onOpened: (session, line) => {
        this.#session = session
        this.#line = line
      },
      onEnd: (isAccepted) => (isAccepted ? this.#readmitted() : this.#lose('no-token')),
    })
  }

  /** Present once there was a connection: only there is anything renewed. */
  get #renewal(): Renewal | undefined {
    const { online, clock, chance, challenge, tell } = this.#ports
    if (!online.present) return undefined
    this.#madeRenewal ??= new online.present.Renewal({
      clock,
      chance,
      handler: challenge,
      userId: () => this.#session?.identity.user_id,
      say: (frame) => this.#engine?.say(frame) ?? false,
      onFailed: (failure) => tell('challenge-failed', failure),
    })
    return this.#madeRenewal
  }

  get state(): AuthenticationState {
    return this.#state
  }

  get engine(): Engine | undefined {
    return this.#engine
  }

  /** For the hello; only asked for while there is a session. */
  get sessionToken(): string {
    return this.#session?.token ?? ''
  }

  takeSocket(): Socket | undefined {
    return this.#line?.take()
  }

  /** Nobody has taken it, and nobody will. */
  #dropLine(): void {
    this.#line?.close()
    this.#line = undefined
  }

  /** The identity whose data is on the screen. */
  get identity(): BasicIdentity | undefined {
    return 'identity' in this.#state ? this.#state.identity : undefined
  }

  // -- taking over, and losing ---------------------------------------------------------------------------------------

  /** Goes on where the owner before left it. */
  async takeOver(): Promise<void> {
    const { session, signingOut } = await readStored(this.#ports.replica)
    if (signingOut) await this.#finishSigningOut(session, signingOut.keepData)
    else if (session) await this.#enter(session)
    else this.#become({ state: 'unauthenticated' })
  }

  /** Somebody deleted the local database: nobody is signed in any more. */
  async dataDeleted(error: ParleyError, reopen: () => Promise<void>): Promise<void> {
    const { identity } = this
    await this.#retire(error).catch(() => {})
    await reopen()
    this.#show(undefined)
    this.#become({ state: 'unauthenticated' })
    if (identity) this.#ports.tell('deauthenticated', { reason: 'data-deleted', identity, unsent: [] })
  }

  #show(identity: BasicIdentity | undefined): void {
    this.#shown = identity
    this.#ports.onBasis(identity, this.#wantsConnection)
  }

  #wishConnection(isWanted: boolean): void {
    this.#wantsConnection = isWanted
    this.#show(this.#shown)
  }

  #storageFailed(error: unknown): void {
    if (!this.#life.signal.aborted) this.#ports.onBroken(error)
  }

  /** The run before this one ended between "the server ended the session" and "the copy is deleted". */
  async #finishSigningOut(session: OpenedSession | undefined, keepData: boolean): Promise<void> {
    if (session) this.#endSession(session).catch(() => {})
    await deleteCopy(this.#ports.replica, keepData)
    this.#show(undefined)
    this.#become({ state: 'unauthenticated' })
  }

  async #endSession({ token }: OpenedSession): Promise<void> {
    const { api, online } = this.#ports
    const { endSession } = await online.get(this.#life.signal)
    await endSession(api, token, this.#life.signal)
  }

  // -- connection ----------------------------------------------------------------------------------------------------

  connect(): void {
    this.#wishConnection(true)
    this.#engine?.start()
  }

  disconnect(): void {
    this.#wishConnection(false)
    this.#engine?.stop()
  }

  connectionChanged(state: ConnectionState): void {
    const isLive = state.state === 'live' || state.state === 'probing'
    if (isLive) this.#renewal?.connected()
    else {
      this.#renewal?.disconnected()
      this.#departure?.connectionLost()
    }
  }

  // -- signing in ----------------------------------------------------------------------------------------------------

  /** Signs a user in; connects by itself (AUTH-8). The same user's session is resumed (AUTH-33). */
  async authenticate(
    userId: string | undefined,
    signal: AbortSignal | undefined,
    handler: ChallengeHandler = this.#ports.challenge,
  ): Promise<BasicIdentity> {
    throwIfAborted(signal)
    this.#wishConnection(true)
    const state = this.#state
    switch (state.state) {
      case 'authenticated':
        mustBe(userId, state.identity)
        this.connect()
        return state.identity
      case 'challenged':
        mustBe(userId, state.identity)
        return this.#awaitReauthentication(signal)
      case 'authenticating':
        if (!this.#signIn || (userId !== undefined && userId !== state.userId)) throw unavailable(state)
        return abortable(this.#signIn, signal)
      case 'unauthenticated':
        return this.#startSignIn(userId, signal, handler)
      default:
        throw unavailable(state)
    }
  }

  #startSignIn(
    userId: string | undefined,
    signal: AbortSignal | undefined,
    handler: ChallengeHandler,
  ): Promise<BasicIdentity> {
    this.#become({ state: 'authenticating', userId })
    this.#signIn = untilAny([signal, this.#life.signal], async (any) => {
      const { signIn } = await this.#ports.online.get(any)
      return signIn(this.#ports, handler, { userId, signal: any }, (session, line) => this.#admit(session, line))
    }).finally(() => {
      this.#signIn = undefined
      if (this.#state.state === 'authenticating') this.#become({ state: 'unauthenticated' })
    })
    return this.#signIn
  }

  async #admit(session: OpenedSession, line: SignInLine): Promise<void> {
    const { replica, tell } = this.#ports
    await clearForeignCopy(replica, session.identity, tell)
    await storeSession(replica, session)
    this.#line = line
    await this.#enter(session)
  }

  /** Somebody is signed in: local data is readable from here on, connected or not (AUTH-35, AUTH-36). */
  async #enter(session: OpenedSession): Promise<void> {
    const { identity } = session
    this.#session = session
    const { makeEngine, replica, online, tell } = this.#ports
    const engine = makeEngine({ replica, identity, session: this, online, tell })
    await engine.load()
    // Another owner took over meanwhile: this engine is nobody's, and never connects.
    if (this.#life.signal.aborted) return engine.close()
    this.#engine = engine
    this.#show(identity)
    this.#becomeAuthenticated(session)
    if (this.#wantsConnection) engine.start()
    this.#dropLine()
  }

  // -- challenges ----------------------------------------------------------------------------------------------------

  /** The server announces the end of the session on the live connection; it is renewed in place. */
  challenged(nonce: string): void {
    if (this.#state.state === 'authenticated') this.#renewal?.challenged(nonce)
  }

  renewed(info: SessionInfo): void {
    this.#prolong(info)
    this.#renewal?.renewed()
    this.#ports.tell('renewed', info)
  }

  welcomed({ identity, session: info }: Parameters<SessionHolder['welcomed']>[0]): void {
    const session = this.#session
    if (!session || identity.id !== session.identity.id) return
    this.#session = { ...session, identity }
    this.#show(identity)
    const isProlonged = Date.parse(info.expires_at) > Date.parse(session.expiresAt)
    if (isProlonged) this.renewed(info)
    else this.#prolong(info)
  }

  refused(error: WireError): void {
    this.#renewal?.refused(error)
  }

  #prolong(info: SessionInfo): void {
    if (!this.#session || info.expires_at === this.#session.expiresAt) return
    this.#session = { ...this.#session, id: info.id, expiresAt: info.expires_at }
    storeSession(this.#ports.replica, this.#session).catch(() => {})
    if (this.#state.state === 'authenticated') this.#becomeAuthenticated(this.#session)
  }

  saidGoodbye(goodbye: GoodbyeFrame): void {
    const { reason } = goodbye
    if (reason !== 'session_ended' && reason !== 'authentication_required') return
    if (this.#state.state === 'deauthenticating') {
      if (this.#departure) this.#departure.hasServerEndedSession = true
      return
    }
    if (this.#state.state !== 'authenticated') return
    const age = this.#renewal?.ageMs
    const isUnfair = age !== undefined && age < UNFAIR_MS
    this.#renewal?.stop()
    if (reason === 'session_ended' && !isUnfair) {
      this.#lose('session-ended')
      return
    }
    const nonce = (goodbye.error?.data as { readonly nonce?: unknown } | undefined)?.nonce
    this.#become({ state: 'challenged', identity: this.#state.identity })
    this.#reauthentication.ask(this.#session!, typeof nonce === 'string' ? nonce : undefined)
  }

  /** Data and outbox stayed while the app was asked for a token for a new session. */
  #readmitted(): void {
    const session = this.#session
    // In the middle of a sign-out, which may come to nothing: then this is what goes on.
    if (!session || this.#state.state !== 'challenged') return
    this.#becomeAuthenticated(session)
    this.#reauthentication.conclude()
    this.#engine?.admit()
    this.#dropLine()
  }

  /** The app calls `authenticate` while challenged: ask again now rather than after the back-off. */
  async #awaitReauthentication(signal: AbortSignal | undefined): Promise<BasicIdentity> {
    this.#reauthentication.ask(this.#session!)
    await this.#reauthentication.over(signal)
    if (this.#state.state === 'authenticated') return this.#state.identity
    throw new ParleyError('not_authenticated', 'The session is over, and there was no token for a new one.')
  }

  /** Nobody is signed in any more: whoever still waits for an answer is told why there will be none. */
  async #retire(error: ParleyError): Promise<void> {
    const engine = this.#engine
    this.#engine = undefined
    this.#session = undefined
    this.#dropLine()
    this.#renewal?.stop()
    this.#reauthentication.stop()
    try {
      await engine?.close()
    } finally {
      engine?.outbox.close(error)
    }
  }

  /** De-authenticated against the user's will: unsent work goes to the app, then the copy goes (AUTH-14, AUTH-16). */
  #lose(reason: DeauthenticationReason): void {
    const { identity } = this
    if (!identity) return
    this.#become({ state: 'deauthenticating', identity })
    this.#signOut = this.#leave({ reason, identity, keepData: false })
      .catch((error) => this.#storageFailed(error))
      .finally(() => {
        this.#signOut = undefined
      })
  }

  // -- signing out ---------------------------------------------------------------------------------------------------

  /** Online only: the outbox goes out first, then the session ends, then the copy is deleted (AUTH-13 to AUTH-18). */
  async deauthenticate(options: DeauthenticateOptions): Promise<void> {
    throwIfAborted(options.signal)
    const state = this.#state
    switch (state.state) {
      case 'unauthenticated':
        return
      case 'deauthenticating':
        return abortable(this.#signOut ?? Promise.resolve(), options.signal)
      case 'authenticated':
      case 'challenged':
        this.#signOut = this.#signOutNow(state, options).finally(() => {
          this.#signOut = undefined
        })
        return this.#signOut
      default:
        throw unavailable(state)
    }
  }

  async #signOutNow(state: SignedIn, options: DeauthenticateOptions): Promise<void> {
    const { discardUnsent = false, keepData = false } = options
    const { identity } = state
    const engine = this.#engine!
    const isOver = state.state === 'challenged'
    if (!isOver && !engine.isLive) throw offline()
    this.#become({ state: 'deauthenticating', identity })
    const departure = new Departure()
    this.#departure = departure
    try {
      const from = { engine, token: () => this.#session!.token, isOver }
      await departure.endSession(this.#ports, from, options, this.#life.signal)
    } catch (error) {
      this.#resume(state, departure)
      throw error
    } finally {
      this.#departure = undefined
    }
    try {
      await this.#leave({ reason: 'asked', identity, keepData, discardUnsent })
    } catch (error) {
      // The session is over and the copy is not gone: the next opening deletes it.
      this.#storageFailed(error)
      throw error
    }
  }

  /** The sign-out did not happen; everything is as it was. */
  #resume(state: SignedIn, departure: Departure): void {
    if (this.#state.state !== 'deauthenticating') return
    this.#become(state)
    if (state.state === 'challenged') {
      if (this.#reauthentication.isAccepted) this.#readmitted()
    } else if (departure.hasServerEndedSession) {
      this.#become({ state: 'challenged', identity: state.identity })
      this.#reauthentication.ask(this.#session!)
    } else if (this.#wantsConnection) this.#engine?.start()
  }

  async #leave(leaving: {
    readonly reason: DeauthenticationReason
    readonly identity: BasicIdentity
    readonly keepData: boolean
    readonly discardUnsent?: boolean
  }): Promise<void> {
    const { reason, identity, keepData, discardUnsent = true } = leaving
    const { replica, tell } = this.#ports
    const isKept = keepData && !discardUnsent
    await this.#retire(
      isKept
        ? new ParleyError('not_authenticated', 'The user was signed out; this waits for their return.')
        : new ParleyError('discarded', 'The user was signed out before this was carried out.'),
    )
    if (isKept) await deleteCopy(replica, true)
    const unsent = isKept ? [] : await giveUpCopy(replica, keepData, tell)
    this.#show(undefined)
    this.#become({ state: 'unauthenticated' })
    tell('deauthenticated', { reason, identity, unsent })
  }

  // -- the end -------------------------------------------------------------------------------------------------------

  /** Ends this client, not the session: the next one goes on where this one was. */
  async close(): Promise<void> {
    if (!this.#life.signal.aborted) {
      this.#life.abort(closed())
      this.#become({ state: 'closed' })
      this.#ended = this.#retire(closed())
    }
    await this.#ended
  }

  #becomeAuthenticated({ identity, id, expiresAt }: OpenedSession): void {
    this.#become({ state: 'authenticated', identity, session: { id, expiresAt } })
  }

  #become(state: AuthenticationState): void {
    if (this.#state.state === 'closed') return
    this.#state = state
    this.#ports.tell('state', state)
  }
}

function mustBe(userId: string | undefined, identity: BasicIdentity): void {
  if (userId === undefined || userId === identity.user_id) return
  throw new ParleyError('already_authenticated', 'Another user is authenticated; de-authenticate them first.')
}
