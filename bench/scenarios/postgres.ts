/** P: the same on PostgreSQL, beside a reference that inserts groups into one table of it. */
import { type EngineLook, PostgresEngine } from '../engines/postgres.ts'
import { median } from '../figures/statistics.ts'
import type { CatchUpInput, CatchUpResult } from '../load/catch-up.ts'
import { Chat } from '../load/start-chat.ts'
import { Load } from '../load/start-load.ts'
import { Server } from '../servers/start-server.ts'
import { MISSED, QUICKLY_MISSED } from './catch-up.ts'
import { type Figure, observed, type Sample, type Scenario, type ServerKind, type Settings } from './scenario.ts'

const WARM_UP_MS = 2_000
const TIMES = 10

const programs: Record<ServerKind, string> = { reference: 'reference-postgres', parley: 'parley-postgres' }

/** What a run took of the database: seconds of CPU, bytes of its log, transactions. */
export const ENGINE_FIGURES: readonly Figure[] = [
  { name: 'nodeMicroseconds', title: 'CPU of the node, µs a message' },
  { name: 'engineMicroseconds', title: 'CPU of PostgreSQL, µs a message' },
  { name: 'walBytes', title: 'bytes of its log a message' },
  { name: 'batch', title: 'messages in a transaction' },
]

const CROWD = { conversations: 100, members: 2, senders: 2, window: 8 } as const
const QUICK_CROWD = { ...CROWD, conversations: 5 } as const

export const postgresScenarios: readonly Scenario[] = [
  {
    id: 'P',
    title: 'PostgreSQL: 1:1 chat, 200 users, window 8',
    servers: ['reference', 'parley'],
    figures: [
      { name: 'acksPerSecond', title: 'acks/s', limit: { of: 'ratio', atLeast: 0.5 } },
      ...ENGINE_FIGURES,
      { name: 'p50', title: 'p50 ms', digits: 2 },
      { name: 'p99', title: 'p99 ms', digits: 2 },
      { name: 'serverCores', title: 'server cores', digits: 2 },
      { name: 'engineCores', title: 'cores of PostgreSQL', digits: 2 },
      { name: 'clientCores', title: 'load cores', digits: 2 },
    ],
    measure: measureChat,
  },
  {
    id: 'P',
    title: 'PostgreSQL: catch-up of 10,000 messages, raw',
    servers: ['reference', 'parley'],
    figures: [
      { name: 'messagesPerSecond', title: 'messages/s', limit: { of: 'ratio', atLeast: 0.4 } },
      { name: 'wallMs', title: 'ms' },
      { name: 'serverMs', title: 'server CPU ms each' },
      { name: 'engineMs', title: 'PostgreSQL CPU ms each' },
    ],
    measure: measureCatchUp,
  },
]

async function measureChat(kind: ServerKind, settings: Settings): Promise<Sample> {
  const engine = await PostgresEngine.start()
  const server = await Server.start(programs[kind], engine.url)
  try {
    const chat = await Chat.open({ ready: server.ready, ...(settings.isQuick ? QUICK_CROWD : CROWD) })
    const times = { warmUpMs: settings.isQuick ? 100 : WARM_UP_MS, measureMs: settings.seconds * 1000 }
    const { seen, lost } = await chat.talk(times, async (counted) => ({
      before: await engine.look(),
      ...(await observed(server, { name: 'postgres-chat', settings }, counted)),
      after: await engine.look(),
    }))
    await chat.close()
    const { before, result, cpuSeconds, after } = seen
    const { acknowledged, turnedAway, seconds, clientCores } = result
    return {
      acksPerSecond: acknowledged / seconds,
      ...result.latencies,
      nodeMicroseconds: (cpuSeconds / acknowledged) * 1e6,
      ...perMessage({ before, after }, acknowledged),
      serverCores: cpuSeconds / seconds,
      engineCores: (after.cpuSeconds - before.cpuSeconds) / seconds,
      clientCores,
      turnedAway,
      lost,
    }
  } finally {
    await server.close()
    await engine.close()
  }
}

export function perMessage(
  { before, after }: { readonly before: EngineLook; readonly after: EngineLook },
  messages: number,
) {
  return {
    engineMicroseconds: ((after.cpuSeconds - before.cpuSeconds) / messages) * 1e6,
    walBytes: (after.walBytes - before.walBytes) / messages,
    batch: messages / (after.commits - before.commits),
  }
}

async function measureCatchUp(kind: ServerKind, settings: Settings): Promise<Sample> {
  const missed = settings.isQuick ? QUICKLY_MISSED : MISSED
  const engine = await PostgresEngine.start()
  const server = await Server.start(programs[kind], engine.url)
  try {
    const times = settings.isQuick ? 2 : TIMES
    const warmUpMs = settings.isQuick ? 100 : WARM_UP_MS
    const load = new Load('catch-up', { ready: server.ready, warmUpMs, times, ...missed } satisfies CatchUpInput)
    await load.next()
    const before = await engine.look()
    const { result, cpuSeconds } = await observed(server, { name: 'postgres-catch-up', settings }, () =>
      load.next<CatchUpResult>(),
    )
    const after = await engine.look()
    const wallMs = median(result.wallMs)
    return {
      messagesPerSecond: (missed.messages / wallMs) * 1000,
      wallMs,
      serverMs: (cpuSeconds / times) * 1000,
      engineMs: ((after.cpuSeconds - before.cpuSeconds) / times) * 1000,
      lost: result.lost,
    }
  } finally {
    await server.close()
    await engine.close()
  }
}
