/**
 * A scripted server in memory: speaks the protocol over hand-cranked sockets and answers the REST calls of
 * authentication. A test can make it busy, forgetful, refuse, or end sessions; it checks what a real one would check
 * of the client's manners: one use of a nonce, nothing that overtakes.
 */
import {
  type BasicIdentity,
  type ConversationId,
  type DownFrame,
  type ErrorId,
  errors,
  type IdentityId,
  type OperationFrame,
  type RowsFrame,
  toWireError,
  type UpFrame,
} from '@parley/protocol'
import { HandCrankedNetwork, type ServerEnd } from '../hand-cranked-sockets.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { type FakeChange, FakeLog } from './fake-log.ts'

interface FakeSession {
  readonly token: string
  readonly id: string
  readonly identity: BasicIdentity
  expiresAt: number
}

interface FakeConnection {
  readonly end: ServerEnd
  session: FakeSession | undefined
  readonly putOff: Set<string>
}

/** What the server does with one operation: carry it out, or refuse it. */
export type Verdict = 'carry-out' | { readonly refuse: ErrorId; readonly retryAfterMs?: number } | 'silence'

export class FakeServer {
  readonly network = new HandCrankedNetwork((end) => this.#accept(end))
  readonly log: FakeLog
  readonly #clock: VirtualClock
  readonly #connections = new Set<FakeConnection>()
  readonly #sessions = new Map<string, FakeSession>()
  readonly #nonces = new Set<string>()
  #last = 0
  sessionMs = 24 * 3_600_000
  /** Decides about each operation as it arrives. */
  judge: (frame: OperationFrame, userId: string) => Verdict = () => 'carry-out'
  /** Answers to REST calls instead of ours; undefined for ours. */
  intercept: (method: string, path: string) => { status: number; body: string } | 'network error' | undefined = () =>
    undefined
  /** Rows in one frame of a pull. */
  rowsPerFrame = 100
  /** Every operation that arrived, by id, in order. */
  readonly arrivals: { readonly userId: string; readonly id: string; readonly name: string }[] = []
  readonly requests: string[] = []
  readonly hellos: { readonly cursor: string | null }[] = []

  constructor(clock: VirtualClock) {
    this.#clock = clock
    this.log = new FakeLog(() => clock.wall())
    this.log.onChange = (change) => this.#publish(change)
  }

  get sessions(): readonly FakeSession[] {
    return [...this.#sessions.values()]
  }

  /** What an app's authentication service would sign for this nonce. Nobody here checks signatures. */
  tokenFor(userId: string, nonce: string): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    return `${part({ alg: 'none' })}.${part({ prn: userId, nce: nonce })}.signature`
  }

  // -- sessions ------------------------------------------------------------------------------------------------------

  newNonce(): string {
    const nonce = `nonce-${++this.#last}`
    this.#nonces.add(nonce)
    return nonce
  }

  /** Announces the end of everybody's session on the live connections. */
  challenge(): void {
    for (const connection of this.#connections) if (connection.session) this.#challenge(connection)
  }

  /** Ends the sessions of a user (or all), and their connections. */
  endSessions(userId?: string): void {
    for (const session of this.sessions) {
      if (userId !== undefined && session.identity.user_id !== userId) continue
      this.#sessions.delete(session.token)
      for (const connection of [...this.#connections]) {
        if (connection.session !== session) continue
        this.#say(connection, { type: 'goodbye', reason: 'session_ended' })
        connection.end.close(4401)
        this.#connections.delete(connection)
      }
    }
  }

  /** Forgets sessions without a word, as if they had ended while nobody was connected. */
  forgetSessions(): void {
    this.#sessions.clear()
  }

  /** Asks all who are connected to connect elsewhere after a while. */
  askToMove(afterMs: number): void {
    for (const connection of this.#connections) this.#say(connection, { type: 'move', after_ms: afterMs })
  }

  /** Says in every welcome that it is for this person, as somebody in between would. */
  welcomes(identity: BasicIdentity): void {
    this.network.tamper = (text) => {
      const frame = JSON.parse(text) as { readonly type: string }
      return [frame.type === 'welcome' ? JSON.stringify({ ...frame, identity }) : text]
    }
  }

  sendAway(retryAfterMs: number): void {
    for (const connection of [...this.#connections]) {
      this.#say(connection, { type: 'goodbye', reason: 'going_away', retry_after_ms: retryAfterMs })
      connection.end.close(1001)
      this.#connections.delete(connection)
    }
  }

  #admit(identityToken: string): BasicIdentity | undefined {
    try {
      const { prn, nce } = JSON.parse(Buffer.from(identityToken.split('.')[1]!, 'base64url').toString())
      return this.#nonces.delete(nce) ? this.log.identity(prn) : undefined
    } catch {
      return undefined
    }
  }

  #open(identity: BasicIdentity): FakeSession {
    const token = `token-${++this.#last}`
    const session = { token, id: `session-${this.#last}`, identity, expiresAt: this.#clock.wall() + this.sessionMs }
    this.#sessions.set(token, session)
    return session
  }

  #openFor(identityToken: string): FakeSession | undefined {
    const identity = this.#admit(identityToken)
    return identity && this.#open(identity)
  }

  // -- REST ----------------------------------------------------------------------------------------------------------

  readonly fetch = async (
    url: string,
    init: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly body?: string },
  ): Promise<{ status: number; headers: { get(name: string): string | null }; text(): Promise<string> }> => {
    const { pathname } = new URL(url)
    this.requests.push(`${init.method} ${pathname}`)
    const instead = this.network.isUp ? this.intercept(init.method, pathname) : 'network error'
    if (instead === 'network error') throw new TypeError('fetch failed')
    const { status, body } = instead ?? this.#answer(init.method, pathname, init)
    return { status, headers: { get: () => null }, text: async () => body }
  }

  #answer(
    method: string,
    path: string,
    { headers }: { readonly headers: Readonly<Record<string, string>> },
  ): { status: number; body: string } {
    const json = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) })
    const refuse = (id: ErrorId, data?: Record<string, unknown>) =>
      json(errors[id].status, toWireError(data ? { id, data } : { id }))
    if (method === 'DELETE' && path === '/sessions/current') {
      const session = this.#sessions.get(/session-token="(.*)"/.exec(headers.authorization ?? '')?.[1] ?? '')
      if (!session) return refuse('authentication_required', { nonce: this.newNonce() })
      this.#sessions.delete(session.token)
      for (const connection of [...this.#connections]) {
        if (connection.session !== session) continue
        this.#say(connection, { type: 'goodbye', reason: 'session_ended' })
        connection.end.close(4401)
      }
      return { status: 204, body: '' }
    }
    return refuse('invalid_endpoint')
  }

  // -- sockets -------------------------------------------------------------------------------------------------------

  #accept(end: ServerEnd): void {
    const connection: FakeConnection = { end, session: undefined, putOff: new Set() }
    this.#connections.add(connection)
    end.onclose = () => this.#connections.delete(connection)
    end.onmessage = (text) => this.#hear(connection, JSON.parse(text) as UpFrame)
  }

  #say(connection: FakeConnection, frame: DownFrame): void {
    connection.end.send(JSON.stringify(frame))
  }

  #publish(change: FakeChange): void {
    const { to, stream, after, sequence, cursor, rows } = change
    for (const connection of this.#connections) {
      if (connection.session?.identity.id !== to) continue
      this.#say(connection, { type: 'change', stream, after, sequence, cursor: String(cursor), rows })
    }
  }

  #hear(connection: FakeConnection, frame: UpFrame): void {
    const { session } = connection
    if (frame.type === 'hello') {
      this.#greet(connection, frame)
      return
    }
    if (frame.type === 'nonce') {
      this.requests.push('nonce')
      this.#say(connection, { type: 'nonce', nonce: this.newNonce() })
      return
    }
    if (!session) return
    const me = session.identity
    switch (frame.type) {
      case 'operation':
        this.#operate(connection, me, frame)
        return
      case 'pull': {
        const last = frame.streams.at(-1)
        for (const { stream, after } of frame.streams) {
          const found = this.log.rows(me.id, stream, after)
          for (const rows of pieces(frame.id, { stream, after }, found, this.rowsPerFrame, stream === last?.stream)) {
            this.#say(connection, rows)
          }
        }
        return
      }
      case 'page': {
        const found = this.log.page(me.id, frame.conversation, frame.before, frame.limit)
        const page = found ?? { rows: [], sequence: 0, more: false }
        const rows = page.rows as RowsFrame['rows']
        this.#say(connection, {
          type: 'rows',
          id: frame.id,
          stream: frame.conversation,
          after: 0,
          last: true,
          ...page,
          rows,
        })
        return
      }
      case 'typing':
        this.#relayTyping(me, frame.conversation, frame.action)
        return
      case 'renew':
        this.#renew(connection, session, frame.identity_token)
        return
      case 'challenge-me':
        this.#challenge(connection)
        return
      case 'ping':
        this.#say(connection, { type: 'pong', server_time: this.#time(this.#clock.wall()) })
        return
    }
  }

  #greet(connection: FakeConnection, hello: Extract<UpFrame, { type: 'hello' }>): void {
    this.hellos.push({ cursor: hello.cursor })
    const isNew = 'identity_token' in hello
    if (isNew) this.requests.push('hello')
    const session = isNew ? this.#openFor(hello.identity_token) : this.#sessions.get(hello.session_token)
    if (!session) {
      const error = toWireError({ id: 'authentication_required', data: { nonce: this.newNonce() } })
      this.#say(connection, { type: 'goodbye', reason: isNew ? 'refused' : 'authentication_required', error })
      connection.end.close(isNew ? 4403 : 4401)
      return
    }
    connection.session = session
    const { identity } = session
    this.#say(connection, {
      type: 'welcome',
      identity,
      session: {
        id: session.id,
        expires_at: this.#time(session.expiresAt),
        ...(isNew && { token: session.token }),
      },
      epoch: this.log.epoch,
      server_time: this.#time(this.#clock.wall()),
    })
    const after = hello.epoch === this.log.epoch && hello.cursor !== null ? Number(hello.cursor) : -1
    const streams = this.log.heads(identity.id, after)
    this.#say(connection, { type: 'heads', streams, cursor: String(this.log.cursor) })
  }

  #operate(connection: FakeConnection, me: BasicIdentity, frame: OperationFrame): void {
    const { id } = frame
    this.arrivals.push({ userId: me.user_id, id, name: frame.name })
    const isBehind = frame.after !== undefined && connection.putOff.has(frame.after)
    const verdict = isBehind ? ({ refuse: 'service_unavailable' } as const) : this.judge(frame, me.user_id)
    if (verdict === 'silence') return
    if (verdict !== 'carry-out') {
      if (errors[verdict.refuse].retry === 'later') connection.putOff.add(id)
      this.#say(connection, {
        type: 'acknowledgement',
        id,
        refusal: toWireError({ id: verdict.refuse }),
        ...(verdict.retryAfterMs !== undefined && { retry_after_ms: verdict.retryAfterMs }),
      })
      return
    }
    connection.putOff.delete(id)
    const outcome = this.log.operate(me, id, frame.name, frame.input)
    const answer = 'refused' in outcome ? { refusal: toWireError({ id: outcome.refused }) } : outcome
    this.#say(connection, { type: 'acknowledgement', id, ...answer })
  }

  #relayTyping(me: BasicIdentity, conversation: ConversationId, action: 'started' | 'paused' | 'finished'): void {
    const people = this.log.conversations.get(conversation)?.participants
    for (const connection of this.#connections) {
      const id: IdentityId | undefined = connection.session?.identity.id
      if (id === undefined || id === me.id || !people?.has(id)) continue
      this.#say(connection, { type: 'typing', conversation, sender: me, action })
    }
  }

  #challenge(connection: FakeConnection): void {
    const expires_at = this.#time(connection.session!.expiresAt)
    this.#say(connection, { type: 'challenge', nonce: this.newNonce(), expires_at })
  }

  #renew(connection: FakeConnection, session: FakeSession, identityToken: string): void {
    const identity = this.#admit(identityToken)
    if (identity?.id !== session.identity.id) {
      this.#say(connection, { type: 'refusal', error: toWireError({ id: 'authentication_required' }) })
      this.#challenge(connection)
      return
    }
    session.expiresAt = this.#clock.wall() + this.sessionMs
    this.#say(connection, {
      type: 'renewed',
      session: { id: session.id, expires_at: this.#time(session.expiresAt) },
    })
  }

  #time(ms: number): string {
    return new Date(ms).toISOString()
  }
}

/** The answer to one stream of a pull, in frames. */
function pieces(
  id: number,
  { stream, after: from }: { readonly stream: RowsFrame['stream']; readonly after: number },
  found: { readonly rows: readonly { readonly sequence: number }[]; readonly sequence: number } | undefined,
  size: number,
  isLastStream: boolean,
): RowsFrame[] {
  const all = (found?.rows ?? []) as RowsFrame['rows']
  const frames: RowsFrame[] = []
  let after = from
  for (let at = 0; at === 0 || at < all.length; at += size) {
    const rows = all.slice(at, at + size)
    const more = at + size < all.length
    const sequence = more ? rows.at(-1)!.sequence : (found?.sequence ?? 0)
    frames.push({ type: 'rows', id, stream, rows, after, sequence, more, last: isLastStream && !more })
    after = sequence
  }
  return frames
}
