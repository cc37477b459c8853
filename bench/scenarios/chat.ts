/** A: 1:1 chat. B: one conversation that everybody hears. */
import type { ChatInput } from '../load/chat.ts'
import { Chat } from '../load/start-chat.ts'
import { Server } from '../servers/start-server.ts'
import { type Figure, observed, type Sample, type Scenario, type ServerKind, type Settings } from './scenario.ts'

type Crowd = Pick<ChatInput, 'conversations' | 'members' | 'senders' | 'window'>

const WARM_UP_MS = 2_000

const common: readonly Figure[] = [
  { name: 'p99', title: 'p99 ms', digits: 2 },
  { name: 'serverCores', title: 'server cores', digits: 2 },
  { name: 'clientCores', title: 'load cores', digits: 2 },
  { name: 'peakMiB', title: 'peak MiB' },
  { name: 'turnedAway', title: 'told to come back' },
]

const pairs = (users: number, window: number, figures: readonly Figure[]): Scenario =>
  scenario('A', `1:1 chat, ${users} users, window ${window}`, figures, {
    conversations: users / 2,
    members: 2,
    senders: 2,
    window,
  })

const room = (members: number): Scenario =>
  scenario('B', `one conversation of ${members}, 10 senders, window 1`, ROOM, {
    conversations: 1,
    members,
    senders: 10,
    window: 1,
  })

const ACKS = { name: 'acksPerSecond', title: 'acks/s' }
const ROOM: readonly Figure[] = [
  { name: 'acksPerSecond', title: 'messages/s' },
  { name: 'deliveriesPerSecond', title: 'deliveries/s', limit: { of: 'ratio', atLeast: 0.7 } },
  { name: 'p50', title: 'p50 ms', digits: 2 },
  { name: 'cpuPer100kDeliveries', title: 'CPU s per 100k deliveries', digits: 2 },
  ...common,
]
const CROWD: readonly Figure[] = [
  { ...ACKS, limit: { of: 'ratio', atLeast: 0.5 } },
  { name: 'cpuPer100kMessages', title: 'CPU s per 100k messages', digits: 2, limit: { of: 'figure', atMost: 3.5 } },
  { name: 'p50', title: 'p50 ms', digits: 2 },
  ...common,
]

const variant = (of: Scenario): Scenario => ({ ...of, isVariant: true })

export const chatScenarios: readonly Scenario[] = [
  pairs(2, 1, [
    ACKS,
    { name: 'p50', title: 'p50 ms', digits: 2, limit: { of: 'ratio', atMost: 1.8 } },
    { name: 'p99', title: 'p99 ms', digits: 2 },
  ]),
  pairs(100, 8, CROWD),
  variant(pairs(1_000, 8, CROWD)),
  room(100),
  variant(room(1_000)),
]

function scenario(id: 'A' | 'B', title: string, figures: readonly Figure[], crowd: Crowd): Scenario {
  return {
    id,
    title,
    servers: ['reference', 'parley'],
    figures,
    measure: (kind, settings) => measure(kind, title, settings, crowd),
  }
}

/** Few enough for a look whether it works. */
const quick = (crowd: Crowd): Crowd => ({
  ...crowd,
  conversations: Math.min(crowd.conversations, 5),
  members: Math.min(crowd.members, 25),
})

async function measure(kind: ServerKind, name: string, settings: Settings, crowd: Crowd): Promise<Sample> {
  const server = await Server.start(kind)
  try {
    const measureMs = settings.seconds * 1000
    const warmUpMs = settings.isQuick ? 100 : WARM_UP_MS
    const size = settings.isQuick ? quick(crowd) : crowd
    const chat = await Chat.open({ ready: server.ready, ...size })
    const { seen, lost } = await chat.talk({ warmUpMs, measureMs }, (counted) =>
      observed(server, { name, settings }, counted),
    )
    await chat.close()
    const { result, cpuSeconds } = seen
    const { acknowledged, delivered, turnedAway, seconds, clientCores } = result
    return {
      acksPerSecond: acknowledged / seconds,
      deliveriesPerSecond: delivered / seconds,
      ...result.latencies,
      cpuPer100kMessages: (cpuSeconds / acknowledged) * 100_000,
      cpuPer100kDeliveries: (cpuSeconds / delivered) * 100_000,
      serverCores: cpuSeconds / seconds,
      clientCores,
      peakMiB: server.peakMiB,
      turnedAway,
      lost,
    }
  } finally {
    await server.close()
  }
}
