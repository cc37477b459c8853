/** D: a device without anything reads ten thousand messages in a hundred conversations. */
import { median } from '../figures/statistics.ts'
import type { CatchUpInput, CatchUpResult } from '../load/catch-up.ts'
import { Load } from '../load/start-load.ts'
import { Server } from '../servers/start-server.ts'
import { observed, type Sample, type Scenario, type ServerKind, type Settings } from './scenario.ts'

export const MISSED = { conversations: 100, messages: 10_000 } as const
export const QUICKLY_MISSED = { conversations: 10, messages: 300 } as const

/** As long as other scenarios do. */
const WARM_UP_MS = 2_000
const TIMES = 10

export const catchUpScenario: Scenario = {
  id: 'D',
  title: 'catch-up of 10,000 messages, raw',
  servers: ['reference', 'parley'],
  figures: [
    { name: 'messagesPerSecond', title: 'messages/s', limit: { of: 'ratio', atLeast: 0.5 } },
    { name: 'wallMs', title: 'ms' },
    { name: 'firstMs', title: 'ms of the first device after a start' },
    { name: 'serverMs', title: 'server CPU ms each' },
    { name: 'serverCores', title: 'server cores', digits: 2 },
    { name: 'clientCores', title: 'load cores', digits: 2 },
  ],
  measure,
}

async function measure(kind: ServerKind, settings: Settings): Promise<Sample> {
  const missed = settings.isQuick ? QUICKLY_MISSED : MISSED
  const server = await Server.start(kind)
  try {
    const times = settings.isQuick ? 2 : TIMES
    const warmUpMs = settings.isQuick ? 100 : WARM_UP_MS
    const load = new Load('catch-up', { ready: server.ready, warmUpMs, times, ...missed } satisfies CatchUpInput)
    await load.next()
    const { result, cpuSeconds } = await observed(server, { name: 'catch-up', settings }, () =>
      load.next<CatchUpResult>(),
    )
    const wallMs = median(result.wallMs)
    return {
      messagesPerSecond: (missed.messages / wallMs) * 1000,
      wallMs,
      firstMs: result.firstMs,
      serverMs: (cpuSeconds / times) * 1000,
      serverCores: cpuSeconds / result.seconds,
      clientCores: result.clientCores,
      lost: result.lost,
    }
  } finally {
    await server.close()
  }
}
