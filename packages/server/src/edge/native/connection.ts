import {
  closeCodes,
  conversationId,
  type DownFrame,
  type GoodbyeFrame,
  HELLO_TIMEOUT_MS,
  isTemporary,
  limits,
  type ParsedUpFrame,
  type Refusal,
  toWireError,
  upFrame,
} from '@parley/protocol'
import type { Change, Listener, Typing } from '../../delivery/change.ts'
import type { Session } from '../../model/state.ts'
import type { Outcome } from '../../operations/lane.ts'
import { operations } from '../../operations/table.ts'
import type { Edge } from '../edge.ts'
import { decodeJson, parseInput } from '../json-input.ts'
import type { Socket } from '../sockets/socket.ts'
import { textFrame } from '../sockets/text-frame.ts'
import { challengeAt } from './challenge-time.ts'
import { basicIdentity, changeFrame } from './encode.ts'
import { answerPage, answerPull } from './pulls.ts'

/** Frames that are no frames; after these the peer is taken to be something else. */
const MAX_BAD_FRAMES = 20
/** Pulls and pages waiting for their answer. */
const MAX_READS = 16
/** Streams named in one `heads` frame. */
const HEADS_PER_FRAME = 500
/** Bytes a peer may have unsent before the next page of a pull is read for it. */
const PULL_AHEAD_BYTES = 262_144
/** Operations remembered as put off, so that nothing overtakes them. */
const MAX_PUT_OFF = 1_024
/** Frames that arrive together with the hello, before it was looked at. */
const MAX_EARLY_FRAMES = 1_024

type Frame<Type extends ParsedUpFrame['type']> = Extract<ParsedUpFrame, { type: Type }>

type State =
  | { readonly state: 'greeting'; readonly cancelTimeout: () => void }
  /** Changes are held until `heads` are sent: their cursors speak of what was sent before. */
  | { readonly state: 'catching-up'; readonly session: Session; readonly held: Buffer[] }
  | { readonly state: 'live'; readonly session: Session }
  | { readonly state: 'closed' }

/**
 * One socket of a Parley client: decodes, hands over, encodes, decides nothing. It owns the socket's place in delivery
 * and in its session, and gives both back when it closes.
 *
 *     greeting ──hello──→ catching-up ──heads sent──→ live
 *         └──────────────────┴────────────────────────┴──→ closed
 */
export class NativeConnection implements Listener {
  readonly #edge: Edge
  readonly #socket: Socket
  #state: State
  #release: (() => void)[] = []
  #badFrames = 0
  #operationsInFlight = 0
  #reads: Promise<void> = Promise.resolve()
  #readsWaiting = 0
  readonly #putOff = new Set<string>()
  /** The server is going away; this is when to come back. */
  #drainHint: number | undefined
  #cancelChallenge: () => void = () => undefined
  /** What came along with the hello: heard once we are in. Undefined before and after. */
  #early: string[] | undefined

  constructor(edge: Edge, socket: Socket) {
    this.#edge = edge
    this.#socket = socket
    const cancelTimeout = edge.clock.after(HELLO_TIMEOUT_MS, () =>
      this.#close(closeCodes.timeout, { type: 'goodbye', reason: 'protocol_error' }),
    )
    this.#state = { state: 'greeting', cancelTimeout }
  }

