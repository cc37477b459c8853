import { byName, counter, type Figure, gauge, histogram, one } from './figure.ts'
import { figuresOfNodes, type NodesFigures } from './figures-of-nodes.ts'
import type { Tally } from './tally.ts'

/** What figures are read from. */
export interface FiguresSource {
  readonly tally: Tally
  readonly lane: { readonly waiting: number; readonly oldestWaitMs: number; readonly isPressed: boolean }
  /** Connections that said hello and wait to be looked up. */
  readonly greetings: { readonly waiting: number }
  readonly readiness: { readonly reasons: readonly string[] }
  /** Seconds that each thread of the store was busy; none for a store without threads. */
  readonly storeThreads?: (() => readonly { readonly name: string; readonly busySeconds: number }[]) | undefined
  /** Undefined for a server that is the only one on its store. */
  readonly nodes?: NodesFigures | undefined
  readonly version: string
}

/** Everything a server shows of itself besides what any Node process does. No label holds an id. */
export function figuresOf({
  tally,
  lane,
  greetings,
  readiness,
  storeThreads,
  nodes,
  version,
}: FiguresSource): Figure[] {
  const { connections } = tally
  const dialects = Object.entries(connections)
  return [
    gauge('parley_build_info', 'Which version runs; always 1.', () => [{ labels: { version }, value: 1 }]),
    gauge('parley_ready', '1 if /readyz says so, 0 if not.', () => one(readiness.reasons.length === 0 ? 1 : 0)),

    gauge('parley_connections', 'Sockets open at present.', () =>
      dialects.map(([dialect, { open }]) => ({ labels: { dialect }, value: open })),
    ),
    counter('parley_connections_opened_total', 'Sockets opened.', () =>
      dialects.map(([dialect, { opened }]) => ({ labels: { dialect }, value: opened })),
    ),
    counter('parley_upgrades_refused_total', 'Requests for a socket that were refused.', () =>
      byName('reason', tally.upgradesRefused.all),
    ),
    counter('parley_connections_too_slow_total', 'Sockets cut because their peer read too slowly.', () =>
      one(tally.slowSockets),
    ),
    gauge('parley_connections_held', 'Connections left unread, since they have enough under way.', () =>
      one(tally.heldConnections),
    ),
    gauge('parley_greetings_waiting', 'Connections that wait to be looked up.', () => one(greetings.waiting)),

    counter('parley_sign_ins_total', 'Sign-ins by what came of them: opened, or why not.', () =>
      byName('outcome', tally.signIns.all),
    ),
    counter('parley_key_set_fetches_total', 'Fetches of the keys that providers publish (JWKS).', () =>
      byName('outcome', tally.keySetFetches.all),
    ),
    histogram('parley_key_set_fetch_seconds', 'How long such a fetch took.', () => [{ of: tally.keySetSeconds }]),

    counter('parley_operations_total', 'Operations settled: done, unchanged (no stream moved), or why not.', () =>
      tally.operations.map(([operation, outcome, value]) => ({ labels: { operation, outcome }, value })),
    ),
    histogram('parley_operation_seconds', 'From taking an operation on to settling it.', () => [
      { of: tally.operationSeconds },
    ]),
    counter('parley_operations_turned_away_total', 'Operations for which there was no room: overload.', () =>
      one(tally.turnedAway),
    ),
    counter('parley_rate_limited_total', 'What was not done because one peer asked too much.', () =>
      byName('what', tally.rateLimited.all),
    ),

    gauge('parley_lane_waiting', 'Operations that wait for a batch.', () => one(lane.waiting)),
    gauge('parley_lane_oldest_wait_seconds', 'How long the oldest unsettled operation has waited.', () =>
      one(lane.oldestWaitMs / 1_000),
    ),
    gauge('parley_lane_pressed', '1 while what can be left out is left out.', () => one(lane.isPressed ? 1 : 0)),
    histogram('parley_batch_operations', 'Operations of a batch.', () => [{ of: tally.batchSize }]),
    histogram('parley_batch_seconds', 'Loading, deciding, committing and telling a batch.', () => [
      { of: tally.batchSeconds },
    ]),
    counter('parley_batches_stale_total', 'Batches decided anew because another node was faster.', () =>
      one(tally.staleBatches),
    ),
    counter('parley_batches_put_off_total', 'Batches put off because the store was away.', () =>
      one(tally.batchesPutOff),
    ),

    counter('parley_changes_total', 'Changes that were committed and told.', () => one(tally.changes)),
    counter('parley_changes_delivered_total', 'Changes handed to connections, once for each.', () =>
      one(tally.delivered),
    ),
    counter('parley_arrivals_total', 'Devices told what moved, by where that was known.', () =>
      byName('from', tally.arrivals.all),
    ),
    counter('parley_catch_up_reads_total', 'What devices asked to read to catch up.', () =>
      byName('kind', tally.reads.all),
    ),

    histogram('parley_store_call_seconds', 'Calls of the store, from asking to the answer.', () =>
      [...tally.storeCalls].map(([call, of]) => ({ labels: { call }, of })),
    ),
    counter('parley_store_errors_total', 'Calls of the store that failed.', () =>
      byName('call', tally.storeErrors.all),
    ),
    gauge('parley_store_calls_under_way', 'Calls of the store that have no answer yet.', () =>
      one(tally.storeCallsUnderWay),
    ),
    counter('parley_store_thread_busy_seconds_total', 'How long each thread of an embedded store was busy.', () =>
      (storeThreads?.() ?? []).map(({ name, busySeconds }) => ({ labels: { thread: name }, value: busySeconds })),
    ),

    ...figuresOfNodes(nodes),

    counter('parley_http_requests_total', 'HTTP requests answered.', () =>
      tally.requests.all.map(([key, value]) => {
        const [method = '', route = '', status = ''] = key.split(' ')
        return { labels: { method, route, status }, value }
      }),
    ),
  ]
}
