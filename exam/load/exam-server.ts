import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CreatedApp, openAdministration } from '@parley/server'
import { type ParleyServer, startParley } from '@parley/testkit'
import { createIdentityTokenMinter, type IdentityTokenMinter } from '@parley/token'
import type { ProcessRecord } from '../checker/history.ts'
import type { RowContext } from '../row.ts'
import { now } from './recorder.ts'

export interface ExamServerOptions {
  readonly sessionSeconds?: number
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly args?: readonly string[]
  readonly dataFolder?: string
}

/** The shipped server in a process of its own, with an app; it can be killed and come back at the same address. */
export class ExamServer {
  readonly dataFolder: string
  readonly app: CreatedApp
  readonly minter: IdentityTokenMinter
  readonly readyMs: number[] = []
  readonly #lines: string[] = []
  readonly #unaskedExits: string[] = []
  #process: ParleyServer | undefined
  #port = 0
  #isEndAsked = false

  private constructor(dataFolder: string, app: CreatedApp, minter: IdentityTokenMinter) {
    this.dataFolder = dataFolder
    this.app = app
    this.minter = minter
  }

  static async start(context: RowContext, options: ExamServerOptions = {}): Promise<ExamServer> {
    const folder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'parley-exam-'))
    context.onEnd(() => rmSync(folder, { recursive: true, force: true }))
    const administration = await openAdministration(folder)
    const { sessionSeconds } = options
    const app = await administration.createApp({
      algorithm: 'ES256',
      ...(sessionSeconds !== undefined && { sessionSeconds }),
    })
    await administration.close()
    const { providerId, keyId, privateKeyPem: privateKey } = app
    const minter = await createIdentityTokenMinter({ providerId, keyId, privateKey })
    const server = new ExamServer(folder, app, minter)
    context.onEnd(() => server.kill())
    await server.start(options)
    return server
  }

  /** Starts it, again at the same address if it ran before. */
  async start({ env, args }: ExamServerOptions = {}): Promise<void> {
    const startedAt = now()
    this.#isEndAsked = false
    const started = await startParley({
      dataFolder: this.dataFolder,
      port: this.#port,
      ...(env && { env }),
      ...(args && { args }),
    })
    this.readyMs.push(now() - startedAt)
    this.#process = started
    this.#port = started.port
    void started.exit.then(({ code, signal }) => {
      this.#lines.push(...started.lines)
      if (!this.#isEndAsked) this.#unaskedExits.push(`code ${code}, signal ${signal}`)
    })
  }

  get process(): ParleyServer {
    if (!this.#process) throw new Error('The server was never started.')
    return this.#process
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  get websocketUrl(): string {
    return `ws://127.0.0.1:${this.#port}`
  }

  /** Its end is wanted, whoever brings it about. */
  expectEnd(): void {
    this.#isEndAsked = true
  }

  async kill(): Promise<void> {
    this.expectEnd()
    await this.#process?.kill()
  }

  async terminate() {
    this.expectEnd()
    return this.process.terminate()
  }

  get record(): ProcessRecord {
    const lines = this.#process?.isRunning ? [...this.#lines, ...this.#process.lines] : this.#lines
    return { name: 'the server', unaskedExits: [...this.#unaskedExits], lines: [...lines] }
  }

  /** Signs in over HTTP, without the SDK. */
  async signIn(userId: string): Promise<string> {
    const { nonce } = (await this.request('POST', '/nonces')) as { nonce: string }
    const token = await this.minter.mint({ userId, nonce })
    const opened = await this.request('POST', '/sessions', { identity_token: token, app_id: this.app.appId })
    return (opened as { session_token: string }).session_token
  }

  /** One call of the HTTP interface; throws unless it succeeds. */
  async request(method: string, path: string, body?: unknown, sessionToken?: string): Promise<unknown> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        accept: 'application/vnd.layer+json; version=2.0',
        'content-type': 'application/json',
        ...(sessionToken && { authorization: `Layer session-token="${sessionToken}"` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text.slice(0, 200)}`)
    return text ? JSON.parse(text) : undefined
  }
}
