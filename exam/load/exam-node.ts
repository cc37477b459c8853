import { type ParleyServer, startParley, startTcpProxy, type TcpProxy, until } from '@parley/testkit'
import type { RowContext } from '../row.ts'
import { now } from './recorder.ts'

export interface ExamNodeOptions {
  readonly name: string
  readonly port: number
  readonly store: string
  readonly bus: string
  readonly publicUrl: string
  readonly isProxied: boolean
  readonly env: Readonly<Record<string, string | undefined>>
}

/** One node of a cluster: it dies, sleeps, is asked to stop, comes back at the same address, and can be cut off. */
export class ExamNode {
  readonly name: string
  readonly port: number
  /** Its way to PostgreSQL and to NATS, where it goes over a proxy. */
  readonly database: TcpProxy | undefined
  readonly bus: TcpProxy | undefined
  readonly unaskedExits: string[] = []
  readonly #options: ExamNodeOptions
  readonly #lines: string[] = []
  #process: ParleyServer | undefined
  #isEndAsked = false

  private constructor(options: ExamNodeOptions, database?: TcpProxy, bus?: TcpProxy) {
    this.name = options.name
    this.port = options.port
    this.#options = options
    this.database = database
    this.bus = bus
  }

  static async start(context: RowContext, options: ExamNodeOptions): Promise<ExamNode> {
    const { isProxied, store, bus } = options
    const proxies = isProxied ? await Promise.all([proxyTo(context, store), proxyTo(context, bus)]) : []
    const node = new ExamNode(options, ...proxies)
    context.onEnd(() => node.kill())
    await node.start()
    return node
  }

  async start(): Promise<void> {
    const { port, store, bus, publicUrl, env } = this.#options
    this.#isEndAsked = false
    const started = await startParley({
      dataFolder: through(this.database, store),
      port,
      args: ['--public-url', publicUrl],
      env: { PARLEY_BUS: through(this.bus, bus), ...env },
    })
    this.#process = started
    void started.exit.then(({ code, signal }) => {
      this.#lines.push(...started.lines)
      if (!this.#isEndAsked) this.unaskedExits.push(`${this.name}: code ${code}, signal ${signal}`)
    })
  }

  get process(): ParleyServer {
    if (!this.#process) throw new Error(`${this.name} was never started.`)
    return this.#process
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get websocketUrl(): string {
    return `ws://127.0.0.1:${this.port}`
  }

  get lines(): readonly string[] {
    return this.#process?.isRunning ? [...this.#lines, ...this.#process.lines] : this.#lines
  }

  async kill(): Promise<void> {
    this.#isEndAsked = true
    await this.#process?.kill()
  }

  /** Asks it to stop; answers how long that took, and how it ended. */
  async terminate(): Promise<{ readonly tookMs: number; readonly code: number | null }> {
    this.#isEndAsked = true
    const startedAt = now()
    const { code } = await this.process.terminate({ timeoutMs: 30_000 })
    return { tookMs: now() - startedAt, code }
  }

  /** What it says of itself, in the words of `/readyz`. */
  async readiness(): Promise<{ readonly status: number; readonly text: string }> {
    try {
      const answer = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(2_000) })
      return { status: answer.status, text: await answer.text() }
    } catch (error) {
      return { status: 0, text: String(error) }
    }
  }

  /** How many have a socket there, of either dialect. */
  sockets(): Promise<number> {
    return this.figure('parley_connections')
  }

  /** What it shows to whoever watches it, all labels together; only with a port for figures. */
  async figure(name: string): Promise<number> {
    const text = await (await fetch(this.process.metricsUrl!)).text()
    const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))]
    if (values.length === 0) throw new Error(`${this.name} does not show ${name}.`)
    return values.reduce((sum, [, value]) => sum + Number(value), 0)
  }

  /** How long until it says it is ready, or not, from now on. */
  async untilReady(isReady: boolean, timeoutMs = 30_000): Promise<number> {
    const startedAt = now()
    const is = async () => ((await this.readiness()).status === 200) === isReady
    await until(is, `${this.name} is ${isReady ? '' : 'not '}ready`, timeoutMs)
    return now() - startedAt
  }
}

async function proxyTo(context: RowContext, address: string): Promise<TcpProxy> {
  const proxy = await startTcpProxy({ target: { port: Number(PORT.exec(address)![1]) } })
  context.onEnd(() => proxy.close())
  return proxy
}

const PORT = /:(\d+)(?=\/|$)/

const through = (proxy: TcpProxy | undefined, address: string) =>
  proxy ? address.replace(PORT, `:${proxy.port}`) : address
