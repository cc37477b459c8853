/** C: what a connection costs that says nothing. */
import type { IdleInput } from '../load/idle.ts'
import { Load } from '../load/start-load.ts'
import { Server } from '../servers/start-server.ts'
import type { Sample, Scenario, ServerKind, Settings } from './scenario.ts'

/** At few connections, what is measured is mostly the slack of the heap. */
const JUDGED_AT = 10_000
const LIMIT_KIB = 12

export const idleScenarios: readonly Scenario[] = [2_000, JUDGED_AT].map((connections) => ({
  id: 'C',
  title: `${connections.toLocaleString('en')} idle authenticated connections`,
  servers: ['reference', 'parley'],
  isVariant: connections !== JUDGED_AT,
  figures: [
    {
      name: 'kibPerConnection',
      title: 'KiB per connection',
      digits: 1,
      ...(connections === JUDGED_AT && { limit: { of: 'figure', atMost: LIMIT_KIB } as const }),
    },
    { name: 'connectsPerSecond', title: 'connects/s while they come' },
  ],
  measure: (kind, settings) => measure(kind, settings, connections),
}))

async function measure(kind: ServerKind, { isQuick }: Settings, connections: number): Promise<Sample> {
  const count = isQuick ? connections / 100 : connections
  const server = await Server.start(kind)
  try {
    await server.settle()
    const before = server.proportionalKiB
    const load = new Load('idle', { ready: server.ready, connections: count } satisfies IdleInput)
    const { seconds } = await load.next<{ seconds: number }>()
    await server.settle()
    const after = server.proportionalKiB
    load.say('count')
    const { lost } = await load.next<{ lost: number }>()
    await load.close()
    return {
      kibPerConnection: (after - before) / count,
      connectsPerSecond: count / seconds,
      beforeMiB: before / 1024,
      afterMiB: after / 1024,
      lost,
    }
  } finally {
    await server.close()
  }
}
