/** E: full sign-ins, fifty at a time, with tokens signed by RS256; first as the SDK does it, which is what counts. */
import type { SignInInput, SignInResult, Way } from '../load/sign-in.ts'
import { Load } from '../load/start-load.ts'
import { Server } from '../servers/start-server.ts'
import { type Figure, observed, type Sample, type Scenario, type ServerKind, type Settings } from './scenario.ts'

const AT_ONCE = 50
const WARM_UP_MS = 1_500

const figures = (limit: Pick<Figure, 'limit'>): readonly Figure[] => [
  { name: 'signInsPerSecond', title: 'sign-ins/s', ...limit },
  { name: 'p50', title: 'p50 ms', digits: 1 },
  { name: 'p95', title: 'p95 ms', digits: 1 },
  { name: 'cpuMs', title: 'server CPU ms each', digits: 3 },
  { name: 'perServerCore', title: 'sign-ins/s per server core' },
  { name: 'serverCores', title: 'server cores', digits: 2 },
  { name: 'clientCores', title: 'load cores, signing included', digits: 2 },
]

export const signInScenarios: readonly Scenario[] = [
  {
    id: 'E',
    title: 'sign-ins on the socket, each device with a connection of its own',
    servers: ['reference', 'parley'],
    figures: figures({ limit: { of: 'figure', atLeast: 1_200 } }),
    measure: (kind, settings) => measure(kind, settings, 'socket'),
  },
  {
    id: 'E',
    title: 'sign-ins, HTTP through a connection of its own',
    isVariant: true,
    servers: ['parley'],
    figures: figures({}),
    measure: (kind, settings) => measure(kind, settings, 'http'),
  },
  {
    id: 'E',
    title: 'sign-ins, HTTP through connections that a proxy keeps',
    isVariant: true,
    servers: ['parley'],
    figures: figures({}),
    measure: (kind, settings) => measure(kind, settings, 'pooled'),
  },
]

async function measure(kind: ServerKind, settings: Settings, way: Way): Promise<Sample> {
  const server = await Server.start(kind)
  try {
    const { ready } = server
    const measureMs = settings.seconds * 1000
    const warmUpMs = settings.isQuick ? 200 : WARM_UP_MS
    const load = new Load('sign-in', { ready, atOnce: AT_ONCE, warmUpMs, measureMs, way } satisfies SignInInput)
    await load.next()
    const name = `sign-in-${way}`
    const { result, cpuSeconds } = await observed(server, { name, settings }, () => load.next<SignInResult>())
    const { signIns, seconds, clientCores } = result
    await load.close()
    return {
      signInsPerSecond: signIns / seconds,
      ...result.latencies,
      cpuMs: (cpuSeconds / signIns) * 1000,
      perServerCore: signIns / cpuSeconds,
      serverCores: cpuSeconds / seconds,
      clientCores,
      lost: 0,
    }
  } finally {
    await server.close()
  }
}
