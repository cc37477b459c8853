/**
 * The socket that somebody signs in on (CON-16): a nonce, a hello with an identity token, a welcome with a session. It owns
 * that socket until the session's connection takes it over. Each step ends in an answer, a refusal of the server's
 * (`refused`), or `unreachable`: no network, a busy server, or somebody else in between.
 */
import type { DownFrame, HelloFrame, NonceFrame } from '@parley/protocol'
import type { Clock } from '../environment.ts'
import { ParleyError, throwIfAborted, unreachable } from '../errors.ts'
import { readDownFrame } from '../sync/down-frame.ts'
import type { Since } from '../sync/meta-rows.ts'
import { openSocket, type Socket, type SocketAddress } from '../transport/socket.ts'
import { asError, inTime, lost } from './in-time.ts'
import type { OpenedSession } from './stored-session.ts'

export interface SignInLinePorts extends SocketAddress {
  readonly appId: string
  readonly clock: Clock
}

/** The server waits a little longer than this for the token of a nonce; then another socket is the surer way. */
const KEPT_MS = 8_000
/** What may be heard before anybody takes the socket over; with more of it, it is as quick to begin anew. */
const MAX_HEARD = 64

export class SignInLine {
  readonly #ports: SignInLinePorts
  #socket: Socket | undefined
  /** Until when a token may be handed in on it. */
  #keptUntil = 0
  /** What came since the hello, for whoever takes over. */
  #heard: string[] = []

  constructor(ports: SignInLinePorts) {
    this.#ports = ports
  }

  async requestNonce(signal: AbortSignal): Promise<string> {
    const { appId, clock } = this.#ports
    this.close()
    const { nonce } = await this.#ask({ type: 'nonce', app_id: appId }, 'nonce', signal)
    this.#keptUntil = clock.now() + KEPT_MS
    return nonce
  }

  async openSession(identityToken: string, since: Since, signal: AbortSignal): Promise<OpenedSession> {
    const { appId, clock } = this.#ports
    if (clock.now() >= this.#keptUntil) this.close()
    const hello = { type: 'hello', identity_token: identityToken, app_id: appId, ...since } as const
    const { identity, session } = await this.#ask(hello, 'welcome', signal)
    if (typeof session.token !== 'string') throw lost()
    return { token: session.token, id: session.id, expiresAt: session.expires_at, identity }
  }

  /** The socket on which a session was opened, once; as soon as it is listened to, it says what it has heard. */
  take(): Socket | undefined {
    const socket = this.#socket
    if (!socket) return undefined
    this.#socket = undefined
    queueMicrotask(() => {
      socket.onopen?.()
      for (const text of this.#heard) socket.onmessage?.(text)
    })
    return socket
  }

  close(): void {
    const socket = this.#socket
    this.#socket = undefined
    socket?.close()
  }

  async #ask<Type extends Answer>(
    frame: NonceFrame | HelloFrame,
    type: Type,
    signal: AbortSignal,
  ): Promise<AnswerFrame<Type>> {
    throwIfAborted(signal)
    try {
      return await inTime(this.#ports.clock, this.#answer(frame, type), signal)
    } catch (error) {
      this.close()
      throw error instanceof ParleyError ? error : unreachable('The server cannot be reached.', error)
    }
  }

  #answer<Type extends Answer>(frame: NonceFrame | HelloFrame, type: Type): Promise<AnswerFrame<Type>> {
    return new Promise((resolve, reject) => {
      const kept = this.#socket
      const socket = kept ?? openSocket(this.#ports)
      const say = () => socket.send(JSON.stringify(frame))
      const fail = (error: ParleyError) => {
        reject(error)
        if (this.#socket === socket) this.close()
      }
      this.#socket = socket
      this.#heard = []
      socket.onmessage = (text) => {
        if (this.#socket !== socket) return
        const heard = readDownFrame(text)
        if (heard === undefined || this.#heard.push(text!) > MAX_HEARD) fail(lost())
        else if (heard === 'unknown') return
        else if (heard.type === type) resolve(heard as AnswerFrame<Type>)
        else if (heard.type === 'goodbye' || heard.type === 'refusal') {
          fail(heard.error ? asError(heard.error) : lost())
        }
      }
      socket.onclose = () => fail(lost())
      if (kept) say()
      else socket.onopen = say
    })
  }
}

type Answer = 'nonce' | 'welcome'
type AnswerFrame<Type extends Answer> = Extract<DownFrame, { readonly type: Type }>
