import { randomUUID } from 'node:crypto'
import type { DownFrame } from '@parley/protocol'
import { WebSocket } from 'ws'
// The SDK's own machine: what a device does after a loss, and when, is decided there.
import {
  type ConnectionEvent,
  type ConnectionState,
  stopped,
  transition,
} from '../../packages/client/src/sync/connection-state.ts'

/** `polite` comes back as the SDK does; `rude` tries again at once, for ever. */
export type Manner = 'polite' | 'rude'

export interface MemberOptions {
  readonly url: string
  readonly token: string
  readonly manner: Manner
  readonly conversation: string
  readonly onLive: (member: CrowdMember) => void
  readonly onClosed: (how: string) => void
}

/** Between two attempts of somebody rude: no time at all would only burn the tester's own processor. */
const RUDE_MS = 5
/** Somebody rude gives a silent attempt up after so long. */
const RUDE_PATIENCE_MS = 10_000

/** One of thousands of sockets: the SDK's connection machine over a bare socket, with no replica behind it. */
export class CrowdMember {
  readonly #options: MemberOptions
  #state: ConnectionState = stopped
  #timer: NodeJS.Timeout | undefined
  #socket: WebSocket | undefined
  #cursor: string | null = null
  #epoch: string | null = null
  #said:
    | { readonly id: string; readonly frame: string; readonly at: number; readonly heard: (ms: number) => void }
    | undefined
  isLive = false
  attempts = 0

  constructor(options: MemberOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.manner === 'polite') this.#feed({ event: 'start' })
    else this.#open()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#state = stopped
    this.#socket
      ?.removeAllListeners()
      .on('error', () => undefined)
      .terminate()
  }

  /** Sends one message, now and again after each loss, until it is acknowledged. */
  say(text: string, heard: (ms: number) => void): void {
    const id = randomUUID()
    const parts = [{ mime_type: 'text/plain', body: text }]
    const input = { id: `layer:///messages/${id}`, conversation: this.#options.conversation, parts }
    const frame = JSON.stringify({ type: 'operation', id, name: 'send-message', input })
    this.#said = { id, frame, heard, at: performance.now() }
    this.#socket?.send(frame)
  }

  #feed(event: ConnectionEvent): void {
    const { next, effects } = transition(this.#state, event, { now: performance.now(), chance: Math.random() })
    this.#state = next
    for (const effect of effects) {
      if (effect === 'open') this.#open()
      else if (effect === 'hello') this.#hello()
      else if (effect === 'ping') this.#socket?.send('{"type":"ping"}')
      else this.#hangUp()
    }
    clearTimeout(this.#timer)
    if (next.until !== null) {
      this.#timer = setTimeout(() => this.#feed({ event: 'deadline' }), Math.max(0, next.until - performance.now()))
    }
  }

  #open(): void {
    this.attempts++
    const { url, manner, onClosed } = this.#options
    const socket = new WebSocket(url, 'parley.1', { perMessageDeflate: false })
    this.#socket = socket
    let how = 'cut'
    socket.on('unexpected-response', (_request, response) => {
      how = String(response.statusCode)
      response.resume()
      socket.terminate()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      how = error.code ?? how
    })
    socket.on('open', () => (manner === 'polite' ? this.#feed({ event: 'opened' }) : this.#hello()))
    socket.on('message', (data) => this.#hear(String(data)))
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.isLive = false
      onClosed(how)
      clearTimeout(this.#timer)
      if (manner === 'polite') this.#feed({ event: 'closed' })
      else this.#timer = setTimeout(() => this.#open(), RUDE_MS)
    })
    if (manner === 'rude') this.#timer = setTimeout(() => socket.terminate(), RUDE_PATIENCE_MS)
  }

  #hello(): void {
    const { token } = this.#options
    this.#socket?.send(
      JSON.stringify({ type: 'hello', session_token: token, cursor: this.#cursor, epoch: this.#epoch }),
    )
  }

  #hangUp(): void {
    const socket = this.#socket
    this.#socket = undefined
    this.isLive = false
    socket?.terminate()
  }

  #hear(text: string): void {
    // Thousands hear what one says; only what matters to the connection is looked into.
    if (text.startsWith('{"type":"change"')) return
    const frame = JSON.parse(text) as DownFrame
    if (frame.type === 'welcome') {
      this.#epoch = frame.epoch
      if (this.#options.manner === 'polite') this.#feed({ event: 'welcomed' })
    } else if (frame.type === 'heads' && frame.cursor !== null) {
      this.#cursor = frame.cursor
      this.isLive = true
      if (this.#options.manner === 'rude') clearTimeout(this.#timer)
      if (this.#said) this.#socket?.send(this.#said.frame)
      this.#options.onLive(this)
    } else if (frame.type === 'acknowledgement' && frame.id === this.#said?.id) {
      if ('refusal' in frame) {
        setTimeout(() => this.#said && this.#socket?.send(this.#said.frame), frame.retry_after_ms ?? 1_000)
        return
      }
      this.#said.heard(performance.now() - this.#said.at)
      this.#said = undefined
    } else if (frame.type === 'goodbye') {
      const retryAfterMs = frame.retry_after_ms ?? 0
      if (this.#options.manner === 'polite') this.#feed({ event: 'goodbye', reason: frame.reason, retryAfterMs })
    } else if (frame.type === 'pong' && this.#options.manner === 'polite') this.#feed({ event: 'heard' })
  }
}
