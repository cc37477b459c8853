import { Departures } from './authentication/departures.ts'
import { guardedFetchKeySet } from './authentication/fetch-key-set.ts'
import { IdentityTokens } from './authentication/identity-tokens.ts'
import { KeySets } from './authentication/key-sets.ts'
import { KnownApps } from './authentication/known-apps.ts'
import { Sessions, type SessionsOptions } from './authentication/sessions.ts'
import type { Bus } from './bus/bus.ts'
import type { Clock } from './clock.ts'
import { Attendance } from './delivery/attendance.ts'
import { Delivery } from './delivery/delivery.ts'
import type { Edge } from './edge/edge.ts'
import { Gate } from './edge/gate.ts'
import { HeldRoom } from './edge/native/held-frames.ts'
import { withFailPoint } from './fail-point.ts'
import { startJobs } from './jobs/jobs.ts'
import { StorePulse } from './jobs/store-pulse.ts'
import { joinNodes, type Nodes } from './join-nodes.ts'
import { nodeName } from './node-name.ts'
import { Readiness } from './observability/readiness.ts'
import { Tally } from './observability/tally.ts'
import type { Committed } from './operations/committed.ts'
import { WriteLane } from './operations/lane.ts'
import type { Store } from './store/store.ts'

/** Enough to keep the store's reading thread busy, few enough that others' reads wait behind no more. */
const GREETINGS_AT_ONCE = 64

export interface AssembleOptions {
  readonly clock: Clock
  readonly log: (message: string, details: Record<string, unknown>) => void
  readonly baseUrl: () => string
  /** Development only: key sets may be fetched from this machine. */
  readonly development?: boolean
  readonly maxParticipants?: number
  /** Where everything that is done is counted. */
  readonly tally?: Tally
  /** Those who sign in within so long of each other do so together; without it everybody at once. */
  readonly signInsEveryMs?: number
  /** The rest is for simulations: who looks at identity tokens, where chance comes from, when a turn ends. */
  readonly tokens?: SessionsOptions['tokens']
  readonly random?: SessionsOptions['random']
  readonly soon?: (callback: () => void) => void
  /** Joins this server with others on its store. Left out where it is the only one. */
  readonly bus?: Bus
  /** Its name among them, nobody else's. */
  readonly node?: string
}

export interface Assembled {
  readonly edge: Edge
  readonly readiness: Readiness
  /** Whether the store answers. */
  readonly hasStore: () => boolean
  readonly startJobs: () => () => void
  /** Undefined for a server that is the only one on its store. */
  readonly nodes: Nodes | undefined
}

/** Everything a server does but listen: its parts over one store, joined. The doors are opened by whoever calls. */
export async function assemble(store: Store, options: AssembleOptions): Promise<Assembled> {
  const { clock, log, baseUrl, bus, soon, node = nodeName() } = options
  const tally = options.tally ?? new Tally()
  const delivery = new Delivery(store.streams, { tally, isAlone: !bus })
  const attendance = new Attendance(delivery, clock)
  let publish = (committed: readonly Committed[]) => delivery.publish(committed)
  const lane = new WriteLane({
    store,
    publish: withFailPoint((committed) => publish(committed)),
    now: () => clock.now(),
    log,
    tally,
    ...(options.maxParticipants !== undefined && { maxParticipants: options.maxParticipants }),
    ...(soon && { soon }),
  })
  const keySets = new KeySets(guardedFetchKeySet(options.development ?? false), () => clock.now(), tally)
  const sessions = new Sessions({
    store,
    lane,
    tokens: options.tokens ?? new IdentityTokens(store, keySets),
    clock,
    secret: await store.apps.secret(),
    log,
    tally,
    ...(options.random && { random: options.random }),
    ...(options.signInsEveryMs && { departures: new Departures(options.signInsEveryMs) }),
  })
  const pulse = new StorePulse(!bus)
  const hasStore = () => pulse.trouble === undefined
  const nodes =
    bus &&
    (await joinNodes({
      ...{ bus, node, store, delivery, attendance, lane, sessions, clock, log, hasStore },
      ...(soon && { soon }),
    }))
  if (nodes) publish = (committed) => nodes.publish(committed)
  const readiness = new Readiness()
  readiness.expect(() => pulse.trouble)
  return {
    readiness,
    nodes,
    hasStore,
    edge: {
      store,
      lane,
      delivery,
      attendance,
      sessions,
      knownApps: new KnownApps(store, clock),
      clock,
      tally,
      greetings: new Gate(GREETINGS_AT_ONCE),
      heldRoom: new HeldRoom(),
      log,
      baseUrl,
    },
    startJobs: () => startJobs({ sessions, store, clock, pulse, node, log }),
  }
}
