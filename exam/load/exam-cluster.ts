import { createServer } from 'node:net'
import { type CreatedApp, openAdministration } from '@parley/server'
import {
  type Balancer,
  type NatsServer,
  type PostgresServer,
  startBalancer,
  startNats,
  startNatsCluster,
  startPostgres,
} from '@parley/testkit'
import type { IdentityTokenMinter } from '@parley/token'
import type { ProcessRecord } from '../checker/history.ts'
import type { RowContext } from '../row.ts'
import { ExamNode } from './exam-node.ts'
import { minterOf, ReachableServer } from './reachable-server.ts'

export interface ExamClusterOptions {
  /** Default 3. */
  readonly nodes?: number
  /** Default 1. */
  readonly natsServers?: 1 | 3
  /** Each node reaches PostgreSQL and NATS over proxies of its own, which can misbehave. */
  readonly isProxied?: boolean
  /** For every node. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** After a refusal for now. */
const AGAIN_MS = 250
const TRIES = 40

/** So that nodes show their figures, each at a port of its own. */
export const WITH_FIGURES = { PARLEY_METRICS_PORT: '0' } as const

const NATS_PORT = /:(\d+)$/

/** Nodes as they are shipped, each in a process of its own, on one PostgreSQL and NATS, behind a balancer. */
export class ExamCluster extends ReachableServer {
  readonly postgres: PostgresServer
  readonly nats: readonly NatsServer[]
  readonly nodes: readonly ExamNode[]
  readonly balancer: Balancer

  private constructor(
    of: { readonly app: CreatedApp; readonly minter: IdentityTokenMinter },
    parts: Pick<ExamCluster, 'postgres' | 'nats' | 'nodes' | 'balancer'>,
  ) {
    super('', of.app, of.minter)
    this.postgres = parts.postgres
    this.nats = parts.nats
    this.nodes = parts.nodes
    this.balancer = parts.balancer
  }

  static async start(context: RowContext, options: ExamClusterOptions = {}): Promise<ExamCluster> {
    const { nodes: count = 3, natsServers = 1, isProxied = false, env = {} } = options
    const postgres = await startPostgres({ version: 15, settings: { max_connections: 100 } })
    context.onEnd(() => postgres.close())
    const nats = natsServers === 1 ? [await startNats()] : await startNatsCluster(natsServers)
    context.onEnd(() => Promise.all(nats.map((one) => one.close())))
    const store = await postgres.createDatabase('parley')
    const administration = await openAdministration({ store })
    const app = await administration.createApp({ algorithm: 'ES256' })
    await administration.close()
    const ports = await freePorts(count)
    const where = { store, bus: `nats://${nats.map(({ url }) => `127.0.0.1:${NATS_PORT.exec(url)![1]}`).join(',')}` }
    const balancer = await startBalancer({ targets: ports.map((port) => ({ port })) })
    context.onEnd(() => balancer.close())
    const publicUrl = `http://127.0.0.1:${balancer.port}`
    const nodes = await Promise.all(
      ports.map((port, i) =>
        ExamNode.start(context, { name: `node ${i + 1}`, port, ...where, publicUrl, isProxied, env }),
      ),
    )
    return new ExamCluster({ app, minter: minterOf(app) }, { postgres, nats, nodes, balancer })
  }

  get port(): number {
    return this.balancer.port
  }

  /** Whoever is asked to come back in a moment does. */
  override async request(...args: Parameters<ReachableServer['request']>): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      try {
        return await super.request(...args)
      } catch (error) {
        if (tries === TRIES || !/was answered 503/.test(String(error))) throw error
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
    }
  }

  get record(): ProcessRecord {
    return {
      name: 'the nodes',
      unaskedExits: this.nodes.flatMap(({ unaskedExits }) => [...unaskedExits]),
      lines: this.nodes.flatMap(({ lines }) => [...lines]),
    }
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
