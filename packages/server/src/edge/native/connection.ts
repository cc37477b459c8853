import {
  closeCodes,
  type DownFrame,
  type GoodbyeFrame,
  HELLO_TIMEOUT_MS,
  type ParsedUpFrame,
  type Refusal,
  toWireError,
} from '@parley/protocol'
import type { Hold, SessionHolder } from '../../authentication/holds.ts'
import type { Change, Listener, Typing } from '../../delivery/change.ts'
import type { Session } from '../../model/state.ts'
import { type Allowance, typingAllowance } from '../allowance.ts'
import type { Edge } from '../edge.ts'
import { giveNonce } from '../sign-in.ts'
import type { SharedFrame } from '../sockets/shared-frame.ts'
import type { Socket } from '../sockets/socket.ts'
import type { ListText } from '../sockets/text-frame.ts'
import { arrivalOf } from './arrival.ts'
import { challengeAt } from './challenge-time.ts'
import { framesOf } from './change-frame.ts'
import { basicIdentity } from './encode.ts'
import { type Decoded, decodeFrame, type Frame } from './frames.ts'
import { type Admitted, farewell, greet, refusalOfOutage } from './greeting.ts'
import { sendHeads } from './heads.ts'
import { HeldFrames, MAX_HELD_MS } from './held-frames.ts'
import { Operating } from './operating.ts'
import { Reading } from './reading.ts'
import { typingText } from './typing-frame.ts'

/** Frames that are no frames; after these the peer is taken to be something else. */
const MAX_BAD_FRAMES = 20
/** Frames that arrive together with the hello, before it was looked at. */
const MAX_EARLY_FRAMES = 1_024
/** Changes held for a peer that is catching up. */
const MAX_HELD_FRAMES = 10_000

type State =
  /** `hasNonce`: one was asked for, which is all there are on a socket. */
  | { readonly state: 'greeting'; readonly cancelTimeout: () => void; readonly hasNonce: boolean }
  /** Changes are held until `heads` are sent: their cursors speak of what was sent before. */
  | { readonly state: 'catching-up'; readonly session: Session; readonly held: SharedFrame[] }
  | { readonly state: 'live'; readonly session: Session }
  | { readonly state: 'closed' }

/**
 * One socket of a Parley client: decodes, hands over, encodes, decides nothing. It owns the socket's place in delivery
 * and in its session, and gives both back when it closes.
 *
 *      ┌─nonce─┐
 *     greeting ──hello──→ catching-up ──heads sent──→ live
 *         └──────────────────┴────────────────────────┴──→ closed
 */
export class NativeConnection implements Listener, SessionHolder {
  readonly #edge: Edge
  readonly #socket: Socket
  /** Where the page comes from that opened the socket; undefined for programs. */
  readonly #origin: string | undefined
  #state: State
  /** Takes it out of delivery. */
  #leave: () => void = nothing
  #sessionHold: Hold | undefined
  // What many connections never need is made when it is needed: of idle ones there are tens of thousands.
  #madeOperating: Operating | undefined
  #madeReading: Reading | undefined
  #madeTyping: Allowance | undefined
  #badFrames = 0
  /** The server is going away; this is when to come back. */
  #drainHint: number | undefined
  /** A session is being opened for the hello, and a nonce spent: until the welcome is said, nobody is sent away. */
  #isSigningIn = false
  /** The end of the session came near before we were in. */
  #isChallengeDue = false
  /** What came along with the hello, or with what asks for a nonce: heard once that is seen to. Undefined before and after. */
  #early: string[] | undefined
  /** What came while there was no room for it. */
  #held: HeldFrames | undefined

  constructor(edge: Edge, socket: Socket, origin?: string) {
    this.#edge = edge
    this.#origin = origin
    this.#socket = socket
    this.#state = { state: 'greeting', cancelTimeout: this.#startTimeout(), hasNonce: false }
  }

