import type { CreatedApp } from '@parley/server'
import { type ParleyServer, startParley } from '@parley/testkit'
import type { IdentityTokenMinter } from '@parley/token'
import type { ProcessRecord } from '../checker/history.ts'
import type { RowContext } from '../row.ts'
import { type AppOptions, newApp, ReachableServer } from './reachable-server.ts'
import { now } from './recorder.ts'

export interface ExamServerOptions extends AppOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly args?: readonly string[]
}

/** The shipped server in a process of its own, with an app; it can be killed and come back at the same address. */
export class ExamServer extends ReachableServer {
  readonly readyMs: number[] = []
  readonly #lines: string[] = []
  readonly #unaskedExits: string[] = []
  #process: ParleyServer | undefined
  #port = 0
  #isEndAsked = false

  private constructor(dataFolder: string, app: CreatedApp, minter: IdentityTokenMinter) {
    super(dataFolder, app, minter)
  }

  static async start(context: RowContext, options: ExamServerOptions = {}): Promise<ExamServer> {
    const { folder, app, minter } = await newApp(context, options)
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
}
