import { createSecretKey, hash, type KeyObject } from 'node:crypto'
import { isStorableText, limits, type Refusal, refuse, type UserId, type Uuid, uuidv7 } from '@parley/protocol'
import { type EitRefusal, type IdentityTokenClaims, peekToken } from '@parley/token'
import type { SessionMessage } from '../bus/revocations.ts'
import type { Clock } from '../clock.ts'
import { Listeners } from '../listeners.ts'
import type { ProfileClaims } from '../model/profile.ts'
import type { AppKey, Profile, Session } from '../model/state.ts'
import type { Tally } from '../observability/tally.ts'
import { announceProfile } from '../operations/announce-profile.ts'
import { endSession } from '../operations/end-session.ts'
import type { WriteLane } from '../operations/lane.ts'
import { type OpenSession, openSession } from '../operations/open-session.ts'
import { renewSession } from '../operations/renew-session.ts'
import { type UseNonce, useNonce } from '../operations/use-nonce.ts'
import type { App, Store } from '../store/store.ts'
import { ClockMemory } from './clock-memory.ts'
import type { Departures } from './departures.ts'
import { type Hold, Holds, type SessionHolder } from './holds.ts'
import type { IdentityTokens } from './identity-tokens.ts'
import { isGoodNonce, issueNonce, nonceHash } from './nonces.ts'
import { randomBytesInPortions } from './random-bytes.ts'

/** Sessions looked up lately; the least recently used go first. */
const MAX_CACHED = 50_000
const MAX_ENDED = 10_000
/** Conversations that show a changed profile in the commit that changes it; more would keep the lane for too long. */
const MAX_SHOWN_AT_ONCE = 500
/** Used nonces are kept this much longer than they live, so that a clock that jumps back revives none. */
const NONCE_MEMORY_MS = 24 * 3_600_000

export type OpenedSession = { readonly session: Session; readonly token: string; readonly profile: Profile }

/** Who asks for a session, beside whom it is for. */
export interface Visitor {
  /** The app's, where it was named. */
  readonly environment?: string | undefined
  /** Whether the app lets in where they come from. */
  readonly mayEnter?: (app: App) => boolean
}

/** What became of the step that spends the nonce and opens the session. */
type Opening =
  | (OpenedSession & { readonly state: 'opened' })
  | { readonly state: 'nonce-not-found' | 'suspended' }
  | { readonly refusal: Refusal }

export interface SessionsOptions {
  readonly store: Store
  readonly lane: WriteLane
  readonly tokens: Pick<IdentityTokens, 'verify'>
  readonly clock: Clock
  readonly secret: string
  readonly log: (message: string, details: Record<string, unknown>) => void
  /** Those who sign in at nearly the same time do so together; without it everybody at once. */
  readonly departures?: Departures
  /** Where sign-ins are counted. */
  readonly tally?: Tally
  /** Random bytes; the system's by default. */
  readonly random?: (count: number) => Uint8Array
}

/**
 * Who is signed in. It turns identity tokens into sessions, finds the session of a token, prolongs and ends it, and
 * knows the connections of each, so that an end closes them at once.
 */
export class Sessions {
  readonly #options: SessionsOptions
  /** Token hash → session. Only live ones; whoever ends one takes it out. */
  readonly #cached = new Map<string, Session>()
  readonly #hashes = new Map<Uuid, string>()
  readonly #holds: Holds
  readonly #secret: KeyObject
  /** Ended lately: a look-up that was under way then must not bring them back. */
  readonly #ended = new Set<Uuid>()
  readonly #clockMemory = new ClockMemory()
  #sweptUntil: number
  readonly #random: (count: number) => Uint8Array
  readonly #watchers: Listeners<SessionMessage>

  constructor(options: SessionsOptions) {
    this.#options = options
    this.#holds = new Holds(options.clock)
    this.#secret = createSecretKey(options.secret, 'utf8')
    this.#watchers = new Listeners((error) => options.log('a session was not told of', { error: String(error) }))
    this.#random = options.random ?? randomBytesInPortions()
    this.#sweptUntil = options.clock.now()
  }

