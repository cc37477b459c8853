import {
  closeCodes,
  type DownFrame,
  type GoodbyeFrame,
  type ParsedUpFrame,
  type Refusal,
  toWireError,
} from '@parley/protocol'
import type { Hold, SessionHolder } from '../../authentication/holds.ts'
import type { Change, Listener, Typing } from '../../delivery/change.ts'
import type { Session } from '../../model/state.ts'
import type { Edge } from '../edge.ts'
import type { SharedFrame } from '../sockets/shared-frame.ts'
import type { Socket } from '../sockets/socket.ts'
import type { ListText } from '../sockets/text-frame.ts'
import { arrivalOf, cursorOf } from './arrival.ts'
import { challengeAt } from './challenge-time.ts'
import { framesOf } from './change-frame.ts'
import { type Decoded, decodeFrame, type Frame } from './frames.ts'
import { type Admitted, abandon } from './greeting.ts'
import { sendHeads } from './heads.ts'
import { HeldFrames, MAX_HELD_MS } from './held-frames.ts'
import { Introduction } from './introduction.ts'
import { Operating } from './operating.ts'
import { Reading } from './reading.ts'
import { challengeFrame, renewedFrame, welcomeFrame } from './session-frames.ts'
import { typingText } from './typing-frame.ts'
import { Typist } from './typist.ts'

/** Frames that are no frames; after these the peer is taken to be something else. */
const MAX_BAD_FRAMES = 20
/** Changes held for a peer that is catching up. */
const MAX_HELD_FRAMES = 10_000

type State =
  | { readonly state: 'greeting' }
  /** Changes are held until `heads` are sent: their cursors speak of what was sent before. */
  | { readonly state: 'catching-up'; readonly session: Session; readonly held: SharedFrame[] }
  | { readonly state: 'live'; readonly session: Session }
  | { readonly state: 'closed' }

/**
 * One socket of a Parley client: decodes, hands over, encodes, decides nothing. It owns the socket's place in delivery
 * and in its session, and gives both back when it closes. How it is found out whose it is, is in `introduction.ts`.
 *
 *      ┌─nonce─┐
 *     greeting ──hello──→ catching-up ──heads sent──→ live
 *         └──────────────────┴────────────────────────┴──→ closed
 */
export class NativeConnection implements Listener, SessionHolder {
  readonly #edge: Edge
  readonly #socket: Socket
  #state: State = { state: 'greeting' }
  /** Until what came along with the hello is heard. */
  #introduction: Introduction | undefined
  /** Takes it out of delivery. */
  #leave: () => void = nothing
  #sessionHold: Hold | undefined
  // What many connections never need is made when it is needed: of idle ones there are tens of thousands.
  #madeOperating: Operating | undefined
  #madeReading: Reading | undefined
  #madeTypist: Typist | undefined
  #badFrames = 0
  /** The server is going away; this is when to come back. */
  #drainHint: number | undefined
  /** The end of the session came near before we were in. */
  #isChallengeDue = false
  /** What came while there was no room for it. */
  #held: HeldFrames | undefined

  constructor(edge: Edge, socket: Socket, origin?: string) {
    this.#edge = edge
    this.#socket = socket
    this.#introduction = new Introduction({
      ...{ edge, socket, origin },
      send: (frame) => this.#send(frame),
      refuse: (refusal) => this.#refuseFrame(refusal),
      close: (code, goodbye) => this.#close(code, goodbye),
      enter: (admitted, hello) => this.#enter(admitted, hello),
      receive: (text) => this.receive(text),
    })
  }

  /** A text frame has arrived. */
  receive(text: string): void {
    if (this.#state.state === 'closed') return
    const early = this.#introduction?.keep(text) ?? 'to be heard'
    if (early === 'too much') this.#breach()
    if (early !== 'to be heard') return
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
    if ('refusal' in decoded) this.#refuseFrame(decoded.refusal)
    else if (state.state === 'greeting') this.#introduction?.hear('frame' in decoded ? decoded.frame : undefined)
    else if ('common' in decoded) this.#operating.operateCommon(decoded.common, state.session, this.#drainHint)
    else this.#handle(decoded.frame, state.session)
  }

  /** A frame that is not text has arrived: this peer speaks something else. */
  receiveBinary(): void {
    this.#breach()
  }

  /** The socket is gone, whoever closed it. */
  gone(): void {
    this.#introduction?.end()
    this.#introduction = undefined
    this.#endHold(this.#held)
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
    if (this.#drainHint === undefined || this.#introduction?.isSigningIn || this.#madeOperating?.isIdle === false)
      return
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
    this.#send(renewedFrame(session))
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

  async #enter(admitted: Admitted, hello: Frame<'hello'>): Promise<void> {
    const { delivery, sessions, store, clock } = this.#edge
    const { session } = admitted
    const held: SharedFrame[] = []
    this.#state = { state: 'catching-up', session, held }
    // First listen, then read: what is committed meanwhile is held, so nothing falls between.
    this.#leave = delivery.listen(session.app, session.userId, this)
    this.#sessionHold = sessions.hold(session, this)
    const { profile, moved } = await arrivalOf(this.#edge, session, cursorOf(hello, store.epoch))
    const { epoch } = store
    if (!this.#send(welcomeFrame(admitted, { profile, epoch, nowMs: clock.now() }))) {
      abandon(this.#edge, admitted)
      return
    }
    if (this.#introduction) this.#introduction.isSigningIn = false
    this.#leaveIfIdle()
    await sendHeads(moved, this.#socket, (frame) => this.#send(frame))
    if (this.#state.state !== 'catching-up') return
    this.#state = { state: 'live', session: this.#state.session }
    for (const frame of held) this.#socket.sendFrame(frame)
    if (this.#isChallengeDue) this.#challenge(this.#state.session)
    const introduction = this.#introduction
    this.#introduction = undefined
    introduction?.hearEarly()
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
        this.#typist.tell(frame, session)
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

  #challenge(session: Session): void {
    this.#send(challengeFrame(session, this.#edge.sessions.nonce(null)))
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

  get #typist(): Typist {
    this.#madeTypist ??= new Typist(this.#edge)
    return this.#madeTypist
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