  /** A text frame has arrived. */
  receive(text: string): void {
    if (this.#state.state === 'closed') return
    if (this.#early) {
      if (this.#early.push(text) > MAX_EARLY_FRAMES) this.#breach()
      return
    }
    const decoded = decodeJson(text)
    const parsed = 'refusal' in decoded ? decoded : parseInput(upFrame, decoded.value)
    if ('refusal' in parsed) {
      this.#refuseFrame(parsed.refusal)
      return
    }
    const frame = parsed.input
    if (frame.type === 'hello') {
      if (this.#state.state === 'greeting') void this.#greet(frame, this.#state.cancelTimeout)
      else this.#refuseFrame({ id: 'invalid_request', message: 'Hello was said before.' })
      return
    }
    if (this.#state.state === 'greeting') {
      this.#refuseFrame({ id: 'authentication_required', message: 'Say hello first.' })
      return
    }
    this.#handle(frame, this.#state.session)
  }

  /** A frame that is not text has arrived: this peer speaks something else. */
  receiveBinary(): void {
    this.#breach()
  }

  /** The socket is gone, whoever closed it. */
  gone(): void {
    this.#early = undefined
    if (this.#state.state === 'greeting') this.#state.cancelTimeout()
    this.#state = { state: 'closed' }
    this.#cancelChallenge()
    for (const release of this.#release.splice(0)) release()
  }

  /** The peer reads too slowly. */
  tooSlow(): void {
    this.#close(closeCodes.tooSlow)
  }

  /** The server is going away; come back after a while. */
  drain(retryAfterMs: number): void {
    this.#drainHint = retryAfterMs
    this.#leaveIfIdle()
  }

  /** What was taken on is answered first; nothing more is taken on. */
  #leaveIfIdle(): void {
    if (this.#drainHint === undefined || this.#operationsInFlight > 0) return
    this.#close(closeCodes.goingAway, { type: 'goodbye', reason: 'going_away', retry_after_ms: this.#drainHint })
  }

  change(change: Change): void {
    const frame = framed(change)
    if (this.#state.state === 'live') this.#socket.sendFrame(frame)
    else if (this.#state.state === 'catching-up') this.#hold(this.#state.held, frame)
  }

  typing(typing: Typing): void {
    if (this.#state.state !== 'live') return
    const { session } = this.#state
    void this.#edge.store.lists.profile(session.app, typing.sender).then(
      (profile) => {
        if (!profile) return
        const conversation = conversationId(typing.conversation)
        this.#send({ type: 'typing', conversation, sender: basicIdentity(profile), action: typing.action })
      },
      () => undefined,
    )
  }

  async #greet(hello: Frame<'hello'>, cancelTimeout: () => void): Promise<void> {
    // Frames that follow wait in the socket until we are in, those that came along with the hello wait here.
    this.#socket.pause()
    this.#early = []
    cancelTimeout()
    try {
      const session = await this.#edge.sessions.find(hello.session_token)
      if (this.#state.state !== 'greeting') return
      if (!session) {
        const error = toWireError({
          id: 'authentication_required',
          data: { nonce: this.#edge.sessions.nonce(null) },
        })
        this.#close(closeCodes.sessionEnded, { type: 'goodbye', reason: 'authentication_required', error })
        return
      }
      await this.#enter(session, hello)
    } catch (error) {
      this.#edge.log('a connection could not be set up', { error: String(error) })
      this.#close(closeCodes.goingAway, { type: 'goodbye', reason: 'going_away', retry_after_ms: 1_000 })
    } finally {
      this.#socket.resume()
    }
  }

  async #enter(session: Session, hello: Frame<'hello'>): Promise<void> {
    const { delivery, sessions, store, clock } = this.#edge
    const held: Buffer[] = []
    this.#state = { state: 'catching-up', session, held }
    // First listen, then read: what is committed meanwhile is held, so nothing falls between.
    this.#release.push(delivery.listen(session.app, session.userId, this))
    this.#release.push(
      sessions.hold(session, {
        ended: () => this.#close(closeCodes.sessionEnded, { type: 'goodbye', reason: 'session_ended' }),
        renewed: (renewed) => this.#renewed(renewed),
      }),
    )
    const profile = await store.lists.profile(session.app, session.userId)
    if (!profile) throw new Error('A session without its identity.')
    this.#send({
      type: 'welcome',
      identity: basicIdentity(profile),
      session: { id: session.id, expires_at: new Date(session.expiresAt).toISOString() },
      epoch: store.epoch,
      server_time: new Date(clock.now()).toISOString(),
    })
    const after = hello.epoch === store.epoch ? readCursor(hello.cursor) : 0
    await this.#sendHeads(session, after)
    if (this.#state.state !== 'catching-up') return
    this.#state = { state: 'live', session: this.#state.session }
    for (const frame of held) this.#socket.sendFrame(frame)
    // It may have been renewed meanwhile, on another connection.
    this.#scheduleChallenge(this.#state.session)
    const early = this.#early ?? []
    this.#early = undefined
    for (const text of early) this.receive(text)
  }

  async #sendHeads(session: Session, after: number): Promise<void> {
    const { delivery } = this.#edge
    const since = await delivery.moved(session.app, session.userId, after)
    // A cursor from beyond the end of the log is none of ours, whatever its epoch: the store may be a restored backup.
    const moved = since.cursor < after ? await delivery.moved(session.app, session.userId, 0) : since
    const streams = [
      ...(moved.isInboxMoved ? [{ stream: 'inbox' as const, sequence: moved.inbox }] : []),
      ...moved.conversations.map(({ id, sequence }) => ({ stream: conversationId(id), sequence })),
    ]
    for (let i = 0; i === 0 || i < streams.length; i += HEADS_PER_FRAME) {
      const isLast = i + HEADS_PER_FRAME >= streams.length
      this.#send({
        type: 'heads',
        streams: streams.slice(i, i + HEADS_PER_FRAME),
        cursor: isLast ? String(moved.cursor) : null,
      })
      await this.#socket.drained(PULL_AHEAD_BYTES)
    }
  }

  #handle(frame: Exclude<ParsedUpFrame, Frame<'hello'>>, session: Session): void {
    switch (frame.type) {
      case 'operation':
        this.#operate(frame, session)
        return
      case 'pull':
      case 'page':
        this.#read(frame, session)
        return
      case 'typing':
        void this.#edge.delivery
          .type(session.app, {
            conversation: frame.conversation,
            sender: session.userId,
            action: frame.action,
          })
          .catch(() => undefined)
        return
      case 'renew':
        void this.#renew(frame, session)
        return
      case 'challenge-me':
        this.#challenge(session)
        return
      case 'ping':
        this.#send({ type: 'pong', server_time: new Date(this.#edge.clock.now()).toISOString() })
        return
    }
  }

  #operate(frame: Frame<'operation'>, session: Session): void {
    if (!Object.hasOwn(operations, frame.name)) {
      this.#refuseOperation(frame, {
        id: 'invalid_operation',
        message: `There is no operation '${frame.name}'.`,
      })
      return
    }
    if (this.#drainHint !== undefined) {
      this.#refuseOperation(frame, { id: 'service_unavailable', retryAfterMs: this.#drainHint })
      return
    }
    // Asked again, it is no longer put off: what follows may follow.
    this.#putOff.delete(frame.id)
    const isHeldBack = () => {
      const isHeld = frame.after !== undefined && this.#putOff.has(frame.after)
      // Noted at once: what follows it may be looked at in the same batch, before this is answered.
      if (isHeld) this.#notePutOff(frame.id)
      return isHeld
    }
    if (isHeldBack()) {
      this.#refuseOperation(frame, { id: 'service_unavailable', retryAfterMs: 100 })
      return
    }
    if (this.#operationsInFlight >= limits.maxOperationsInFlight) {
      this.#refuseOperation(frame, { id: 'rate_limit_exceeded', retryAfterMs: 100 })
      return
    }
    const { schema, operation } = operations[frame.name as keyof typeof operations]
    const parsed = parseInput(schema, frame.input)
    if ('refusal' in parsed) {
      this.#refuseOperation(frame, parsed.refusal)
      return
    }
    const { input } = parsed
    if (
      (frame.name === 'send-message' || frame.name === 'create-conversation') &&
      'id' in input &&
      input.id !== frame.id
    ) {
      this.#refuseOperation(frame, {
        id: 'invalid_request',
        message: 'The id of the frame and of what it creates are the same.',
      })
      return
    }
    this.#operationsInFlight++
    void this.#edge.lane
      .submit({
        operation: operation as never,
        input: input as never,
        app: session.app,
        userId: session.userId,
        operationId: frame.id,
        isHeldBack,
      })
      .then((outcome) => {
        this.#operationsInFlight--
        this.#acknowledge(frame, outcome)
        this.#leaveIfIdle()
      })
  }

  #acknowledge(frame: Frame<'operation'>, outcome: Outcome): void {
    if ('refusal' in outcome) {
      this.#refuseOperation(frame, outcome.refusal)
      return
    }
    const stream = outcome.stream === 'inbox' ? 'inbox' : conversationId(outcome.stream)
    this.#send({
      type: 'acknowledgement',
      id: frame.id,
      result: outcome.result as Readonly<Record<string, unknown>>,
      stream,
      sequence: outcome.sequence,
    })
  }

  #refuseOperation(frame: Frame<'operation'>, refusal: Refusal): void {
    if (isTemporary(refusal.id)) this.#notePutOff(frame.id)
    this.#send({
      type: 'acknowledgement',
      id: frame.id,
      refusal: toWireError(refusal),
      ...(refusal.retryAfterMs !== undefined && { retry_after_ms: refusal.retryAfterMs }),
    })
  }

  #notePutOff(id: string): void {
    this.#putOff.add(id)
    if (this.#putOff.size > MAX_PUT_OFF) this.#putOff.delete(this.#putOff.values().next().value as string)
  }

  /** Reads are answered one after the other, at the pace the peer takes them. */
  #read(frame: Frame<'pull'> | Frame<'page'>, session: Session): void {
    if (this.#readsWaiting >= MAX_READS) {
      this.#send({ type: 'refusal', id: frame.id, error: toWireError({ id: 'rate_limit_exceeded' }) })
      return
    }
    this.#readsWaiting++
    this.#reads = this.#reads.then(async () => {
      try {
        await this.#answerRead(frame, session)
      } catch (error) {
        this.#edge.log('a read could not be answered', { error: String(error) })
        this.#send({ type: 'refusal', id: frame.id, error: toWireError({ id: 'service_unavailable' }) })
      } finally {
        this.#readsWaiting--
      }
    })
  }

  async #answerRead(frame: Frame<'pull'> | Frame<'page'>, session: Session): Promise<void> {
    const { streams } = this.#edge.store
    if (frame.type === 'page') {
      this.#send(await answerPage(streams, session, frame))
      return
    }
    for await (const rows of answerPull(streams, session, frame)) {
      if (this.#state.state === 'closed') return
      this.#send(rows)
      await this.#socket.drained(PULL_AHEAD_BYTES)
    }
  }

  async #renew(frame: Frame<'renew'>, session: Session): Promise<void> {
    const outcome = await this.#edge.sessions.renew(session, frame.identity_token).catch((error) => {
      this.#edge.log('a session could not be renewed', { error: String(error) })
      return { refusal: { id: 'service_unavailable' } as Refusal }
    })
    if ('refusal' in outcome) {
      this.#send({ type: 'refusal', error: toWireError(outcome.refusal) })
      this.#challenge(session)
    }
  }

  #renewed(session: Session): void {
    if (this.#state.state !== 'live' && this.#state.state !== 'catching-up') return
    this.#state = { ...this.#state, session }
    this.#send({
      type: 'renewed',
      session: { id: session.id, expires_at: new Date(session.expiresAt).toISOString() },
    })
    this.#scheduleChallenge(session)
  }

  #scheduleChallenge(session: Session): void {
    const { clock } = this.#edge
    this.#cancelChallenge()
    const now = clock.now()
    this.#cancelChallenge = clock.after(challengeAt(session, now) - now, () => this.#challenge(session))
  }

  /** Offers a nonce. The client keeps asking its app until a token comes or the session ends. */
  #challenge(session: Session): void {
    this.#send({
      type: 'challenge',
      nonce: this.#edge.sessions.nonce(null),
      expires_at: new Date(session.expiresAt).toISOString(),
    })
  }

  #refuseFrame(refusal: Refusal): void {
    this.#send({ type: 'refusal', error: toWireError(refusal) })
    this.#badFrames++
    if (this.#badFrames >= MAX_BAD_FRAMES) this.#breach()
  }

  #breach(): void {
    this.#close(closeCodes.protocolError, { type: 'goodbye', reason: 'protocol_error' })
  }

  #hold(held: Buffer[], frame: Buffer): void {
    held.push(frame)
    if (held.length > 10_000) this.tooSlow()
  }

  #send(frame: DownFrame): void {
    if (this.#state.state !== 'closed') this.#socket.sendText(JSON.stringify(frame))
  }

  #close(code: number, goodbye?: GoodbyeFrame): void {
    if (this.#state.state === 'closed') return
    if (goodbye) this.#send(goodbye)
    this.#socket.close(code)
    this.gone()
  }
}

/** Whatever cannot be a cursor of ours is taken for none: the device hears of everything, and has a good one again. */
const readCursor = (text: string | null): number => (text !== null && /^\d{1,15}$/.test(text) ? Number(text) : 0)

/** The frame of a change, encoded and framed once for all its listeners. */
function framed(change: Change): Buffer {
  const known = frames.get(change)
  if (known) return known
  const frame = textFrame(JSON.stringify(changeFrame(change)))
  frames.set(change, frame)
  return frame
}

const frames = new WeakMap<Change, Buffer>()
