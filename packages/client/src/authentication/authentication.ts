/**
 * Who is signed in on this device, from opening the local database to deleting it.
 *
 * It owns the authentication state, the stored session, the replica (opening, wiping) and the engine that runs while
 * somebody is signed in. The flows below change the state; each leaves it as it was if it fails (AUTH-17), and nothing
 * but the server's word, a call of the app's or an app without a token ends a session: never the device's clock.
 */
import { type BasicIdentity, type GoodbyeFrame, limits, type SessionInfo, type WireError } from '@parley/protocol'
import type { Tell } from '../client-types.ts'
import type { Chance, Clock, Locks } from '../environment.ts'
import { abortable, closed, ParleyError, throwIfAborted } from '../errors.ts'
import { listUnsent } from '../outbox/outbox.ts'
import type { LossReason, OutboxEntry, Replica, ReplicaStorage } from '../replica/replica.ts'
import type { ConnectionState } from '../sync/connection-state.ts'
import type { Engine, SessionHolder } from '../sync/engine.ts'
import { type AuthenticationState, type DeauthenticationReason, unavailable } from './authentication-state.ts'
import { readIdentityToken } from './identity-token.ts'
import { type ChallengeHandler, callHandler, HANDLER_PATIENCE_MS, obtainToken } from './obtain-token.ts'
import { Renewal } from './renewal.ts'
import { endSession, type OpenedSession, openSession, requestNonce, type SessionsApiPorts } from './sessions-api.ts'
import { forgetSession, markSigningOut, readStored, storeSession, unmarkSigningOut } from './stored-session.ts'

export interface AuthenticationPorts {
  readonly appId: string
  readonly api: SessionsApiPorts
  readonly storage: ReplicaStorage
  readonly challenge: ChallengeHandler
  readonly clock: Clock
  readonly chance: Chance
  readonly locks: Locks
  /** An engine for whoever is signed in. */
  readonly makeEngine: (replica: Replica, identity: BasicIdentity, session: SessionHolder) => Engine
  readonly tell: Tell
  /** Another replica is the one to read. */
  readonly onReplica: (replica: Replica, identity: BasicIdentity | undefined) => void
}

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

/** A tab that has not got the lock by then says that it waits. */
const LOCK_PATIENCE_MS = 100
/** A session that ends this soon after its challenge had no fair chance of being renewed: the device was asleep. */
const UNFAIR_MS = 3_000

export class Authentication implements SessionHolder {
  readonly #ports: AuthenticationPorts
  #state: AuthenticationState = { state: 'opening' }
  #replica: Replica | undefined
  #engine: Engine | undefined
  #session: OpenedSession | undefined
  readonly #life = new AbortController()
  readonly #opened: Promise<void>
  #markOpened: () => void = () => {}
  #released: Promise<void> = Promise.resolve()
  #release: () => void = () => {}
  #wantsConnection = true
  /** The one sign-in under way (AUTH-34). */
  #signIn: { readonly userId: string | undefined; readonly promise: Promise<BasicIdentity> } | undefined
  #signOut: Promise<void> | undefined
  readonly #renewal: Renewal
  /** Asking for a new session after the old one was found dead. */
  #reauthentication: AbortController | undefined
  /** Whoever called `authenticate` while challenged, until it is decided. */
  readonly #challengedWaiters = new Set<() => void>()
  /** Fires when the connection a sign-out relies on is lost. */
  #interrupt: AbortController | undefined
  #hasServerEndedSession = false

