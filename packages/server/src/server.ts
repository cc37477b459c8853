import type { AddressInfo } from 'node:net'
import { limits } from '@parley/protocol'
import { type Assembled, assemble } from './assemble.ts'
import { type Clock, systemClock } from './clock.ts'
import { createHttpServer } from './edge/http/http-server.ts'
import { countOpenRequests } from './edge/http/open-requests.ts'
import { layerRoutes } from './edge/layer/routes.ts'
import { answerUpgrades } from './edge/sockets/upgrades.ts'
import { standAsideWhileCutOff } from './jobs/standing-aside.ts'
import { nodeName } from './node-name.ts'
import { figuresOf } from './observability/figures.ts'
import { type MetricsPlace, openMetricsDoor } from './observability/metrics-door.ts'
import type { Readiness } from './observability/readiness.ts'
import { Tally } from './observability/tally.ts'
import { timedStore } from './observability/timed-store.ts'
import { TracedTally, tracedStore, traceRequests } from './observability/traced.ts'
import type { Tracing } from './observability/tracing.ts'
import { openBus } from './open-bus.ts'
import { openStore, type StorePlace } from './open-store.ts'
import type { Store } from './store/store.ts'

/** Either `dataFolder`, where the embedded store lives, or `store`. Whichever it is, it is made if it is not there. */
export interface ServerOptions extends StorePlace {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free one. */
  readonly port?: number
  /** Where clients reach this server, when that is not where it listens (behind a proxy). */
  readonly publicUrl?: string
  /** Pages of which origins may call; default any. Tokens, not cookies, say who calls. */
  readonly allowedOrigins?: readonly string[]
  /** Development only: key sets may be fetched from this machine. */
  readonly development?: boolean
  /** Sockets at a time, default 50,000; and from one address, by default as many. Whoever finds no room is told so. */
  readonly maxConnections?: number
  readonly maxConnectionsPerAddress?: number
  /** Most participants of a conversation, 2 to 5,000; default 25, which is what Layer's clients count on. */
  readonly maxParticipants?: number
  /** Shows figures to Prometheus, at a door of its own; without it they are shown to nobody. */
  readonly metrics?: MetricsPlace
  /** Is told of requests, operations and calls of the store while they are under way; without it nobody is. */
  readonly tracing?: Tracing
  /** Where servers on one PostgreSQL hear of each other, such as `nats://nats.example:4222`; hosts after commas. */
  readonly bus?: string
  readonly log?: (message: string, details: Record<string, unknown>) => void
}

export interface RunningServer {
  readonly url: string
  readonly websocketUrl: string
  /** Where figures are shown, if they are. */
  readonly metricsUrl?: string
  /**
   * Resolves, if ever, with why this server can do its work no more and only one started anew can. It answers everybody
   * with a refusal until whoever runs it closes it, and should then end.
   */
  readonly failed: Promise<string>
  /** Sends clients elsewhere, finishes what was taken on, closes the store. Safe to call twice. */
  close(options?: StopOptions): Promise<void>
}

export interface StopOptions {
  /** How long all of that may take; default 3 s. Whoever is still connected then is sent away at once. */
  readonly drainMs?: number
  /** How long those who direct people here may take to notice that it is not ready; nobody is sent away before. Default 0. */
  readonly noticeMs?: number
}

/** Of this package; all of Parley has one version. */
export const VERSION = '0.1.0'

/** Connections that the system may keep for us until we take them; thousands come back at once after a restart. */
const BACKLOG = 4_096

/** Of the time for a stop, what is kept for those who did not go by themselves. */
const LAST_WORDS_MS = 500

/**
 * Sign-ins leave for the store this often, when many come: at a thousand a second some five go together. One more such wait
 * is nothing beside the round trips of a sign-in.
 */
const SIGN_INS_EVERY_MS = 5

/** Clients told to go come back spread over this window. */
const RETURN_WINDOW_MS = 5_000

