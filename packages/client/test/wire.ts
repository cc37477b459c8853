/** The network of one device: it writes down whatever crosses it, in order, and can be cut. */
import type { Fetch, Socket, SocketFactory, WebSocketClass } from '../src/index.ts'
import type { FetchAnswer } from '../src/transport/fetch.ts'
import { webSockets } from '../src/transport/socket.ts'

export interface Crossing {
  /** Such as `POST parley/nonces`, `201 parley/nonces`, `open parley`, `say hello`, `hear welcome`. */
  readonly step: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** The JSON that went along; undefined if there was none. */
  readonly body: unknown
}

type Request = Pick<Parameters<Fetch>[1], 'method' | 'headers' | 'body' | 'signal'>

export class Wire {
  readonly crossings: Crossing[] = []
  readonly #parties: Readonly<Record<string, string>>
  readonly #open = new Set<Socket>()
  #isCut = false

  /** @param parties what to call whom, by host */
  constructor(parties: Readonly<Record<string, string>>) {
    this.#parties = parties
  }

  get steps(): string[] {
    return this.crossings.map(({ step }) => step)
  }

  /** The first crossing with that step; there has to be one. */
  find(step: string): Crossing {
    const found = this.crossings.find((crossing) => crossing.step === step)
    if (!found) throw new Error(`Nothing crossed as '${step}', but: ${this.steps.join(', ')}`)
    return found
  }

  /** Whether some crossings happened in this order, others in between allowed. */
  isInOrder(...steps: readonly string[]): boolean {
    let next = 0
    for (const { step } of this.crossings) if (step === steps[next]) next++
    return next === steps.length
  }

  /** The crossings that carried these words, wherever in them. */
  carrying(words: string): string[] {
    return this.crossings.filter((crossing) => JSON.stringify(crossing).includes(words)).map(({ step }) => step)
  }

  /** Neither requests nor sockets get through until {@link mend}. */
  cut(): void {
    this.#isCut = true
    for (const socket of [...this.#open]) socket.close()
  }

  mend(): void {
    this.#isCut = false
  }

  readonly fetch = async (url: string, request: Request): Promise<FetchAnswer> => {
    const where = this.#where(url)
    this.#note(`${request.method} ${where}`, url, request.headers, request.body)
    if (this.#isCut) throw new TypeError('The network is down.')
    const answer = await globalThis.fetch(url, request)
    const text = await answer.text()
    this.#note(`${answer.status} ${where}`, url, Object.fromEntries(answer.headers), text)
    return { status: answer.status, headers: answer.headers, text: async () => text }
  }

  sockets(webSocket: WebSocketClass): SocketFactory {
    const open = webSockets(webSocket)
    return (url, protocol) => {
      this.#note(`open ${this.#where(url)}`, url, { 'sec-websocket-protocol': protocol })
      return this.#isCut ? dead() : this.#tap(open(url, protocol), url)
    }
  }

  #tap(inner: Socket, url: string): Socket {
    const tapped: Socket = {
      onopen: null,
      onmessage: null,
      onclose: null,
      send: (text) => {
        this.#note(`say ${typeOf(text)}`, url, {}, text)
        inner.send(text)
      },
      close: () => inner.close(),
    }
    this.#open.add(inner)
    inner.onopen = () => tapped.onopen?.()
    inner.onmessage = (text) => {
      this.#note(`hear ${typeOf(text ?? '{}')}`, url, {}, text)
      tapped.onmessage?.(text)
    }
    inner.onclose = (code) => {
      this.#open.delete(inner)
      this.#note(`closed ${this.#where(url)}`, url, {})
      tapped.onclose?.(code)
    }
    return tapped
  }

  #where(url: string): string {
    const { host, pathname } = new URL(url)
    return `${this.#parties[host] ?? host}${pathname === '/' ? '' : pathname}`
  }

  #note(step: string, url: string, headers: Readonly<Record<string, string>>, text?: string): void {
    this.crossings.push({ step, url, headers, body: text ? JSON.parse(text) : undefined })
  }
}

/** A socket that never opens. */
function dead(): Socket {
  const socket: Socket = { onopen: null, onmessage: null, onclose: null, send: () => {}, close: () => {} }
  queueMicrotask(() => socket.onclose?.(1006))
  return socket
}

const typeOf = (text: string): string => (JSON.parse(text) as { readonly type: string }).type