  constructor(ports: AuthenticationPorts) {
    this.#ports = ports
    this.#opened = new Promise((resolve) => {
      this.#markOpened = resolve
    })
    this.#renewal = new Renewal({
      clock: ports.clock,
      chance: ports.chance,
      ask: (nonce, signal) => this.#ask(nonce, this.#session?.identity.user_id, signal),
      say: (frame) => this.#engine?.say(frame) ?? false,
      onFailed: (failure) => ports.tell('challenge-failed', failure),
    })
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

  get replica(): Replica | undefined {
    return this.#replica
  }

  /** The identity whose data is on the screen. */
  get identity(): BasicIdentity | undefined {
    return 'identity' in this.#state ? this.#state.identity : undefined
  }

  /** Settles once the local database was looked at: from then on the state says who is signed in. */
  get opened(): Promise<void> {
    return this.#opened
  }

  // -- opening, and one tab at a time --------------------------------------------------------------------------------

  open(): void {
    const { locks, appId, clock } = this.#ports
    const cancel = clock.after(LOCK_PATIENCE_MS, () => void this.#readWhileWaiting().catch(() => {}))
    const { signal } = this.#life
    this.#released = locks
      .hold(`parley:${appId}`, { signal }, async () => {
        cancel()
        if (signal.aborted) return
        const released = new Promise<void>((resolve) => {
          this.#release = resolve
        })
        await this.#takeOver()
        await released
      })
      .catch((error) => {
        if (!signal.aborted) this.#storageFailed(error)
      })
      .finally(cancel)
  }

  /** Another tab is at work: its data may be read meanwhile. */
  async #readWhileWaiting(): Promise<void> {
    if (this.#state.state !== 'opening') return
    const replica = await this.#ports.storage.open(this.#ports.appId, {
      onLost: (reason) => {
        // The tab at work has signed out: there is nothing to show any more.
        if (reason !== 'deleted' || this.#replica !== replica) return
        this.#become({ state: 'opening' })
        void this.#readWhileWaiting().catch(() => {})
      },
    })
    const { session } = await readStored(replica)
    if (this.#state.state !== 'opening') {
      await replica.close()
      return
    }
    this.#use(replica, session?.identity)
    this.#become({ state: 'waiting-for-tab', identity: session?.identity })
  }

  async #takeOver(): Promise<void> {
    try {
      await this.#replica?.close()
      await this.#openReplica()
      const { session, signingOut } = await readStored(this.#replica!)
      if (signingOut) await this.#finishSigningOut(session, signingOut.keepData)
      else if (session) await this.#enter(session)
      else this.#become({ state: 'unauthenticated' })
    } catch (error) {
      this.#storageFailed(error)
    } finally {
      this.#markOpened()
    }
  }

  async #openReplica(): Promise<void> {
    const { storage, appId } = this.#ports
    const replica = await storage.open(appId, { onLost: (reason) => this.#lostReplica(replica, reason) })
    this.#use(replica, undefined)
  }

  #use(replica: Replica, identity: BasicIdentity | undefined): void {
    this.#replica = replica
    this.#ports.onReplica(replica, identity)
  }

  #lostReplica(replica: Replica, reason: LossReason): void {
    // Our own wiping destroys the replica as well; by then it is not the one in use any more.
    if (replica !== this.#replica || this.#state.state === 'closed') return
    this.#ports.tell('storage', { state: 'lost' })
    const { identity } = this
    void this.#retire(new ParleyError('storage_failed', `The local database was ${reason}.`)).catch(() => {})
    if (reason !== 'deleted') {
      void this.close()
      return
    }
    const { tell } = this.#ports
    this.#openReplica().then(
      () => {
        this.#become({ state: 'unauthenticated' })
        if (identity) tell('deauthenticated', { reason: 'data-deleted', identity, unsent: [] })
      },
      (error) => this.#storageFailed(error),
    )
  }

  #storageFailed(error: unknown): void {
    if (this.#life.signal.aborted) return
    this.#ports.tell('storage', { state: 'lost', error })
    void this.close()
  }

  /** The run before this one ended between "the server ended the session" and "the copy is deleted". */
  async #finishSigningOut(session: OpenedSession | undefined, keepData: boolean): Promise<void> {
    if (session) endSession(this.#ports.api, session.token, this.#life.signal).catch(() => {})
    if (keepData) await forgetSession(this.#replica!)
    else await this.#wipe()
    this.#become({ state: 'unauthenticated' })
  }

  async #wipe(): Promise<void> {
    const { storage, appId } = this.#ports
    const replica = this.#replica
    this.#replica = undefined
    await replica?.close()
    await storage.destroy(appId)
    await this.#openReplica()
  }

  // -- connection ----------------------------------------------------------------------------------------------------

  connect(): void {
    this.#wantsConnection = true
    this.#engine?.start()
  }

  disconnect(): void {
    this.#wantsConnection = false
    this.#engine?.stop()
  }

  connectionChanged(state: ConnectionState): void {
    const isLive = state.state === 'live' || state.state === 'probing'
    if (isLive) this.#renewal.connected()
    else {
      this.#renewal.disconnected()
      this.#interrupt?.abort()
    }
  }

  // -- signing in ----------------------------------------------------------------------------------------------------

  /** Signs a user in; connects by itself (AUTH-8). The same user's session is resumed (AUTH-33). */
  async authenticate(userId: string | undefined, signal: AbortSignal | undefined): Promise<BasicIdentity> {
    throwIfAborted(signal)
    await abortable(this.#opened, signal)
    this.#wantsConnection = true
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
        return this.#joinSignIn(userId, signal)
      case 'unauthenticated':
        return this.#startSignIn(userId, signal)
      default:
        throw unavailable(state)
    }
  }

  #startSignIn(userId: string | undefined, signal: AbortSignal | undefined): Promise<BasicIdentity> {
    this.#become({ state: 'authenticating', userId })
    const promise = this.#authenticateNow(userId, either(signal, this.#life.signal)).finally(() => {
      this.#signIn = undefined
      if (this.#state.state === 'authenticating') this.#become({ state: 'unauthenticated' })
    })
    this.#signIn = { userId, promise }
    return promise
  }

  #joinSignIn(userId: string | undefined, signal: AbortSignal | undefined): Promise<BasicIdentity> {
    const signIn = this.#signIn
    if (!signIn || (userId !== undefined && userId !== signIn.userId)) {
      throw unavailable(this.#state)
    }
    return abortable(signIn.promise, signal)
  }

  async #authenticateNow(userId: string | undefined, signal: AbortSignal): Promise<BasicIdentity> {
    const { api } = this.#ports
    const nonce = await requestNonce(api, signal)
    // Somebody may be typing a password: there is time for as long as the nonce lives.
    const token = await this.#ask(nonce, userId, signal, limits.nonceLifetimeMs)
    if (token === null) throw new ParleyError('challenge_failed', 'The challenge handler gave no identity token.')
    const session = await openSession(api, token, signal)
    try {
      await this.#admit(session, readIdentityToken(token).prn, signal)
    } catch (error) {
      endSession(api, session.token, this.#life.signal).catch(() => {})
      throw error
    }
    return session.identity
  }

  async #admit(session: OpenedSession, prn: string, signal: AbortSignal): Promise<void> {
    if (session.identity.user_id !== prn) throw wrongUser(prn, session.identity.user_id)
    throwIfAborted(signal)
    const { owner } = await readStored(this.#replica!)
    if (owner !== undefined && owner !== session.identity.id) {
      await this.#handOver()
      await this.#wipe()
    }
    await storeSession(this.#replica!, session)
    await this.#enter(session)
  }

  /** Calls the app's handler, and checks that the token is for whom it should be (AUTH-40). */
  async #ask(
    nonce: string,
    userId: string | undefined,
    signal: AbortSignal,
    patienceMs = HANDLER_PATIENCE_MS,
  ): Promise<string | null> {
    const { challenge, clock } = this.#ports
    const token = await callHandler(challenge, { nonce, userId, signal }, clock, patienceMs)
    if (token === null) return null
    const { prn } = readIdentityToken(token)
    if (userId !== undefined && prn !== userId) throw wrongUser(userId, prn)
    return token
  }

  /** Somebody is signed in: local data is readable from here on, connected or not (AUTH-35, AUTH-36). */
  async #enter(session: OpenedSession): Promise<void> {
    const { identity } = session
    this.#session = session
    this.#hasServerEndedSession = false
    const engine = this.#ports.makeEngine(this.#replica!, identity, this)
    await engine.load()
    this.#engine = engine
    this.#ports.onReplica(this.#replica!, identity)
    this.#becomeAuthenticated(session)
    if (this.#wantsConnection) engine.start()
  }

  // -- challenges ----------------------------------------------------------------------------------------------------

  /** The server announces the end of the session on the live connection; it is renewed in place. */
  challenged(nonce: string): void {
    if (this.#state.state === 'authenticated') this.#renewal.challenged(nonce)
  }

  renewed(info: SessionInfo): void {
    this.#prolong(info)
    this.#renewal.renewed()
    this.#ports.tell('renewed', info)
  }

  welcomed({ identity, session: info }: Parameters<SessionHolder['welcomed']>[0]): void {
    const session = this.#session
    if (!session || identity.id !== session.identity.id) return
    this.#session = { ...session, identity }
    if (this.#replica) this.#ports.onReplica(this.#replica, identity)
    const isProlonged = Date.parse(info.expires_at) > Date.parse(session.expiresAt)
    if (isProlonged) this.renewed(info)
    else this.#prolong(info)
  }

  refused(error: WireError): void {
    this.#renewal.refused(error)
  }

  #prolong(info: SessionInfo): void {
    if (!this.#session || !this.#replica || info.expires_at === this.#session.expiresAt) return
    this.#session = { ...this.#session, id: info.id, expiresAt: info.expires_at }
    storeSession(this.#replica, this.#session).catch(() => {})
    if (this.#state.state === 'authenticated') this.#becomeAuthenticated(this.#session)
  }

  saidGoodbye(goodbye: GoodbyeFrame): void {
    const { reason } = goodbye
    if (reason !== 'session_ended' && reason !== 'authentication_required') return
    if (this.#state.state === 'deauthenticating') {
      this.#hasServerEndedSession = true
      return
    }
    if (this.#state.state !== 'authenticated') return
    const age = this.#renewal.ageMs
    this.#renewal.stop()
    const isUnfair = age !== undefined && age < UNFAIR_MS
    if (reason === 'session_ended' && !isUnfair) {
      this.#lose('session-ended')
      return
    }
    const nonce = (goodbye.error?.data as { readonly nonce?: unknown } | undefined)?.nonce
    this.#become({ state: 'challenged', identity: this.#state.identity })
    this.#reauthenticate(typeof nonce === 'string' ? nonce : undefined)
  }

  /** The session died in our absence. Data and outbox stay while the app is asked for a token for a new one. */
  #reauthenticate(nonce: string | undefined): void {
    const { clock, chance, api, tell } = this.#ports
    const session = this.#session
    if (!session) return
    this.#reauthentication?.abort()
    const abort = new AbortController()
    this.#reauthentication = abort
    const signal = either(abort.signal, this.#life.signal)
    const current = { nonce: nonce ?? '', receivedAt: clock.now(), isUsed: nonce === undefined }
    obtainToken(
      {
        clock,
        chance,
        ask: (fresh) => this.#ask(fresh, session.identity.user_id, signal),
        requestNonce: async () => {
          Object.assign(current, { nonce: await requestNonce(api, signal), receivedAt: clock.now(), isUsed: false })
        },
        submit: async (token) => {
          const opened = await openSession(api, token, signal)
          if (opened.identity.id !== session.identity.id) {
            throw wrongUser(session.identity.user_id, opened.identity.user_id)
          }
          await storeSession(this.#replica!, opened)
          this.#session = opened
        },
        onFailed: (failure) => tell('challenge-failed', failure),
      },
      current,
      { signal, patienceMs: limits.nonceLifetimeMs },
    ).then(
      (outcome) => (outcome === 'accepted' ? this.#readmitted() : this.#lose('no-token')),
      () => {},
    )
  }

  #readmitted(): void {
    const session = this.#session
    if (!session || this.#state.state !== 'challenged') return
    this.#becomeAuthenticated(session)
    this.#tellWaiters()
    this.#engine?.admit()
  }

  /** The app calls `authenticate` while challenged: ask again now rather than after the back-off. */
  async #awaitReauthentication(signal: AbortSignal | undefined): Promise<BasicIdentity> {
    const decided = new Promise<void>((resolve) => this.#challengedWaiters.add(resolve))
    this.#reauthenticate(undefined)
    await abortable(decided, signal)
    if (this.#state.state === 'authenticated') return this.#state.identity
    throw new ParleyError('not_authenticated', 'The session is over, and there was no token for a new one.')
  }

  /** Nobody is signed in any more: whoever still waits for an answer is told why there will be none. */
  async #retire(error: ParleyError): Promise<void> {
    const engine = this.#engine
    this.#engine = undefined
    this.#session = undefined
    this.#renewal.stop()
    this.#reauthentication?.abort()
    this.#tellWaiters()
    try {
      await engine?.close()
    } finally {
      engine?.outbox.close(error)
    }
  }

  #tellWaiters(): void {
    for (const tell of this.#challengedWaiters) tell()
    this.#challengedWaiters.clear()
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
    await abortable(this.#opened, options.signal)
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

  async #signOutNow(
    state: Extract<AuthenticationState, { state: 'authenticated' | 'challenged' }>,
    options: DeauthenticateOptions,
  ): Promise<void> {
    const { discardUnsent = false, keepData = false } = options
    const engine = this.#engine!
    const isOver = state.state === 'challenged'
    if (!isOver && !engine.isLive) throw offline()
    this.#become({ state: 'deauthenticating', identity: state.identity })
    const interrupt = new AbortController()
    this.#interrupt = interrupt
    const signal = either(options.signal, either(interrupt.signal, this.#life.signal))
    try {
      if (!discardUnsent) await this.#flush(engine, { isOver, keepData, signal })
      if (!isOver) await this.#endSession(keepData, either(options.signal, this.#life.signal))
    } catch (error) {
      this.#interrupt = undefined
      this.#resume(state)
      if (interrupt.signal.aborted && !options.signal?.aborted) throw offline(error)
      throw error
    }
    this.#interrupt = undefined
    try {
      await this.#leave({ reason: 'asked', identity: state.identity, keepData, discardUnsent })
    } catch (error) {
      // The session is over and the copy is not gone: the next opening deletes it.
      this.#storageFailed(error)
      throw error
    }
  }

  async #flush(
    engine: Engine,
    {
      isOver,
      keepData,
      signal,
    }: { readonly isOver: boolean; readonly keepData: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const refuse = async () => {
      if (!keepData) refuseToLose(await engine.outbox.list(), isOver)
    }
    if (!isOver) {
      await refuse()
      await engine.outbox.drained(signal)
      await engine.idle()
    }
    await refuse()
    throwIfAborted(signal)
  }

  async #endSession(keepData: boolean, signal: AbortSignal): Promise<void> {
    await markSigningOut(this.#replica!, keepData)
    try {
      await endSession(this.#ports.api, this.#session!.token, signal)
    } catch (error) {
      // The server's goodbye may arrive although its answer did not.
      if (this.#hasServerEndedSession) return
      await unmarkSigningOut(this.#replica!)
      throw error
    }
  }

  /** The sign-out did not happen; everything is as it was. */
  #resume(state: Extract<AuthenticationState, { state: 'authenticated' | 'challenged' }>): void {
    if (this.#state.state !== 'deauthenticating') return
    this.#become(state)
    if (state.state === 'challenged') return
    if (this.#hasServerEndedSession) {
      this.#become({ state: 'challenged', identity: state.identity })
      this.#reauthenticate(undefined)
    } else if (this.#wantsConnection) this.#engine?.start()
  }

  async #leave(leaving: {
    readonly reason: DeauthenticationReason
    readonly identity: BasicIdentity
    readonly keepData: boolean
    readonly discardUnsent?: boolean
  }): Promise<void> {
    const { reason, identity, keepData, discardUnsent = true } = leaving
    const { tell, onReplica } = this.#ports
    const isKept = keepData && !discardUnsent
    await this.#retire(
      isKept
        ? new ParleyError('not_authenticated', 'The user was signed out; this waits for their return.')
        : new ParleyError('discarded', 'The user was signed out before this was carried out.'),
    )
    const unsent = isKept ? [] : await this.#handOver()
    if (keepData) {
      const everything = { type: 'delete-all', table: 'outbox', prefix: [] } as const
      if (!isKept) await this.#replica!.commit([everything], { durability: 'strict' })
      await forgetSession(this.#replica!)
      onReplica(this.#replica!, undefined)
    } else {
      await this.#wipe()
    }
    this.#become({ state: 'unauthenticated' })
    tell('deauthenticated', { reason, identity, unsent })
  }

  /** Nothing is dropped in silence: what was never sent goes to the app before it is deleted. */
  async #handOver(): Promise<readonly OutboxEntry[]> {
    const entries = await listUnsent(this.#replica!)
    if (entries.length > 0) this.#ports.tell('unsent', { entries })
    return entries
  }

  // -- the end -------------------------------------------------------------------------------------------------------

  /** Ends this client, not the session: the next one goes on where this one was. */
  async close(): Promise<void> {
    if (this.#life.signal.aborted) {
      await this.#released
      return
    }
    this.#life.abort(closed())
    this.#become({ state: 'closed' })
    this.#markOpened()
    await this.#retire(closed())
    await this.#replica?.close()
    this.#release()
    await this.#released
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

/** What failed would be lost; once the session is over and nothing can be sent, so would the rest. */
function refuseToLose(entries: readonly OutboxEntry[], isOver: boolean): void {
  const lost = entries.filter((entry) => isOver || entry.state.state === 'failed')
  if (lost.length === 0) return
  throw new ParleyError('unsent_work', `${lost.length} operations were not carried out and would be lost.`, {
    entries: lost,
  })
}

const wrongUser = (asked: string, got: string) =>
  new ParleyError('wrong_user', `The identity token is for '${got}', not for '${asked}'.`)
const offline = (cause?: unknown) =>
  new ParleyError('offline', 'Signing out needs a connection. Nothing was deleted.', {
    cause,
  })

/** A signal that fires when either does. */
function either(a: AbortSignal | undefined, b: AbortSignal): AbortSignal {
  if (!a) return b
  const controller = new AbortController()
  for (const signal of [a, b]) {
    if (signal.aborted) controller.abort(signal.reason)
    signal.addEventListener('abort', () => controller.abort(signal.reason), { once: true })
  }
  return controller.signal
}
