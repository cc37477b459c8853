/** From people who are connected to what nodes, bus and databases have to do in the busiest hour. */
import type { Measured } from './measured.ts'

export interface Crowd {
  /** Connected at the same time. */
  readonly users: number
  /** Sent by each of them in that hour. */
  readonly messagesPerHour: number
  /** Operations besides the message itself: receipts, mostly. They cost about as much as it does. */
  readonly receiptsPerMessage: number
  /** Connections that hear of an operation, the sender's own included. */
  readonly listeners: number
}

export interface Deployment {
  /** At one node. */
  readonly connectionsPerNode: number
  /** Of a node's one JavaScript thread, and of a database's cores: what may be used in that hour. */
  readonly share: number
  readonly coresPerDatabase: number
  /**
   * Whether every node hears every commit, or only those that concern people connected to it (decision 30): then
   * a commit is heard by as many nodes as its listeners are spread over.
   */
  readonly bus: 'everybody' | 'by interest'
}

export interface Need {
  readonly operationsPerSecond: number
  readonly deliveriesPerSecond: number
  readonly nodes: number
  /** Why there are so many. */
  readonly nodesBoundBy: 'connections' | 'CPU' | 'the bus'
  /** Of one node's thread, all together. */
  readonly coresPerNode: number
  readonly heardPerSecondAndNode: number
  readonly busMebibytesPerSecond: number
  readonly operationsPerCommit: number
  readonly databases: number
  readonly storeCores: number
  readonly logMebibytesPerSecond: number
  readonly tableGibibytesPerDay: number
}

/** A busy hour is about a tenth of a day. */
const BUSY_HOURS_PER_DAY = 10
const MAX_NODES = 1_000_000

/** What a crowd needs; undefined if no number of nodes is enough, because hearing alone fills each of them. */
export function needOf(crowd: Crowd, deployment: Deployment, costs: Measured): Need | undefined {
  const messagesPerSecond = (crowd.users * crowd.messagesPerHour) / 3_600
  const operationsPerSecond = messagesPerSecond * (1 + crowd.receiptsPerMessage)
  const deliveriesPerSecond = operationsPerSecond * crowd.listeners
  const byConnections = Math.ceil(crowd.users / deployment.connectionsPerNode)
  const work = (nodes: number) => coresOfNode({ operationsPerSecond, nodes, crowd, deployment, costs })
  let nodes = byConnections
  while (work(nodes) > deployment.share) {
    nodes = Math.ceil(nodes * 1.1)
    if (nodes > MAX_NODES) return undefined
  }
  const commitsPerSecond = nodes * commitsOfNode(operationsPerSecond / nodes, costs)
  const storeCores =
    (operationsPerSecond * costs.storeMicrosecondsOfSend + commitsPerSecond * costs.storeMicrosecondsOfCommit) / 1e6
  const copies = hearersOf(nodes, crowd, deployment)
  const tableBytesPerDay = messagesPerSecond * 3_600 * BUSY_HOURS_PER_DAY * costs.tableBytesOfSend
  return {
    operationsPerSecond,
    deliveriesPerSecond,
    nodes,
    nodesBoundBy: nodes === byConnections ? 'connections' : isMostlyHearing(nodes) ? 'the bus' : 'CPU',
    coresPerNode: work(nodes),
    heardPerSecondAndNode: (operationsPerSecond * copies) / nodes,
    busMebibytesPerSecond: (operationsPerSecond * copies * costs.busBytesOfSend) / 2 ** 20,
    operationsPerCommit: operationsPerSecond / commitsPerSecond,
    databases: Math.ceil(storeCores / (deployment.coresPerDatabase * deployment.share)),
    storeCores,
    logMebibytesPerSecond: (operationsPerSecond * costs.logBytesOfSend) / 2 ** 20,
    tableGibibytesPerDay: tableBytesPerDay / 2 ** 30,
  }

  function isMostlyHearing(count: number): boolean {
    const hearing =
      (operationsPerSecond * hearersOf(count, crowd, deployment) * costs.nodeMicrosecondsOfHearing) / count
    return hearing / 1e6 > work(count) / 2
  }
}

/** Nodes that hear of an operation, besides the one that committed it. */
export function hearersOf(nodes: number, { listeners }: Crowd, { bus }: Pick<Deployment, 'bus'>): number {
  if (bus === 'everybody') return nodes - 1
  // Listeners are at nodes by chance: how many different ones, without the committing one.
  return nodes * (1 - (1 - 1 / nodes) ** listeners) * (1 - 1 / nodes)
}

function coresOfNode(of: {
  readonly operationsPerSecond: number
  readonly nodes: number
  readonly crowd: Crowd
  readonly deployment: Deployment
  readonly costs: Measured
}): number {
  const { operationsPerSecond, nodes, crowd, deployment, costs } = of
  const own =
    costs.nodeMicrosecondsOfSend +
    costs.nodeMicrosecondsOfListener * crowd.listeners +
    (nodes > 1 ? costs.nodeMicrosecondsOfSaying : 0)
  const heard = hearersOf(nodes, crowd, deployment) * costs.nodeMicrosecondsOfHearing
  const commits = commitsOfNode(operationsPerSecond / nodes, costs) * costs.nodeMicrosecondsOfCommit
  return ((operationsPerSecond * (own + heard)) / nodes + commits) / 1e6
}

/** One at a time: with little to do each operation is a commit of its own, with much a commit takes what has gathered. */
const commitsOfNode = (operationsPerSecond: number, { commitMilliseconds }: Measured): number =>
  Math.min(operationsPerSecond, 1_000 / commitMilliseconds)
