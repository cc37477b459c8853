import { type AddressInfo, createServer } from 'node:net'
import { type RunningProcess, startProcess } from './start-process.ts'

const command = process.env.NATS_SERVER ?? '/usr/sbin/nats-server'
const HOST = '127.0.0.1'
/** Somebody may take a free port between our finding it and the server's binding it. */
const MAX_TRIES = 5

/** A real NATS server, to be killed, frozen and brought back. It keeps its address over all of that. */
export interface NatsServer {
  readonly port: number
  /** `nats://127.0.0.1:<port>` */
  readonly url: string
  /** The process that runs at present, or ran last. */
  readonly process: RunningProcess
  /** `kill -9`. */
  kill(): Promise<void>
  /** The same server again after a kill. */
  restart(): Promise<void>
  /** Its sockets stay open, nobody answers. */
  freeze(): void
  thaw(): void
  /** Makes sure that it is gone. Safe to call twice. */
  close(): Promise<void>
}

export interface NatsOptions {
  /** Further arguments of `nats-server`. */
  readonly args?: readonly string[]
  readonly isApart?: boolean
}

export const startNats = (options: NatsOptions = {}): Promise<NatsServer> => retried(() => startOne(options))

/** Servers that pass on to each other what their clients publish. */
export function startNatsCluster(size: number, options: NatsOptions = {}): Promise<readonly NatsServer[]> {
  return retried(async () => {
    const routePorts = await freePorts(size)
    const routes = routePorts.map((port) => `nats-route://${HOST}:${port}`).join(',')
    const cluster = (port: number) => [
      ...['--cluster_name', 'parley-test', '--cluster', `nats://${HOST}:${port}`, '--routes', routes],
      ...(options.args ?? []),
    ]
    const started = await Promise.allSettled(routePorts.map((port) => startOne({ args: cluster(port) })))
    const servers = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const trouble = started.find((one) => one.status === 'rejected')
    if (!trouble) return servers
    await Promise.all(servers.map((server) => server.close()))
    throw trouble.reason
  })
}

async function startOne({ args = [], isApart }: NatsOptions): Promise<NatsServer> {
  const [port] = await freePorts(1)
  const run = async () => {
    const started = startProcess({
      command,
      args: ['--addr', HOST, '--port', String(port), ...args],
      ...(isApart && { isApart }),
    })
    await started.line(/Server is ready/).catch(async (error) => {
      await started.close()
      throw error
    })
    return started
  }
  let current = await run()
  return {
    port: port!,
    url: `nats://${HOST}:${port}`,
    get process() {
      return current
    },
    kill: async () => void (await current.kill()),
    async restart() {
      await current.close()
      current = await run()
    },
    freeze: () => current.pause(),
    thaw: () => current.resume(),
    close: () => current.close(),
  }
}

/** Ports that nobody listens on at the moment, each another one. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer()
      return new Promise<typeof server>((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, HOST, () => resolve(server))
      })
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

async function retried<T>(start: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await start()
    } catch (error) {
      if (tried === MAX_TRIES || !/address already in use/.test(String(error))) throw error
    }
  }
}