  /** A fresh nonce, good for ten minutes and one use. */
  nonce(app: Uuid | null): string {
    const { clock } = this.#options
    return issueNonce({
      secret: this.#secret,
      appId: app,
      nowMs: this.#clockMemory.latest(clock.now()),
      random: this.#random(16),
    })
  }

  /** The live session of a token, if there is one. */
  async find(token: string): Promise<Session | undefined> {
    const now = this.#options.clock.now()
    const hash = hashOf(token)
    let session = this.#cached.get(hash)
    // One that seems to be over may have been prolonged while it was being looked up.
    const isCached = session !== undefined && !this.#clockMemory.isOver(session, now)
    if (!isCached) session = await this.#options.store.apps.session(hash)
    if (!session || session.endedAt !== null || this.#clockMemory.isOver(session, now) || this.#ended.has(session.id)) {
      if (session) this.#forget(session.id)
      return undefined
    }
    if (!isCached) this.#remember(hash, session)
    return session
  }

  /** Opens a session for the user of an identity token. */
  async open(
    appId: Uuid,
    identityToken: string,
    visitor: Visitor = {},
  ): Promise<OpenedSession | { readonly refusal: Refusal }> {
    const { tally } = this.#options
    try {
      const opened = await this.#open(appId, identityToken, visitor)
      tally?.signIns.add('refusal' in opened ? reasonOf(opened.refusal) : 'opened')
      return opened
    } catch (error) {
      tally?.signIns.add('error')
      throw error
    }
  }

