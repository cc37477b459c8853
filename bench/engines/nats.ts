/** NATS as the benchmark uses it, with what it has carried. */
import { startNats } from '@parley/testkit'
import { familyCpuSeconds } from '../figures/process-figures.ts'

export interface BusLook {
  readonly cpuSeconds: number
  /** Said to it, and passed on by it. */
  readonly messagesIn: number
  readonly bytesIn: number
  readonly messagesOut: number
  readonly bytesOut: number
}

export class NatsEngine {
  readonly url: string
  readonly #server: Awaited<ReturnType<typeof startNats>>
  readonly #monitor: string

  private constructor(server: Awaited<ReturnType<typeof startNats>>, monitor: string) {
    this.#server = server
    this.url = server.url
    this.#monitor = monitor
  }

  static async start(): Promise<NatsEngine> {
    // A port of its choice, which it prints.
    const server = await startNats({ args: ['--http_port', '-1'] })
    const [, monitor] = await server.process.line(/Starting http monitor on (\S+)/)
    return new NatsEngine(server, `http://${monitor}/varz`)
  }

  /** What it has used and carried since it began. */
  async look(): Promise<BusLook> {
    const { in_msgs, in_bytes, out_msgs, out_bytes } = (await (await fetch(this.#monitor)).json()) as Varz
    return {
      cpuSeconds: familyCpuSeconds(this.#server.process.pid),
      messagesIn: in_msgs,
      bytesIn: in_bytes,
      messagesOut: out_msgs,
      bytesOut: out_bytes,
    }
  }

  close(): Promise<void> {
    return this.#server.close()
  }
}

interface Varz {
  readonly in_msgs: number
  readonly in_bytes: number
  readonly out_msgs: number
  readonly out_bytes: number
}
