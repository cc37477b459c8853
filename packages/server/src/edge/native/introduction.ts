import {
  closeCodes,
  type DownFrame,
  type GoodbyeFrame,
  HELLO_TIMEOUT_MS,
  type ParsedUpFrame,
  type Refusal,
} from '@parley/protocol'
import type { Edge } from '../edge.ts'
import { giveNonce } from '../sign-in.ts'
import type { Socket } from '../sockets/socket.ts'
import type { Frame } from './frames.ts'
import { type Admitted, abandon, farewell, greet, refusalOfOutage } from './greeting.ts'

/** Frames that arrive together with the hello, before it was looked at. */
const MAX_EARLY_FRAMES = 1_024

export interface IntroductionPorts {
  readonly edge: Edge
  readonly socket: Socket
  /** Where the page comes from that opened the socket; undefined for programs. */
  readonly origin: string | undefined
  readonly send: (frame: DownFrame) => void
  readonly refuse: (refusal: Refusal) => void
  readonly close: (code: number, goodbye: GoodbyeFrame) => void
  /** Somebody is let in. */
  readonly enter: (admitted: Admitted, hello: Frame<'hello'>) => Promise<void>
  /** What came early is heard as if it came now. */
  readonly receive: (text: string) => void
}

/**
 * The beginning of a connection: one nonce at the most, then a hello, in time. It owns the time that is left for that, and
 * what came along with the hello or with what asks for a nonce, which is heard once that is seen to.
 */
export class Introduction {
  readonly #ports: IntroductionPorts
  #cancelTimeout: () => void
  /** One was asked for, which is all there are on a socket. */
  #hasNonce = false
  /** What came along, as long as it waits. */
  #early: string[] | undefined
  #isOver = false
  /** A session is being opened for the hello, and a nonce spent: until the welcome is said, nobody is sent away. */
  isSigningIn = false

  constructor(ports: IntroductionPorts) {
    this.#ports = ports
    this.#cancelTimeout = this.#startTimeout()
  }

  /** Nobody stays for long who has not said who they are. */
  #startTimeout(): () => void {
    const { edge, close } = this.#ports
    return edge.clock.after(HELLO_TIMEOUT_MS, () =>
      close(closeCodes.timeout, { type: 'goodbye', reason: 'protocol_error' }),
    )
  }

  /** @param frame undefined for an operation, which nobody says before hello */
  hear(frame: ParsedUpFrame | undefined): void {
    if (frame?.type === 'hello') void this.#greet(frame)
    else if (frame?.type === 'nonce') void this.#giveNonce(frame)
    else this.#ports.refuse({ id: 'authentication_required', message: 'Say hello first.' })
  }

  /** Keeps a text for later, if it has to wait. */
  keep(text: string): 'kept' | 'too much' | 'to be heard' {
    if (!this.#early) return 'to be heard'
    return this.#early.push(text) > MAX_EARLY_FRAMES ? 'too much' : 'kept'
  }

  hearEarly(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const text of early) this.#ports.receive(text)
  }

  /** The socket is gone. */
  end(): void {
    this.#isOver = true
    this.#early = undefined
    this.#cancelTimeout()
  }

  async #giveNonce({ app_id }: Frame<'nonce'>): Promise<void> {
    const { edge, socket, send, close, refuse } = this.#ports
    if (this.#hasNonce) {
      refuse({ id: 'invalid_request', message: 'A nonce was asked for before.' })
      return
    }
    this.#hasNonce = true
    this.#holdEarly()
    try {
      const given = await giveNonce(edge, app_id).catch(refusalOfOutage)
      if (this.#isOver) return
      if ('refusal' in given) {
        const { code, goodbye } = farewell(given.refusal)
        close(code, goodbye)
        return
      }
      send({ type: 'nonce', nonce: given.nonce })
      this.#cancelTimeout()
      this.#cancelTimeout = this.#startTimeout()
      this.hearEarly()
    } catch (error) {
      this.#failed(error)
    } finally {
      socket.resume()
    }
  }

  async #greet(hello: Frame<'hello'>): Promise<void> {
    const { edge, socket, origin, close, enter } = this.#ports
    this.#holdEarly()
    this.#cancelTimeout()
    const leave = await edge.greetings.enter()
    try {
      if (this.#isOver) return
      this.isSigningIn = hello.identity_token !== undefined
      const admitted = await greet(edge, hello, origin)
      if ('goodbye' in admitted) close(admitted.code, admitted.goodbye)
      else if (this.#isOver) abandon(edge, admitted)
      else await enter(admitted, hello)
    } catch (error) {
      this.#failed(error)
    } finally {
      leave()
      socket.resume()
    }
  }

  /** What follows waits in the socket, and what came along already waits here, until somebody says what is to become of it. */
  #holdEarly(): void {
    this.#ports.socket.pause()
    this.#early = []
  }

  #failed(error: unknown): void {
    const { edge, close } = this.#ports
    edge.log('a connection could not be set up', { error: String(error) })
    close(closeCodes.goingAway, { type: 'goodbye', reason: 'going_away', retry_after_ms: 1_000 })
  }
}