  async #open(
    appId: Uuid,
    identityToken: string,
    { environment, mayEnter }: Visitor,
  ): Promise<OpenedSession | { readonly refusal: Refusal }> {
    const { tokens, clock, store } = this.#options
    const named = peekToken(identityToken, limits.maxIdentityTokenLength)
    await this.#options.departures?.next()
    const looked = await store.apps.forSignIn(appId, named)
    const app = looked?.app
    if (app && mayEnter?.(app) === false) return refuse('forbidden_origin')
    if (!app || (environment !== undefined && environment !== app.environment)) return refuse('invalid_app_id')
    if (app.suspendedAt !== null) return refuse('app_suspended')
    let opening: Opening | undefined
    const verdict = await tokens.verify(identityToken, app, clock.now(), {
      consumeNonce: async (nonce, claims) => {
        // Suspended by another process, of which the lane knows nothing.
        const isSuspended =
          named?.userId === claims.prn
            ? looked.isSuspended
            : (await store.lists.profile(app.key, claims.prn as UserId))?.suspendedAt != null
        opening = await this.#openFor(app, claims, { nonce: this.#spending(app, nonce), isSuspended })
        return !('refusal' in opening) && opening.state !== 'nonce-not-found'
      },
      isSuspended: () => opening !== undefined && 'state' in opening && opening.state === 'suspended',
      looked: named && { keyId: named.keyId, registered: looked.registered },
    })
    if (opening && 'refusal' in opening) return opening
    if (!verdict.ok) return refusalOf(verdict)
    if (opening?.state !== 'opened') throw new Error('A session was neither opened nor refused.')
    return opening
  }

  /** Opens a session, and spends the nonce, for a token that is right in all else. */
  async #openFor(
    app: App,
    claims: IdentityTokenClaims,
    given: Pick<OpenSession, 'nonce' | 'isSuspended'>,
  ): Promise<Opening> {
    const { clock, lane, store } = this.#options
    const userId = claims.prn as UserId
    const token = Buffer.from(this.#random(32)).toString('base64url')
    const input = {
      id: uuidv7(clock.now(), this.#random(10)),
      tokenHash: hashOf(token),
      expiresAt: this.#expiry(app, claims),
      claims: profileClaims(claims),
      ...given,
    }
    const submit = (showIn?: readonly Uuid[]) =>
      lane.submit({ operation: openSession, input: { ...input, showIn }, app: app.key, userId })
    let shown: readonly Uuid[] | undefined
    let outcome = await submit()
    if ('result' in outcome && outcome.result.state === 'profile-changed') {
      shown = (await store.lists.conversationsOf(app.key, userId)).slice(0, MAX_SHOWN_AT_ONCE)
      outcome = await submit(shown)
    }
    if ('refusal' in outcome) return outcome
    const { result } = outcome
    if (result.state === 'profile-changed') throw new Error('A session was neither opened nor refused.')
    if (result.state !== 'opened') return result
    this.#clockMemory.begun(result.session.id, clock.now())
    this.#remember(input.tokenHash, result.session)
    if (shown) void this.#announce(app.key, userId, new Set(shown))
    return { ...result, token }
  }

  /** Prolongs a session by a new identity token of the same user. */
  async renew(
    session: Session,
    identityToken: string,
  ): Promise<{ readonly session: Session } | { readonly refusal: Refusal }> {
    const app = await this.#options.store.apps.byKey(session.app)
    if (!app) return refuse('invalid_app_id')
    if (app.suspendedAt !== null) return refuse('app_suspended')
    const verdict = await this.#verify(app, identityToken)
    if ('refusal' in verdict) return verdict
    if (verdict.claims.prn !== session.userId) {
      return refuse('invalid_property', {
        message: 'The identity token is for another user than the session.',
        data: { property: 'identity_token' },
      })
    }
    const outcome = await this.#options.lane.submit({
      operation: renewSession,
      input: { id: session.id, expiresAt: this.#expiry(app, verdict.claims) },
      app: session.app,
      userId: session.userId,
    })
    if ('refusal' in outcome) return outcome
    const renewed = outcome.result.session
    this.#renewed(renewed.id, renewed.expiresAt)
    this.#watchers.tell({ type: 'session-renewed', session: renewed.id, expiresAt: renewed.expiresAt })
    return { session: renewed }
  }

  /** Ends a session and closes its connections. */
  async end(session: Session): Promise<{ readonly refusal: Refusal } | undefined> {
    const outcome = await this.#options.lane.submit({
      operation: endSession,
      input: { id: session.id },
      app: session.app,
      userId: session.userId,
    })
    if ('refusal' in outcome) return outcome
    this.#close(session.id)
    this.#watchers.tell({ type: 'session-ended', session: session.id, at: this.#options.clock.now() })
    return undefined
  }

  /** Tells what became of sessions here, for the other servers; the answer stops it. */
  watch(watcher: (message: SessionMessage) => void): () => void {
    return this.#watchers.add(watcher)
  }

  /** Another server says what became of sessions there. */
  heard(message: SessionMessage): void {
    switch (message.type) {
      case 'session-ended':
        this.#close(message.session)
        return
      case 'session-renewed':
        this.#renewed(message.session, message.expiresAt)
        return
      case 'sessions-ended': {
        const { app, userId, at } = message
        for (const session of [...this.#cached.values(), ...this.#holds.sessions]) {
          if (session.app === app && session.userId === userId && session.createdAt <= at) this.#close(session.id)
        }
        return
      }
    }
  }

  /** Ties a connection to its session. The session's expiry ends it as well. */
  hold(session: Session, holder: SessionHolder): Hold {
    const hold = this.#holds.add(session, holder)
    if (this.#ended.has(session.id)) hold.end()
    return hold
  }

  /** Closes the connections of sessions that another process ended. */
  async sweep(): Promise<void> {
    const now = this.#options.clock.now()
    this.#clockMemory.latest(now)
    // A little overlap: the other process may have taken its time to commit.
    const since = Math.min(this.#sweptUntil, now) - 10_000
    this.#sweptUntil = now
    for (const { id } of await this.#options.store.apps.endedSince(since)) this.#close(id)
  }

  /** Verifies a token for a session that is open already; its nonce is spent by that alone. */
  async #verify(
    app: App,
    identityToken: string,
  ): Promise<{ readonly claims: IdentityTokenClaims } | { readonly refusal: Refusal }> {
    const { tokens, lane, clock } = this.#options
    let outage: { readonly refusal: Refusal } | undefined
    const verdict = await tokens.verify(identityToken, app, clock.now(), {
      consumeNonce: async (nonce) => {
        const input = this.#spending(app, nonce)
        const outcome = await lane.submit({ operation: useNonce, input, app: app.key, userId: null })
        if ('refusal' in outcome) outage = outcome
        return 'result' in outcome && outcome.result.isFirst
      },
    })
    return outage ?? (verdict.ok ? { claims: verdict.claims } : refusalOf(verdict))
  }

  #spending(app: App, nonce: string): UseNonce {
    const { clock } = this.#options
    const nowMs = this.#clockMemory.latest(clock.now())
    return {
      nonceHash: nonceHash(nonce),
      isGood: isGoodNonce(nonce, { secret: this.#secret, appId: app.id, nowMs }),
      forgetAt: nowMs + limits.nonceLifetimeMs + NONCE_MEMORY_MS,
    }
  }

  #expiry(app: App, claims: IdentityTokenClaims): number {
    const now = this.#options.clock.now()
    const longest = now + limits.maxSessionSeconds * 1000
    if (app.sessionSeconds !== null) return Math.min(now + app.sessionSeconds * 1000, longest)
    // A token that only the leeway of clocks made good opens a session that lives as long as it was good.
    const end = claims.exp * 1000
    return Math.min(end > now ? end : end + limits.clockLeewayMs, longest)
  }

  /** Shows a changed profile where it was not shown with the change: beyond the bound, or joined in the meantime. */
  async #announce(app: AppKey, userId: UserId, shown: ReadonlySet<Uuid>): Promise<void> {
    const { store, lane, log } = this.#options
    try {
      for (const conversation of await store.lists.conversationsOf(app, userId)) {
        if (shown.has(conversation)) continue
        await lane.submit({ operation: announceProfile, input: { conversation }, app, userId })
      }
    } catch (error) {
      log('a changed profile could not be announced', { error: String(error) })
    }
  }

  #renewed(id: Uuid, expiresAt: number): void {
    this.#clockMemory.begun(id, this.#options.clock.now())
    this.#forget(id)
    for (const hold of this.#holds.of(id)) hold.renew({ ...hold.session, expiresAt })
  }

  #close(id: Uuid): void {
    this.#forgetPerson(id)
    this.#forget(id)
    this.#ended.add(id)
    if (this.#ended.size > MAX_ENDED) this.#ended.delete(this.#ended.values().next().value as Uuid)
    for (const hold of this.#holds.of(id)) hold.end()
  }

  /** Where others write, a session may have ended because its owner was suspended, of which nobody else tells the lane. */
  #forgetPerson(id: Uuid): void {
    const { store, lane } = this.#options
    const session = this.#cached.get(this.#hashes.get(id) ?? '')
    if (!session || store.hasOneWriter !== false) return
    lane.outdated({ app: session.app, people: [session.userId], conversations: [], messages: [] })
  }

  #remember(hash: string, session: Session): void {
    this.#cached.delete(hash)
    this.#cached.set(hash, session)
    this.#hashes.set(session.id, hash)
    if (this.#cached.size <= MAX_CACHED) return
    const [oldest] = this.#cached.values()
    if (oldest) this.#forget(oldest.id)
  }

  #forget(id: Uuid): void {
    const hash = this.#hashes.get(id)
    this.#hashes.delete(id)
    if (hash !== undefined) this.#cached.delete(hash)
  }
}