  /** Nobody stays for long who has not said who they are. */
  #startTimeout(): () => void {
    return this.#edge.clock.after(HELLO_TIMEOUT_MS, () =>
      this.#close(closeCodes.timeout, { type: 'goodbye', reason: 'protocol_error' }),
    )
  }

  /** A text frame has arrived. */
  receive(text: string): void {
    if (this.#state.state === 'closed') return
    if (this.#early) {
      if (this.#early.push(text) > MAX_EARLY_FRAMES) this.#breach()
      return
    }
    if (this.#held) this.#held.add(text)
    else if (!this.#take(text, !this.#edge.heldRoom.isFull)) this.#holdBack(text)
  }

  /** Answers whether this frame was seen to; if not, it has to wait. */
  #take(text: string, mayBeHeld: boolean): boolean {
    const passage = this.#state.state === 'greeting' ? 'heard' : this.#operating.passage(text, mayBeHeld)
    if (passage === 'heard') this.#receive(decodeFrame(text))
    return passage !== 'held'
  }

  /** Nothing more is read until there is room for this frame, or it has waited long enough. */
  #holdBack(text: string): void {
    const { heldRoom, tally, clock } = this.#edge
    const cancelTimeout = clock.after(MAX_HELD_MS, () => this.#goOn(false))
    this.#socket.pause()
    tally.heldConnections++
    this.#held = new HeldFrames(heldRoom, () => {
      cancelTimeout()
      tally.heldConnections--
      this.#socket.resume()
    })
    this.#held.add(text)
  }

  #goOn(mayBeHeld: boolean): void {
    const held = this.#held
    held?.goOn((text) => this.#take(text, mayBeHeld))
    if (held?.isEmpty) this.#endHold(held)
  }

  #endHold(held: HeldFrames | undefined): void {
    if (this.#held !== held) return
    this.#held = undefined
    held?.end()
  }

  #receive(decoded: Decoded): void {
    const state = this.#state
    if (state.state === 'closed') return
    if ('refusal' in decoded) {
      this.#refuseFrame(decoded.refusal)
      return
    }
    if (state.state === 'greeting') {
      const frame = 'frame' in decoded ? decoded.frame : undefined
      if (frame?.type === 'hello') void this.#greet(frame, state.cancelTimeout)
      else if (frame?.type === 'nonce') void this.#giveNonce(frame, state)
      else this.#refuseFrame({ id: 'authentication_required', message: 'Say hello first.' })
    } else if ('common' in decoded) this.#operating.operateCommon(decoded.common, state.session, this.#drainHint)
    else this.#handle(decoded.frame, state.session)
  }

  /** A frame that is not text has arrived: this peer speaks something else. */
  receiveBinary(): void {
    this.#breach()
  }

  /** The socket is gone, whoever closed it. */
  gone(): void {
    this.#early = undefined
    this.#endHold(this.#held)
    if (this.#state.state === 'greeting') this.#state.cancelTimeout()
    this.#state = { state: 'closed' }
    this.#leave()
    this.#leave = nothing
    this.#sessionHold?.release()
    this.#sessionHold = undefined
  }

  /** The peer reads too slowly. */
  tooSlow(): void {
    this.#close(closeCodes.tooSlow)
  }

  /** Others serve on: it is time to go there once this has passed. */
  move(afterMs: number): void {
    if (this.#state.state === 'live' || this.#state.state === 'catching-up') {
      this.#send({ type: 'move', after_ms: afterMs })
    }
  }

  /** The server is going away; come back after a while. */
  drain(retryAfterMs: number): void {
    this.#drainHint = retryAfterMs
    this.#leaveIfIdle()
  }

  /** What was taken on is answered first; nothing more is taken on. */
  #answered(): void {
    this.#leaveIfIdle()
    if (this.#held) this.#goOn(true)
  }

  #leaveIfIdle(): void {
    if (this.#drainHint === undefined || this.#isSigningIn || this.#madeOperating?.isIdle === false) return
    this.#close(closeCodes.goingAway, { type: 'goodbye', reason: 'going_away', retry_after_ms: this.#drainHint })
  }

  /** The session is over. */
  ended(): void {
    this.#close(closeCodes.sessionEnded, { type: 'goodbye', reason: 'session_ended' })
  }

  /** The session goes on, renewed on this connection or on another one. */
  renewed(session: Session): void {
    if (this.#state.state !== 'live' && this.#state.state !== 'catching-up') return
    this.#state = { ...this.#state, session }
    this.#isChallengeDue = false
    this.#send({
      type: 'renewed',
      session: { id: session.id, expires_at: new Date(session.expiresAt).toISOString() },
    })
  }

  warnAt(session: Session, nowMs: number): number {
    return challengeAt(session, nowMs)
  }

  /** The end of the session is near. */
  ending(): void {
    if (this.#state.state === 'live') this.#challenge(this.#state.session)
    else this.#isChallengeDue = true
  }

  change(change: Change): void {
    const { state } = this.#state
    if (state !== 'live' && state !== 'catching-up') return
    for (const frame of framesOf(change)) {
      if (this.#state.state === 'live') this.#socket.sendFrame(frame)
      else if (this.#state.state === 'catching-up') this.#keep(this.#state.held, frame)
    }
  }

  typing(typing: Typing): void {
    if (this.#state.state !== 'live') return
    typingText(this.#edge.store, this.#state.session.app, typing).then(
      (text) => {
        if (text !== undefined) this.#sendText(text)
      },
      () => undefined,
    )
  }

  async #giveNonce({ app_id }: Frame<'nonce'>, state: Extract<State, { state: 'greeting' }>): Promise<void> {
    if (state.hasNonce) {
      this.#refuseFrame({ id: 'invalid_request', message: 'A nonce was asked for before.' })
      return
    }
    this.#state = { ...state, hasNonce: true }
    this.#holdEarly()
    try {
      const given = await giveNonce(this.#edge, app_id).catch(refusalOfOutage)
      if (this.#state.state !== 'greeting') return
      if ('refusal' in given) {
        const { code, goodbye } = farewell(given.refusal)
        this.#close(code, goodbye)
        return
      }
      this.#send({ type: 'nonce', nonce: given.nonce })
      this.#state.cancelTimeout()
      this.#state = { state: 'greeting', cancelTimeout: this.#startTimeout(), hasNonce: true }
      this.#hearEarly()
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#socket.resume()
    }
  }

  async #greet(hello: Frame<'hello'>, cancelTimeout: () => void): Promise<void> {
    this.#holdEarly()
    cancelTimeout()
    const leave = await this.#edge.greetings.enter()
    try {
      if (this.#state.state !== 'greeting') return
      this.#isSigningIn = hello.identity_token !== undefined
      const admitted = await greet(this.#edge, hello, this.#origin)
      if ('goodbye' in admitted) this.#close(admitted.code, admitted.goodbye)
      else if (this.#state.state === 'greeting') await this.#enter(admitted, hello)
      else this.#abandon(admitted)
    } catch (error) {
      this.#failed(error)
    } finally {
      leave()
      this.#socket.resume()
    }
  }

  /** What follows waits in the socket, and what came along already waits here, until somebody says what is to become of it. */
  #holdEarly(): void {
    this.#socket.pause()
    this.#early = []
  }

  #hearEarly(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const text of early) this.receive(text)
  }

  #failed(error: unknown): void {
    this.#edge.log('a connection could not be set up', { error: String(error) })
    this.#close(closeCodes.goingAway, { type: 'goodbye', reason: 'going_away', retry_after_ms: 1_000 })
  }

  /** Who had a session opened went before they heard its token: nobody ever will, and it is ended. */
  #abandon({ session, token }: Admitted): void {
    if (token === undefined) return
    this.#edge.sessions.end(session).catch((error) => {
      this.#edge.log('a session of nobody could not be ended', { error: String(error) })
    })
  }

  async #enter(admitted: Admitted, hello: Frame<'hello'>): Promise<void> {
    const { delivery, sessions, store, clock } = this.#edge
    const { session, token } = admitted
    const held: SharedFrame[] = []
    this.#state = { state: 'catching-up', session, held }
    // First listen, then read: what is committed meanwhile is held, so nothing falls between.
    this.#leave = delivery.listen(session.app, session.userId, this)
    this.#sessionHold = sessions.hold(session, this)
    const after = hello.epoch === store.epoch ? readCursor(hello.cursor) : 0
    const { profile, moved } = await arrivalOf(this.#edge, session, after)
    const isTold = this.#send({
      type: 'welcome',
      identity: basicIdentity(profile),
      session: {
        id: session.id,
        expires_at: new Date(session.expiresAt).toISOString(),
        ...(token !== undefined && { token }),
      },
      epoch: store.epoch,
      server_time: new Date(clock.now()).toISOString(),
    })
    if (!isTold) {
      this.#abandon(admitted)
      return
    }
    this.#isSigningIn = false
    this.#leaveIfIdle()
    await sendHeads(moved, this.#socket, (frame) => this.#send(frame))
    if (this.#state.state !== 'catching-up') return
    this.#state = { state: 'live', session: this.#state.session }
    for (const frame of held) this.#socket.sendFrame(frame)
    if (this.#isChallengeDue) this.#challenge(this.#state.session)
    this.#hearEarly()
  }

  #handle(frame: ParsedUpFrame, session: Session): void {
    switch (frame.type) {
      case 'hello':
      case 'nonce':
        this.#refuseFrame({ id: 'invalid_request', message: 'Hello was said before.' })
        return
      case 'operation':
        this.#operating.operate(frame, session, this.#drainHint)
        return
      case 'pull':
      case 'page':
        this.#reading.read(frame, session)
        return
      case 'typing':
        // The first thing to be left out.
        if (this.#edge.lane.isPressed) return
        if (!this.#typing.take()) {
          this.#edge.tally.rateLimited.add('typing')
          return
        }
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

  /** Offers a nonce. The client keeps asking its app until a token comes or the session ends. */
  #challenge(session: Session): void {
    this.#send({
      type: 'challenge',
      nonce: this.#edge.sessions.nonce(null),
      expires_at: new Date(session.expiresAt).toISOString(),
    })
  }

  get #operating(): Operating {
    this.#madeOperating ??= new Operating(
      this.#edge.lane,
      this.#edge.tally,
      (text) => this.#sendText(text),
      () => this.#answered(),
    )
    return this.#madeOperating
  }

  get #reading(): Reading {
    this.#madeReading ??= new Reading(this.#edge, this.#socket, (text) => this.#sendWritten(text))
    return this.#madeReading
  }

  get #typing(): Allowance {
    this.#madeTyping ??= typingAllowance(this.#edge.clock)
    return this.#madeTyping
  }

  #refuseFrame(refusal: Refusal): void {
    this.#send({ type: 'refusal', error: toWireError(refusal) })
    this.#badFrames++
    if (this.#badFrames >= MAX_BAD_FRAMES) this.#breach()
  }

  #breach(): void {
    this.#close(closeCodes.protocolError, { type: 'goodbye', reason: 'protocol_error' })
  }

  #keep(held: SharedFrame[], frame: SharedFrame): void {
    held.push(frame)
    if (held.length > MAX_HELD_FRAMES) this.tooSlow()
  }

  /** @returns whether the connection is open */
  #send(frame: DownFrame): boolean {
    return this.#sendText(JSON.stringify(frame))
  }

  #sendText(text: string): boolean {
    const isOpen = this.#state.state !== 'closed'
    if (isOpen) this.#socket.sendText(text)
    return isOpen
  }

  #sendWritten(text: string | ListText): boolean {
    if (typeof text === 'string') return this.#sendText(text)
    const isOpen = this.#state.state !== 'closed'
    if (isOpen) this.#socket.sendList(text)
    return isOpen
  }

  #close(code: number, goodbye?: GoodbyeFrame): void {
    if (this.#state.state === 'closed') return
    if (goodbye) this.#send(goodbye)
    this.#socket.close(code)
    this.gone()
  }
}

const nothing = () => undefined

/** Whatever cannot be a cursor of ours is taken for none: the device hears of everything, and has a good one again. */
const readCursor = (text: string | null): number => (text !== null && /^\d{1,15}$/.test(text) ? Number(text) : 0)
