/**
 * P: three nodes on one PostgreSQL, joined by one NATS. What they are compared with is Parley as well: one node alone, or
 * the same three with each pair on one of them.
 */
import { NatsEngine } from '../engines/nats.ts'
import { PostgresEngine } from '../engines/postgres.ts'
import type { ChatInput, ChatResult } from '../load/chat.ts'
import { Load } from '../load/start-load.ts'
import { Server } from '../servers/start-server.ts'
import { ENGINE_FIGURES, perMessage } from './postgres.ts'
import { type Figure, observed, type Sample, type Scenario, type Settings } from './scenario.ts'

const NODES = 3
/**
 * For each node: one of three sees a third of the messages that one alone does, and what it runs often is compiled that much
 * later.
 */
const FIRST_WARM_UP_MS = 10_000
const WARM_UP_MS = 1_500
/** Two deployments of one round are measured a moment after each other, again and again: the machine changes within seconds. */
const TURNS = 3

const CROWD = { conversations: 100, members: 2, senders: 2, window: 8 } as const
/** Two hundred messages a second: nobody waits for anybody else. */
const LIGHT = { conversations: 12, members: 2, senders: 1, window: 1, pauseMs: 60 } as const
const QUICK_CONVERSATIONS = 6

/**
 * Where the two of a pair are: both on the only node, both on one of three, each on another one, or wherever a balancer
 * that knows nothing of pairs has put them: a third of them on one.
 */
type Where = 'alone' | 'together' | 'apart' | 'anywhere'

const BUS_FIGURES: readonly Figure[] = [
  { name: 'busMessages', title: 'messages on the bus for one sent', digits: 3 },
  { name: 'busBytes', title: 'bytes said on the bus for one sent' },
  { name: 'busBytesHeard', title: 'bytes heard from it for one sent' },
  { name: 'busMicroseconds', title: 'CPU of NATS, µs a message' },
]

export const nodesScenarios: readonly Scenario[] = [
  crowd('together', 'on one each'),
  crowd('anywhere', 'wherever a balancer puts them'),
  crowd('apart', 'across nodes'),
  {
    id: 'P',
    title: '3 nodes, PostgreSQL, NATS: 200 messages/s, pairs across nodes (reference: on one each)',
    servers: ['reference', 'parley'],
    figures: [
      { name: 'deliveryP50', title: 'sent to delivered, p50 ms', digits: 2, limit: { of: 'ratio', atMost: 3 } },
      { name: 'deliveryP99', title: 'p99 ms', digits: 2 },
      { name: 'acksPerSecond', title: 'acks/s' },
      ...BUS_FIGURES,
    ],
    measure: (kind, settings) => measure(kind === 'parley' ? 'apart' : 'together', settings, LIGHT),
    end,
  },
]

function crowd(where: Exclude<Where, 'alone'>, words: string): Scenario {
  return {
    id: 'P',
    title: `3 nodes, PostgreSQL, NATS: 200 users, window 8, pairs ${words} (reference: 1 node)`,
    servers: ['reference', 'parley'],
    figures: [
      { name: 'acksPerSecond', title: 'acks/s', limit: { of: 'ratio', atLeast: 1 } },
      ...ENGINE_FIGURES.map((figure) =>
        figure.name === 'nodeMicroseconds' ? { ...figure, title: 'CPU of all nodes, µs a message' } : figure,
      ),
      ...BUS_FIGURES,
      { name: 'deliveryP50', title: 'sent to delivered, p50 ms', digits: 2 },
      { name: 'deliveryP99', title: 'p99 ms', digits: 2 },
      { name: 'serverCores', title: 'cores of all nodes', digits: 2 },
      { name: 'engineCores', title: 'cores of PostgreSQL', digits: 2 },
      { name: 'clientCores', title: 'load cores', digits: 2 },
      { name: 'turnedAway', title: 'told to come back' },
    ],
    measure: (kind, settings) => measure(kind === 'parley' ? where : 'alone', settings, CROWD),
    turns: TURNS,
    end,
  }
}

/** By the number of their nodes. */
const kept = new Map<number, Deployment>()

async function deploymentOf(size: number, settings: Settings): Promise<Deployment> {
  const known = kept.get(size)
  if (known) return known
  const deployment = await Deployment.start(size)
  kept.set(size, deployment)
  const warming = loadOn(deployment, 'anywhere', CROWD, {
    ...settings,
    ...{ warmUpMs: size * FIRST_WARM_UP_MS, measureMs: 0 },
  })
  // That it is warm, how it was, and that all of it arrived.
  for (let word = 0; word < 3; word++) await warming.next()
  return deployment
}

async function end(): Promise<void> {
  for (const deployment of kept.values()) await deployment.close()
  kept.clear()
}

