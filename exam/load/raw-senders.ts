import { randomUUID } from 'node:crypto'
import type { DownFrame } from '@parley/protocol'
import { WebSocket } from 'ws'
import type { Recorder } from './recorder.ts'
import type { Load } from './workloads.ts'

/** After a connection was lost or refused. */
const AGAIN_MS = 20

export interface SenderOptions {
  readonly url: string
  readonly token: string
  /** Unique among all senders: what it says begins with it. */
  readonly name: string
  readonly recorder: Recorder
  /** From an acknowledgement to what is said next in its place; default none, which is as fast as the server answers. */
  readonly pauseMs?: number
}

interface UnderWay {
  readonly frame: string
  readonly settle: (result: unknown) => void
}

/**
 * Somebody who sends over a bare socket, so many at once: a load harder than one SDK could make. What was
 * not acknowledged when a connection ended is said again on the next one, in the same order, under the same ids.
 */
export class RawSender implements Load {
  readonly #of: SenderOptions
  readonly #conversation: string
  readonly #window: number
  readonly #underWay = new Map<string, UnderWay>()
  #socket: WebSocket | undefined
  #number = 0
  #isOver = false
  #onQuiet = () => {}

  constructor(of: SenderOptions, conversation: string, window: number) {
    this.#of = of
    this.#conversation = conversation
    this.#window = window
    this.#connect()
  }

  /** Sends nothing new; resolves when all that was sent is acknowledged. */
  async stop(): Promise<void> {
    this.#isOver = true
    if (this.#underWay.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onQuiet = resolve
      })
    }
    this.close()
  }

  close(): void {
    this.#isOver = true
    this.#onQuiet = () => {}
    this.#underWay.clear()
    this.#socket?.terminate()
  }

  #connect(): void {
    const socket = new WebSocket(this.#of.url, 'parley.1')
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.on('close', () => {
      if (!this.#isOver || this.#underWay.size > 0) setTimeout(() => this.#connect(), AGAIN_MS)
    })
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'hello', session_token: this.#of.token, cursor: null, epoch: null }))
    })
    socket.on('message', (data) => {
      // Others' messages come by in great numbers and are not for this one to read.
      const text = String(data)
      if (text.startsWith('{"type":"acknowledgement"')) this.#hear(JSON.parse(text) as DownFrame)
      else if (text.startsWith('{"type":"heads"')) this.#begin()
    })
  }

  #begin(): void {
    for (const { frame } of this.#underWay.values()) this.#socket?.send(frame)
    this.#sendMore()
  }

  #hear(answer: DownFrame): void {
    if (answer.type !== 'acknowledgement') return
    const one = this.#underWay.get(answer.id)
    if (!one) return
    if ('refusal' in answer) {
      // Put off: so is all that follows it, and all of it is said again, in order.
      this.#socket?.terminate()
      return
    }
    this.#underWay.delete(answer.id)
    one.settle(answer.result)
    this.#sendSoon()
    if (this.#underWay.size === 0) this.#onQuiet()
  }

  #sendSoon(): void {
    const { pauseMs = 0 } = this.#of
    if (pauseMs > 0) setTimeout(() => this.#sendMore(), pauseMs)
    else this.#sendMore()
  }

  #sendMore(): void {
    while (!this.#isOver && this.#underWay.size < this.#window) this.#send()
  }

  #send(): void {
    const { name, recorder } = this.#of
    const id = randomUUID()
    const message = `layer:///messages/${id}`
    const body = `${name} #${this.#number++}`
    const input = { id: message, conversation: this.#conversation, parts: [{ mime_type: 'text/plain', body }] }
    const frame = JSON.stringify({ type: 'operation', id, name: 'send-message', input })
    let settle: (result: unknown) => void = () => {}
    const acknowledged = new Promise<unknown>((resolve) => {
      settle = resolve
    })
    this.#underWay.set(id, { frame, settle })
    const about = { device: name, identity: '', name: 'send-message', conversation: this.#conversation, body }
    void recorder.record(about, async () => ({ operationId: id, id: message, acknowledged }))
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(frame)
  }
}
