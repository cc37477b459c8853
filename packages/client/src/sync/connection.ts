/**
 * Runs the connection machine: it owns one socket and one timer, turns what happens to them into events, and carries
 * out the effects. What frames mean is for the engine.
 */
import type { DownFrame, HelloFrame, UpFrame } from '@parley/protocol'
import type { Chance, Clock } from '../environment.ts'
import type { OnlinePart } from '../online-part.ts'
import type { Socket, SocketAddress } from '../transport/socket.ts'
import {
  type ConnectionEvent,
  type ConnectionState,
  type Effect,
  stopped,
  timing,
  transition,
} from './connection-state.ts'

export interface ConnectionPorts {
  readonly address: SocketAddress
  /** One on which hello was said already, whose answer is still to be heard; undefined if there is none. */
  readonly greeted: () => Socket | undefined
  /** Reads what a socket brings: without it none is opened. */
  readonly online: OnlinePart
  readonly clock: Clock
  readonly chance: Chance
  readonly hello: () => HelloFrame
  readonly onState: (state: ConnectionState, before: ConnectionState) => void
  /** Every frame after the welcome, the welcome first. */
  readonly onFrame: (frame: DownFrame) => void
  /** Calls back when everything under way was answered, and has nothing new go out until then. */
  readonly onLeaving: (go: () => void) => void
  /** A socket could not even be made: no address, no WebSocket. */
  readonly onSocketError: (error: unknown) => void
}

/** Frames that overtook the welcome on a disturbed line wait for it; more than this and the line is hopeless. */
const MAX_EARLY_FRAMES = 64

export class Connection {
  readonly #ports: ConnectionPorts
  #state: ConnectionState = stopped
  #told: ConnectionState = stopped
  #socket: Socket | undefined
  /** Hello was said on it by somebody else. */
  #isGreeted = false
  /** Fetching what it takes to open one. */
  #attempt = new AbortController()
  #early: DownFrame[] = []
  #cancelMove: (() => void) | undefined
  #timer: { readonly at: number; readonly cancel: () => void } | undefined

  constructor(ports: ConnectionPorts) {
    this.#ports = ports
  }

  /** As it was last told: the same object until it is another state, whatever is heard meanwhile. */
  get state(): ConnectionState {
    return this.#told
  }

  get isLive(): boolean {
    return this.#state.state === 'live' || this.#state.state === 'probing'
  }

  dispatch(event: ConnectionEvent): void {
    const { clock, chance } = this.#ports
    const before = this.#state
    const { next, effects } = transition(before, event, { now: clock.now(), chance: chance.number() })
    this.#state = next
    for (const effect of effects) this.#perform(effect)
    this.#setTimer()
    // An effect may have led on already; then that step has told it.
    if (before.state === next.state || this.#state !== next) return
    // A connection that takes another's place is no news unless it fails.
    if (!('isMove' in next && next.isMove)) this.#told = next
    this.#ports.onState(next, before)
  }

  /** Answers false when there is nobody to say it to. */
  send(frame: UpFrame): boolean {
    if (!this.isLive || !this.#socket) return false
    this.#socket.send(JSON.stringify(frame))
    return true
  }

  #perform(effect: Effect): void {
    switch (effect) {
      case 'open':
        this.#open()
        break
      case 'hello':
        if (!this.#isGreeted) this.#socket?.send(JSON.stringify(this.#ports.hello()))
        break
      case 'ping':
        this.#socket?.send('{"type":"ping"}')
        break
      case 'close':
        this.#close()
        break
    }
  }

  /** Opens a socket, once what reads it is here; not to have that is like not reaching the server. */
  #open(): void {
    const { online } = this.#ports
    if (online.present) {
      this.#openSocket()
      return
    }
    this.#attempt = new AbortController()
    const { signal } = this.#attempt
    online.get(signal).then(
      () => {
        if (!signal.aborted) this.#openSocket()
      },
      (error) => {
        if (!signal.aborted) this.#cannotOpen(error)
      },
    )
  }

  #cannotOpen(error: unknown): void {
    this.#ports.onSocketError(error)
    this.dispatch({ event: 'closed' })
  }