interface Times {
  readonly warmUpMs: number
  readonly measureMs: number
}

function loadOn(
  { first, ports }: Deployment,
  where: Where,
  load: typeof CROWD | typeof LIGHT,
  { isQuick, warmUpMs, measureMs }: Pick<Settings, 'isQuick'> & Times,
): Load {
  const crowd = isQuick ? { ...load, conversations: QUICK_CONVERSATIONS } : load
  return new Load('chat', {
    ...{ ready: first.ready, ports: placed(crowd, where, ports), ...crowd },
    ...{ warmUpMs: isQuick ? 100 : warmUpMs, measureMs },
  } satisfies ChatInput)
}

async function measure(where: Where, settings: Settings, crowd: typeof CROWD | typeof LIGHT): Promise<Sample> {
  const deployment = await deploymentOf(where === 'alone' ? 1 : NODES, settings)
  const times = { warmUpMs: WARM_UP_MS, measureMs: settings.seconds * 1000 }
  const load = loadOn(deployment, where, crowd, { ...settings, ...times })
  await load.next()
  const before = await deployment.look()
  const { result } = await observed(deployment.first, { name: `nodes-${where}`, settings }, () =>
    load.next<ChatResult>(),
  )
  const after = await deployment.look()
  const { lost } = await load.next<{ lost: number }>()
  const { acknowledged, turnedAway, seconds, clientCores, deliveries } = result
  const each = (figure: (look: DeploymentLook) => number) => (figure(after) - figure(before)) / acknowledged
  return {
    acksPerSecond: acknowledged / seconds,
    deliveryP50: deliveries.p50,
    deliveryP99: deliveries.p99,
    nodeMicroseconds: each(({ nodesCpuSeconds }) => nodesCpuSeconds) * 1e6,
    ...perMessage({ before: before.engine, after: after.engine }, acknowledged),
    busMessages: each(({ bus }) => bus.messagesIn),
    busBytes: each(({ bus }) => bus.bytesIn),
    busBytesHeard: each(({ bus }) => bus.bytesOut),
    busMicroseconds: each(({ bus }) => bus.cpuSeconds) * 1e6,
    serverCores: (after.nodesCpuSeconds - before.nodesCpuSeconds) / seconds,
    engineCores: (after.engine.cpuSeconds - before.engine.cpuSeconds) / seconds,
    clientCores,
    turnedAway,
    lost,
  }
}

/** The port of each person, by conversations: these in turn over the nodes, and their members as `where` says. */
export function placed(
  { conversations, members }: { readonly conversations: number; readonly members: number },
  where: Where,
  ports: readonly number[],
): number[] {
  const stepOf = {
    alone: () => 0,
    together: () => 0,
    apart: (person: number) => person % members,
    anywhere: (person: number) => (person % members) * Math.floor(person / members / ports.length),
  }[where]
  return Array.from(
    { length: conversations * members },
    (_, person) => ports[(Math.floor(person / members) + stepOf(person)) % ports.length]!,
  )
}

type DeploymentLook = Awaited<ReturnType<Deployment['look']>>

/** Nodes on one database, and the bus between them where there are several. */
class Deployment {
  readonly #engine: PostgresEngine
  readonly #bus: NatsEngine | undefined
  readonly #nodes: readonly Server[]

  private constructor(engine: PostgresEngine, bus: NatsEngine | undefined, nodes: readonly Server[]) {
    this.#engine = engine
    this.#bus = bus
    this.#nodes = nodes
  }

  static async start(size: number): Promise<Deployment> {
    const engine = await PostgresEngine.start()
    const bus = size > 1 ? await NatsEngine.start() : undefined
    const nodes: Server[] = []
    const deployment = new Deployment(engine, bus, nodes)
    try {
      while (nodes.length < size) {
        const app = nodes[0]?.ready.kind === 'parley' ? JSON.stringify(nodes[0].ready.app) : ''
        nodes.push(await Server.start('parley-postgres', engine.url, bus?.url ?? '', app))
      }
      return deployment
    } catch (error) {
      await deployment.close()
      throw error
    }
  }

  get first(): Server {
    return this.#nodes[0]!
  }

  get ports(): readonly number[] {
    return this.#nodes.map(({ ready }) => ready.port)
  }

  async look() {
    return {
      nodesCpuSeconds: this.#nodes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      engine: await this.#engine.look(),
      bus: (await this.#bus?.look()) ?? NO_BUS,
    }
  }

  async close(): Promise<void> {
    for (const node of this.#nodes) await node.close()
    await this.#bus?.close()
    await this.#engine.close()
  }
}

const NO_BUS = { cpuSeconds: 0, messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0 }
