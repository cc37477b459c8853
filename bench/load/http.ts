/** One HTTP connection that is kept open, as cheap as can be: one request at a time, JSON both ways. */
import { connect, type Socket } from 'node:net'

export interface HttpAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, string>>
}

export class HttpConnection {
  readonly #socket: Socket
  readonly #head: string
  #received = ''
  #waiting: { resolve(answer: HttpAnswer): void; reject(error: Error): void } | undefined

  constructor(port: number) {
    this.#head = `HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: application/vnd.layer+json; version=2.0\r\n`
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.setNoDelay(true).setEncoding('utf8')
    this.#socket.on('data', (text) => this.#hear(text as unknown as string))
    this.#socket.on('error', (error) => this.#waiting?.reject(error))
    this.#socket.on('close', () => this.#waiting?.reject(new Error('The server closed an HTTP connection.')))
  }

  post(path: string, body?: unknown): Promise<HttpAnswer> {
    const text = body === undefined ? '' : JSON.stringify(body)
    const type = body === undefined ? '' : 'Content-Type: application/json\r\n'
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#socket.write(`POST ${path} ${this.#head}${type}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
    })
  }

  close(): void {
    this.#waiting = undefined
    this.#socket.destroy()
  }

  #hear(text: string): void {
    this.#received += text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#received.slice(0, end)
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN)
    const body = this.#received.slice(end + 4)
    // Our answers are ASCII, so characters are bytes.
    if (body.length < length) return
    this.#received = ''
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve({ status: Number(head.slice(9, 12)), body: length > 0 ? JSON.parse(body) : {} })
  }
}