  #openSocket(): void {
    const { online, address } = this.#ports
    const greeted = this.#ports.greeted()
    this.#isGreeted = greeted !== undefined
    let socket: Socket
    try {
      socket = greeted ?? online.present!.openSocket(address)
    } catch (error) {
      this.#cannotOpen(error)
      return
    }
    this.#socket = socket
    this.#early = []
    // What an abandoned socket still says is not listened to.
    const ifCurrent = (react: () => void) => {
      if (this.#socket === socket) react()
    }
    socket.onopen = () => ifCurrent(() => this.dispatch({ event: 'opened' }))
    socket.onmessage = (text) => ifCurrent(() => this.#heard(text))
    socket.onclose = () =>
      ifCurrent(() => {
        this.#socket = undefined
        this.dispatch({ event: 'closed' })
      })
  }

  #close(): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#cancelMove?.()
    this.#attempt.abort()
    socket?.close()
  }

  #heard(text: string | undefined): void {
    const frame = this.#ports.online.present!.readDownFrame(text)
    if (frame === undefined) {
      // Damaged on the way: whatever came before is fine, from here on the line is not.
      this.#close()
      this.dispatch({ event: 'closed' })
      return
    }
    this.dispatch({ event: 'heard' })
    if (frame === 'unknown') return
    if (frame.type === 'goodbye') this.#heardGoodbye(frame)
    else if (frame.type === 'move') this.#moveAfter(frame.after_ms)
    else if (frame.type === 'welcome') this.#heardWelcome(frame)
    else if (this.isLive) this.#ports.onFrame(frame)
    else if (this.#early.length < MAX_EARLY_FRAMES) this.#early.push(frame)
  }

  #heardWelcome(frame: DownFrame): void {
    if (this.#state.state !== 'greeting') return
    const early = this.#early
    this.#early = []
    const socket = this.#socket
    this.dispatch({ event: 'welcomed' })
    for (const each of [frame, ...early]) if (this.#socket === socket) this.#ports.onFrame(each)
  }

  #heardGoodbye(frame: Extract<DownFrame, { type: 'goodbye' }>): void {
    // The engine hears it first, so that it knows why when the state changes.
    this.#ports.onFrame(frame)
    this.dispatch({ event: 'goodbye', reason: frame.reason, retryAfterMs: frame.retry_after_ms ?? 0 })
  }

  /**
   * Going elsewhere is for the socket that was asked to; another one since then is elsewhere already. It goes with nothing
   * under way, if the answers come soon.
   */
  #moveAfter(ms: number): void {
    const socket = this.#socket
    const { clock, onLeaving } = this.#ports
    const go = () => {
      if (this.#socket === socket) this.dispatch({ event: 'move' })
    }
    this.#cancelMove?.()
    this.#cancelMove = clock.after(Math.min(ms, timing.longestHintMs), () => {
      this.#cancelMove = clock.after(timing.lastAnswersMs, go)
      onLeaving(go)
    })
  }

  /** One timer for the state's own deadline. A deadline that moved away is met by looking again, not by resetting. */
  #setTimer(): void {
    const { until } = this.#state
    if (until === null) {
      this.#timer?.cancel()
      this.#timer = undefined
      return
    }
    if (this.#timer && this.#timer.at <= until) return
    this.#timer?.cancel()
    const cancel = this.#ports.clock.after(Math.max(0, until - this.#ports.clock.now()), () => this.#ring())
    this.#timer = { at: until, cancel }
  }

  #ring(): void {
    this.#timer = undefined
    const { until } = this.#state
    if (until !== null && this.#ports.clock.now() >= until) this.dispatch({ event: 'deadline' })
    else this.#setTimer()
  }
}
