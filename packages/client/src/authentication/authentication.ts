/**
 * Who is signed in on this device, for as long as this tab is the owner.
 *
 * It owns the authentication state and the engine that runs while somebody is signed in. The flows below change the state;
 * each leaves it as it was if it fails (AUTH-17), and nothing but the server's word, a call of the app's or an app without a
 * token ends a session: never the device's clock. The session itself is in `session-in-hand.ts`, how one is replaced that
 * died in `reauthentication.ts`, how one is left in `departure.ts`, what becomes of the data in `local-copy.ts`. What they
 * ask of the server and the app is in `sign-in.ts`, `renewal.ts` and `sign-out.ts`, known by their types only:
 * `online-part.ts` fetches them.
 */
import type { BasicIdentity } from '@parley/protocol'
import { abortable, closed, ParleyError, throwIfAborted, untilAny } from '../errors.ts'
import type { Engine } from '../sync/engine.ts'
import type { AuthenticationPorts } from './authentication-ports.ts'
import { type AuthenticationState, type DeauthenticationReason, mustBe, unavailable } from './authentication-state.ts'
import type { ChallengeHandler } from './challenge-handler.ts'
import { type DeauthenticateOptions, Departure, finishDeparture, offline } from './departure.ts'
import { clearForeignCopy, type Leaving, leaveCopy, leftBehind } from './local-copy.ts'
import { Reauthentication } from './reauthentication.ts'
import { SessionInHand } from './session-in-hand.ts'
import type { SignInLine } from './sign-in-line.ts'
import { type OpenedSession, readStored, storeSession } from './stored-session.ts'

type SignedIn = Extract<AuthenticationState, { state: 'authenticated' | 'challenged' }>

export class Authentication {
  readonly #ports: AuthenticationPorts
  #state: AuthenticationState = { state: 'opening' }
  #engine: Engine | undefined
  readonly #session: SessionInHand
  readonly #life = new AbortController()
  #ended: Promise<void> | undefined
  #wantsConnection: boolean
  /** Whose data there is to see. */
  #shown: BasicIdentity | undefined
  /** The one sign-in under way (AUTH-34). */
  #signIn: Promise<BasicIdentity> | undefined
  #signOut: Promise<void> | undefined
  readonly #reauthentication: Reauthentication
  /** The sign-out under way that the app asked for. */
  #departure: Departure | undefined