function refusalOf(verdict: EitRefusal): { readonly refusal: Refusal } {
  const { error: reason, sentence: message } = verdict
  if (reason === 'eit_user_suspended') return refuse('user_suspended', { data: { reason } })
  return refuse('invalid_property', { message, data: { property: 'identity_token', reason } })
}

/** Of a token that is not right, what is wrong with it; otherwise the refusal's own code. */
const reasonOf = ({ id, data }: Refusal): string => (typeof data?.reason === 'string' ? data.reason : id)

/** Sessions are stored by the hash of their token: a stolen store opens no session. */
const hashOf = (token: string): string => hash('sha256', token, 'base64url')

function profileClaims(claims: IdentityTokenClaims): ProfileClaims {
  const name = (value: string | undefined) => value && shortened(value, limits.maxNameLength)
  return {
    displayName: name(claims.display_name),
    firstName: name(claims.first_name),
    lastName: name(claims.last_name),
    avatarUrl: claims.avatar_url && shortened(claims.avatar_url, limits.maxAvatarUrlLength),
    publicKey: claims.public_key,
  }
}

/** A name that is too long is cut, between characters: nobody is locked out for it. */
function shortened(text: string, length: number): string {
  const cut = text.slice(0, length)
  return isStorableText(cut) ? cut : cut.slice(0, -1)
}