/** Starts a server on the store that is named. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { log, bus } = options
  const store = await openStore(options, { isServing: true, hasBus: bus !== undefined, ...(log && { log }) })
  try {
    return await serve(store, options)
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Starts a server on a store that is open already; it is closed with the server. */
export async function serve(
  opened: Store,
  options: Omit<ServerOptions, keyof StorePlace> & { readonly clock?: Clock },
): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 0, maxConnections = 50_000, clock = systemClock } = options
  const log = options.log ?? (() => undefined)
  let url = options.publicUrl ?? ''
  let isClosing = false
  const { development = false, maxParticipants = limits.maxParticipants } = options
  checkMaxParticipants(maxParticipants)
  const { tracing } = options
  const tally = tracing ? new TracedTally(tracing, clock) : new Tally()
  const timed = options.metrics ? timedStore(opened, tally) : opened
  const store = tracing ? tracedStore(timed, tracing) : timed
  const node = nodeName()
  const bus = await openBus(store, { address: options.bus, node, clock, log })
  const { edge, readiness, hasStore, startJobs, nodes } = await assemble(store, {
    ...{ clock, log, tally, baseUrl: () => url, development, maxParticipants },
    signInsEveryMs: SIGN_INS_EVERY_MS,
    ...(bus && { bus, node }),
  }).catch(async (error) => {
    await bus?.close()
    throw error
  })
  const isOriginAllowed = (origin: string) => options.allowedOrigins?.includes(origin) ?? true
  const http = createHttpServer(edge, {
    isOriginAllowed,
    unreadiness: () => readiness.reasons,
    isAway: () => isClosing || sockets.isAway,
    nodes,
    countsRequests: options.metrics !== undefined,
    watchRequests: tracing && ((http) => traceRequests(http, tracing)),
  })
  readiness.expect(() => (isClosing ? 'The server is being stopped.' : undefined))
  const failed = watchStore(store, readiness, log)
  layerRoutes(http, edge)
  const openRequests = countOpenRequests(http.server)
  const sockets = answerUpgrades(http.server, edge, {
    isOriginAllowed,
    maxConnections,
    maxConnectionsPerAddress: options.maxConnectionsPerAddress,
  })
  const metrics = options.metrics && (await showFigures(options.metrics, { edge, readiness, nodes }))
  try {
    await http.listen({ host, port, backlog: BACKLOG })
  } catch (error) {
    await metrics?.close()
    throw error
  }
  const address = http.server.address() as AddressInfo
  url ||= `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`
  const stopJobs = startJobs()
  const stopLooking = nodes
    ? standAsideWhileCutOff({
        ...{ sockets, clock, log },
        isSilent: () => !hasStore(),
        isStoreElsewhere: () => nodes.isStoreElsewhere,
      })
    : () => undefined

  let closed: Promise<void> | undefined
  const close = async ({ drainMs = 3_000, noticeMs = 0 }: StopOptions) => {
    isClosing = true
    stopJobs()
    stopLooking()
    const deadline = performance.now() + drainMs
    const before = async (time: number, isOver: () => boolean) => {
      while (!isOver() && performance.now() < time) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    const lastMoveMs = drainMs - LAST_WORDS_MS
    if (lastMoveMs > 0) sockets.drain({ noticeMs: Math.min(noticeMs, lastMoveMs), withinMs: lastMoveMs })
    await before(deadline - LAST_WORDS_MS, () => sockets.size === 0)
    sockets.sendAway(RETURN_WINDOW_MS)
    await before(deadline, () => sockets.size === 0 && openRequests() === 0)
    await edge.lane.close()
    await nodes?.close()
    await http.close()
    sockets.terminate()
    await store.close()
    await metrics?.close()
    await tracing?.close?.()
  }
  return {
    url,
    websocketUrl: url.replace(/^http/, 'ws'),
    ...(metrics && { metricsUrl: metrics.url }),
    failed,
    close: (options = {}) => {
      closed ??= close(options)
      return closed
    },
  }
}

async function showFigures(
  place: MetricsPlace,
  { edge, readiness, nodes }: Pick<Assembled, 'edge' | 'readiness' | 'nodes'>,
) {
  const { tally, lane, greetings, store } = edge
  const figures = figuresOf({ tally, lane, greetings, readiness, storeThreads: store.threads, nodes, version: VERSION })
  const { Metrics } = await import('./observability/metrics.ts')
  return openMetricsDoor(new Metrics(figures), place)
}

/** A store that is lost makes the server unready at once; one that a new process would have again makes this one fail. */
function watchStore(store: Store, readiness: Readiness, log: NonNullable<ServerOptions['log']>): Promise<string> {
  return new Promise((fail) => {
    void store.lost?.then(({ sentence, cause, remedy }) => {
      readiness.expect(() => sentence)
      log('the store is lost', { reason: sentence, remedy, ...(cause !== undefined && { error: String(cause) }) })
      if (remedy === 'restart') fail(sentence)
    })
  })
}

function checkMaxParticipants(count: number): void {
  const max = limits.maxParticipantsAnywhere
  if (Number.isInteger(count) && count >= 2 && count <= max) return
  throw new RangeError(`maxParticipants is a whole number from 2 to ${max}, not ${count}.`)
}