  constructor(ports: AuthenticationPorts) {
    this.#ports = ports
    this.#wantsConnection = ports.wantsConnection
    this.#session = new SessionInHand(ports, {
      say: (frame) => this.#engine?.say(frame) ?? false,
      isAuthenticated: () => this.#state.state === 'authenticated',
      onIdentity: (identity) => this.#show(identity),
      onProlonged: (session) => this.#becomeAuthenticated(session),
      onConnectionLost: () => this.#departure?.connectionLost(),
      onDead: (isOver, nonce) => this.#sessionDied(isOver, nonce),
    })
    this.#reauthentication = new Reauthentication(ports, this.#life.signal, {
      onOpened: (session, line) => this.#session.take(session, line),
      onEnd: (isAccepted) => (isAccepted ? this.#readmitted() : this.#lose('no-token')),
    })
  }

  get state(): AuthenticationState {
    return this.#state
  }

  get engine(): Engine | undefined {
    return this.#engine
  }

  /** The identity whose data is on the screen. */
  get identity(): BasicIdentity | undefined {
    return 'identity' in this.#state ? this.#state.identity : undefined
  }

  // -- taking over, and losing ---------------------------------------------------------------------------------------

  /** Goes on where the owner before left it. */
  async takeOver(): Promise<void> {
    const stored = await readStored(this.#ports.replica)
    if (stored.signingOut) {
      await finishDeparture(this.#ports, stored, this.#life.signal)
      this.#showNobody()
    } else if (stored.session) await this.#enter(stored.session)
    else this.#become({ state: 'unauthenticated' })
  }

  /** Somebody deleted the local database: nobody is signed in any more. */
  async dataDeleted(error: ParleyError, reopen: () => Promise<void>): Promise<void> {
    const { identity } = this
    await this.#retire(error).catch(() => {})
    await reopen()
    this.#showNobody()
    if (identity) this.#ports.tell('deauthenticated', { reason: 'data-deleted', identity, unsent: [] })
  }

  #show(identity: BasicIdentity | undefined): void {
    this.#shown = identity
    this.#ports.onBasis(identity, this.#wantsConnection)
  }

  #showNobody(): void {
    this.#show(undefined)
    this.#become({ state: 'unauthenticated' })
  }

  #wishConnection(isWanted: boolean): void {
    this.#wantsConnection = isWanted
    this.#show(this.#shown)
  }

  #storageFailed(error: unknown): void {
    if (!this.#life.signal.aborted) this.#ports.onBroken(error)
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
    await this.#enter(session, line)
  }

  /** Somebody is signed in: local data is readable from here on, connected or not (AUTH-35, AUTH-36). */
  async #enter(session: OpenedSession, line?: SignInLine): Promise<void> {
    const { identity } = session
    this.#session.take(session, line)
    const { makeEngine, replica, online, tell } = this.#ports
    const engine = makeEngine({ replica, identity, session: this.#session, online, tell })
    await engine.load()
    // Another owner took over meanwhile: this engine is nobody's, and never connects.
    if (this.#life.signal.aborted) return engine.close()
    this.#engine = engine
    this.#show(identity)
    this.#becomeAuthenticated(session)
    if (this.#wantsConnection) engine.start()
    this.#session.dropLine()
  }

  // -- challenges ----------------------------------------------------------------------------------------------------

  #sessionDied(isOver: boolean, nonce: string | undefined): void {
    const state = this.#state
    if (state.state === 'deauthenticating' && this.#departure) this.#departure.hasServerEndedSession = true
    if (state.state !== 'authenticated') return
    this.#session.stopRenewal()
    if (isOver) this.#lose('session-ended')
    else this.#challenge(state.identity, nonce)
  }

  #challenge(identity: BasicIdentity, nonce?: string): void {
    this.#become({ state: 'challenged', identity })
    this.#reauthentication.ask(this.#session.present!, nonce)
  }

  /** Data and outbox stayed while the app was asked for a token for a new session. */
  #readmitted(): void {
    const session = this.#session.present
    // In the middle of a sign-out, which may come to nothing: then this is what goes on.
    if (!session || this.#state.state !== 'challenged') return
    this.#becomeAuthenticated(session)
    this.#reauthentication.conclude()
    this.#engine?.admit()
    this.#session.dropLine()
  }

  /** The app calls `authenticate` while challenged: ask again now rather than after the back-off. */
  async #awaitReauthentication(signal: AbortSignal | undefined): Promise<BasicIdentity> {
    this.#reauthentication.ask(this.#session.present!)
    await this.#reauthentication.over(signal)
    if (this.#state.state === 'authenticated') return this.#state.identity
    throw new ParleyError('not_authenticated', 'The session is over, and there was no token for a new one.')
  }

  /** Nobody is signed in any more: whoever still waits for an answer is told why there will be none. */
  async #retire(error: ParleyError): Promise<void> {
    const engine = this.#engine
    this.#engine = undefined
    this.#session.drop()
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
      const from = { engine, token: () => this.#session.present!.token, isOver }
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
      this.#challenge(state.identity)
    } else if (this.#wantsConnection) this.#engine?.start()
  }

  async #leave(leaving: Leaving): Promise<void> {
    const { replica, tell } = this.#ports
    const { reason, identity } = leaving
    await this.#retire(leftBehind(leaving))
    const unsent = await leaveCopy(replica, leaving, tell)
    this.#showNobody()
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
