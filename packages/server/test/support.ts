/** A real server on a store in memory, and people who speak the protocol to it by hand. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DownFrame, UpFrame } from '@parley/protocol'
import {
  type CreatedApp,
  openAdministration,
  openSqliteStore,
  type RunningServer,
  serve,
  storeFile,
} from '@parley/server'
import { createIdentityTokenMinter, type IdentityTokenMinter } from '@parley/token'
import { WebSocket } from 'ws'

export const ACCEPT = 'application/vnd.layer+json; version=2.0'

export interface TestServer {
  readonly server: RunningServer
  readonly folder: string
  readonly app: CreatedApp
  readonly minter: IdentityTokenMinter
  /** Lines the server logged. */
  readonly logged: { message: string; details: Record<string, unknown> }[]
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** Signs in over HTTP. */
  signIn(userId: string, options?: { expiresInSeconds?: number; claims?: Record<string, string> }): Promise<string>
  /** Signs in and opens a socket. */
  connect(userId: string): Promise<Person>
  close(): Promise<void>
}

export interface RequestOptions {
  readonly body?: unknown
  readonly token?: string
  readonly headers?: Record<string, string>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: never
}

export async function startTestServer(
  options: {
    sessionSeconds?: number
    maxParticipants?: number
    clock?: Parameters<typeof serve>[1]['clock']
    /** For a server behind something: where it listens, and where people think it is. */
    behind?: { readonly port: number; readonly publicUrl: string }
  } = {},
): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-test-'))
  const administration = await openAdministration(folder)
  const { sessionSeconds } = options
  const app = await administration.createApp({
    algorithm: 'ES256',
    ...(sessionSeconds !== undefined && { sessionSeconds }),
  })
  await administration.close()
  const logged: TestServer['logged'] = []
  const server = await serve(openSqliteStore(storeFile(folder)), {
    log: (message, details) => logged.push({ message, details }),
    development: true,
    ...(options.clock && { clock: options.clock }),
    ...(options.maxParticipants !== undefined && { maxParticipants: options.maxParticipants }),
    ...options.behind,
  })
  const minter = await createIdentityTokenMinter({
    providerId: app.providerId,
    keyId: app.keyId,
    privateKey: app.privateKeyPem,
  })
  const request: TestServer['request'] = async (method, path, { body, token, headers } = {}) => {
    const response = await fetch(server.url + path, {
      method,
      headers: {
        accept: ACCEPT,
        'content-type': method === 'PATCH' ? 'application/vnd.layer-patch+json' : 'application/json',
        ...(token && { authorization: `Layer session-token="${token}"` }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: (text ? JSON.parse(text) : undefined) as never }
  }
  const signIn: TestServer['signIn'] = async (userId, { expiresInSeconds, claims } = {}) => {
    const { nonce } = (await request('POST', '/nonces')).body as { nonce: string }
    const token = await minter.mint({
      userId,
      nonce,
      ...(claims && { claims }),
      ...(expiresInSeconds !== undefined && { expiresInSeconds }),
    })
    const answer = await request('POST', '/sessions', { body: { identity_token: token, app_id: app.appId } })
    if (answer.status !== 201) throw new Error(`Sign-in refused: ${JSON.stringify(answer.body)}`)
    return (answer.body as { session_token: string }).session_token
  }
  return {
    server,
    folder,
    app,
    minter,
    logged,
    request,
    signIn,
    connect: async (userId) => Person.connect(server, await signIn(userId)),
    async close() {
      await server.close({ drainMs: 0 })
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Matching<Type extends DownFrame['type']> = Extract<DownFrame, { type: Type }>

/** A socket that says what the test tells it to and keeps what it hears. */
export class Person {
  readonly heard: DownFrame[] = []
  readonly socket: WebSocket
  readonly token: string
  closeCode: number | undefined
  #waiting: (() => void)[] = []
  #read = 0

  private constructor(socket: WebSocket, token: string) {
    this.socket = socket
    this.token = token
    socket.on('message', (data) => {
      this.heard.push(JSON.parse(String(data)) as DownFrame)
      this.#wake()
    })
    socket.on('close', (code) => {
      this.closeCode = code
      this.#wake()
    })
    socket.on('error', () => this.#wake())
  }

  static async connect(
    server: RunningServer,
    token: string,
    cursor: string | null = null,
    epoch: string | null = null,
  ) {
    const person = await Person.open(server, token)
    person.say({ type: 'hello', session_token: token, cursor, epoch })
    await person.hear('welcome')
    return person
  }

  /** Opens a socket and says nothing yet. */
  static async open(server: RunningServer, token = '', origin?: string): Promise<Person> {
    const socket = new WebSocket(server.websocketUrl, 'parley.1', origin === undefined ? {} : { origin })
    const person = new Person(socket, token)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    return person
  }

  say(frame: UpFrame): void {
    this.socket.send(JSON.stringify(frame))
  }

  /** The next frame of a type that was not heard before; frames in between are passed over. */
  async hear<Type extends DownFrame['type']>(
    type: Type,
    matches: (frame: Matching<Type>) => boolean = () => true,
  ): Promise<Matching<Type>> {
    for (;;) {
      while (this.#read < this.heard.length) {
        const frame = this.heard[this.#read++]!
        if (frame.type === type && matches(frame as Matching<Type>)) return frame as Matching<Type>
      }
      if (this.closeCode !== undefined) throw new Error(`Closed with ${this.closeCode} while waiting for ${type}.`)
      await this.#more(type)
    }
  }

  /** Asks for an operation and answers with its acknowledgement. */
  async ask(name: string, input: unknown, id: string = randomUUID()): Promise<Matching<'acknowledgement'>> {
    this.say({ type: 'operation', id, name, input } as never)
    return this.hear('acknowledgement', (frame) => frame.id === id)
  }

  /** Creates something: the frame and the object share the id. */
  async create(
    name: 'create-conversation' | 'send-message',
    input: Record<string, unknown>,
    id: string = randomUUID(),
  ) {
    const answer = await this.ask(name, { id, ...input }, id)
    if ('refusal' in answer) throw new Error(JSON.stringify(answer.refusal))
    return { id, result: answer.result as Record<string, never>, answer }
  }

  async closed(): Promise<number> {
    while (this.closeCode === undefined) await this.#more('close')
    return this.closeCode
  }

  close(): void {
    this.socket.close()
  }

  #more(what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Heard no ${what} in 5 s.`)), 5_000)
      this.#waiting.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

export const text = (body: string) => [{ mime_type: 'text/plain', body }]
