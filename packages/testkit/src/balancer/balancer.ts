import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { watchReadiness } from './readiness.ts'
import { Target } from './target.ts'

/**
 * A balancer that passes TCP connections on to whichever node has the fewest. It knows a node by one question, `/readyz`,
 * asked again and again: one that says no gets no new connections and keeps those it has; one that does not answer at all
 * loses those too, so that whoever is on it goes elsewhere. A refused connection is tried at the next node.
 */
export interface Balancer {
  readonly port: number
  /** Nodes in the order they were named, as they stand. */
  readonly targets: readonly TargetState[]
  close(): Promise<void>
}

export interface TargetState {
  readonly port: number
  readonly isIn: boolean
  /** Connections that are passed on to it now. */
  readonly open: number
}

export interface BalancerOptions {
  readonly targets: readonly { readonly host?: string; readonly port: number }[]
  readonly host?: string
  /** 0, the default, takes any free port. */
  readonly port?: number
  /** Told whenever a node is taken out or comes back. */
  readonly onChange?: (target: TargetState, reason: string) => void
}

export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { host = '127.0.0.1', port = 0, onChange = () => undefined } = options
  const targets = options.targets.map((one) => new Target(one, onChange))
  const clients = new Set<Socket>()
  let turn = 0

  /** Fewest connections first, in turns among equals. If no node is ready, any may say so itself. */
  const inOrder = (): Target[] => {
    turn += 1
    const ready = targets.filter((one) => one.isIn)
    const eligible = ready.length > 0 ? ready : targets
    return eligible
      .map((target, i) => ({ target, place: (i + turn) % eligible.length }))
      .sort((a, b) => a.target.open - b.target.open || a.place - b.place)
      .map(({ target }) => target)
  }

  const pass = (client: Socket, [target, ...others]: readonly Target[]): void => {
    if (!target || client.destroyed) {
      client.destroy()
      return
    }
    const upstream = connect({ host: target.host, port: target.port, noDelay: true })
    const leave = target.take(upstream)
    let isConnected = false
    upstream.once('connect', () => {
      isConnected = true
      client.pipe(upstream)
      upstream.pipe(client)
    })
    upstream.once('error', (error: NodeJS.ErrnoException) => {
      if (isConnected) client.resetAndDestroy()
      else {
        target.takeOut(`it refused a connection (${error.code})`)
        pass(client, others)
      }
    })
    upstream.once('close', () => {
      leave()
      if (isConnected) client.destroy()
    })
    client.once('close', () => upstream.destroy())
  }

  const server = createServer({ noDelay: true }, (client) => {
    clients.add(client)
    client.on('error', () => client.destroy())
    client.once('close', () => clients.delete(client))
    pass(client, inOrder())
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  const watches = targets.map(watchReadiness)

  return {
    port: (server.address() as AddressInfo).port,
    targets,
    async close() {
      for (const stop of watches) stop()
      for (const client of clients) client.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
