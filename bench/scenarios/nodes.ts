/**
 * P: three nodes on one PostgreSQL, joined by one NATS. What they are compared with is Parley as well: one node alone, or
 * the same three with each pair on one of them.
 */
import { NatsEngine } from '../engines/nats.ts'
import { PostgresEngine } from '../engines/postgres.ts'
import type { ChatInput } from '../load/chat.ts'
import { Chat } from '../load/start-chat.ts'
import { Server } from '../servers/start-server.ts'
import { ENGINE_FIGURES, perMessage } from './postgres.ts'
import { type Figure, observed, type Sample, type Scenario, type Settings } from './scenario.ts'

const NODES = 3
/**
 * For each node: one of three sees a third of the messages that one alone does, and what it runs often is compiled that much
 * later. Those who come next have other code run for the first time, and some of what was compiled has to be once more.
 */
const FIRST_WARM_UP_MS = 10_000
const NEXT_WARM_UP_MS = 3_000
/**
 * Two deployments are measured a moment after each other, again and again, for a machine may be another one within seconds.
 * Everybody stays connected meanwhile.
 */
const TURNS = 10
const TURN_SECONDS = 1.5
/** Until batches are as large as they become, and until as many are under way as there can be. */
const TURN_WARM_UP_MS = 500

const CROWD: Crowd = { conversations: 100, members: 2, senders: 2, window: 8 }
/** Two hundred messages a second: nobody waits for anybody else. */
const LIGHT: Crowd = { conversations: 12, members: 2, senders: 1, window: 1, pauseMs: 60 }
type Crowd = Omit<ChatInput, 'ready' | 'ports'>
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
    measure: (kind, settings) => measure(kind === 'parley' ? where : 'alone', inTurns(settings), CROWD),
    turns: TURNS,
    end,
  }
}

const inTurns = (settings: Settings): Settings => ({ ...settings, seconds: Math.min(settings.seconds, TURN_SECONDS) })

/** By the number of their nodes. */
const kept = new Map<number, Deployment>()

/** One that has served for a while. */
async function deploymentOf(size: number, isQuick: boolean): Promise<Deployment> {
  const known = kept.get(size)
  if (known) return known
  const deployment = await Deployment.start(size)
  kept.set(size, deployment)
  if (!isQuick) await deployment.gather('anywhere', CROWD, FIRST_WARM_UP_MS)
  return deployment
}

async function end(): Promise<void> {
  for (const deployment of kept.values()) await deployment.close()
  kept.clear()
}

async function measure(where: Where, settings: Settings, everybody: Crowd): Promise<Sample> {
  const { isQuick } = settings
  const deployment = await deploymentOf(where === 'alone' ? 1 : NODES, isQuick)
  const crowd = isQuick ? { ...everybody, conversations: QUICK_CONVERSATIONS } : everybody
  const chat = await deployment.gather(where, crowd, isQuick ? 0 : NEXT_WARM_UP_MS)
  const times = { warmUpMs: isQuick ? 100 : TURN_WARM_UP_MS, measureMs: settings.seconds * 1000 }
  const { seen, lost } = await chat.talk(times, async (counted) => ({
    before: await deployment.look(),
    ...(await observed(deployment.first, { name: `nodes-${where}`, settings }, counted)),
    after: await deployment.look(),
  }))
  const { before, result, after } = seen
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
  #gathered: { readonly name: string; readonly chat: Chat } | undefined

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

  /** Those who are connected, if they are those and where they are wanted: else they go, others come, and talk for a while. */
  async gather(where: Where, crowd: Crowd, warmUpMs: number): Promise<Chat> {
    const name = JSON.stringify({ where, crowd })
    if (this.#gathered?.name === name) return this.#gathered.chat
    await this.#gathered?.chat.close()
    const ports = this.#nodes.map(({ ready }) => ready.port)
    const chat = await Chat.open({ ready: this.first.ready, ports: placed(crowd, where, ports), ...crowd })
    this.#gathered = { name, chat }
    await chat.talk({ warmUpMs: this.#nodes.length * warmUpMs, measureMs: 0 }, (counted) => counted())
    return chat
  }

  async look() {
    return {
      nodesCpuSeconds: this.#nodes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
      engine: await this.#engine.look(),
      bus: (await this.#bus?.look()) ?? NO_BUS,
    }
  }

  async close(): Promise<void> {
    await this.#gathered?.chat.close()
    for (const node of this.#nodes) await node.close()
    await this.#bus?.close()
    await this.#engine.close()
  }
}

const NO_BUS = { cpuSeconds: 0, messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0 }
