import { byName, counter, type Figure, gauge, one, type Sample } from './figure.ts'

/** Why a message on the bus was of no use. What was said and heard in good order is counted by the bus. */
const PASSED_OVER = [
  'oversized',
  'malformed',
  'other-version',
  'forged',
  'unknown',
  'repeated',
  'missing',
  'own',
  'past',
] as const

type Numbers<Name extends string> = Readonly<Record<Name, number>>

/** What a server knows of the others on its store, and of the bus between them; counted where it happens. */
export interface NodesFigures {
  readonly bus: 'connected' | 'degraded' | 'none'
  readonly isDegraded: boolean
  /** Other servers that are heard at present. */
  readonly others: number
  readonly counts: {
    readonly bus: Numbers<'published' | 'publishedBytes' | 'received' | 'receivedBytes' | 'dropped' | 'losses'>
    readonly exchange: Numbers<(typeof PASSED_OVER)[number]>
    readonly follower: Numbers<
      'told' | 'old' | 'notOurs' | 'refuted' | 'overloaded' | 'reads' | 'failedReads' | 'polls' | 'failedPolls'
    >
  }
}

/** A server that is the only one on its store shows the names of these and no numbers. */
export function figuresOfNodes(nodes: NodesFigures | undefined): Figure[] {
  const known = (samples: (nodes: NodesFigures) => readonly Sample[]) => () => (nodes ? samples(nodes) : [])
  return [
    gauge(
      'parley_bus_connected',
      '1 while NATS answers, 0 while it is away or none was given.',
      known(({ bus }) => one(bus === 'connected' ? 1 : 0)),
    ),
    gauge(
      'parley_degraded',
      '1 while the store is looked into, since other servers may not be heard; listeners are told up to seconds later.',
      known(({ isDegraded }) => one(isDegraded ? 1 : 0)),
    ),
    gauge(
      'parley_other_servers',
      'Other servers on the store that are heard at present.',
      known(({ others }) => one(others)),
    ),
    counter(
      'parley_bus_messages_total',
      'Messages of servers to each other; dropped ones were said while the bus was away or too slow.',
      known(({ counts: { bus } }) =>
        byName('what', [
          ['published', bus.published],
          ['received', bus.received],
          ['dropped', bus.dropped],
        ]),
      ),
    ),
    counter(
      'parley_bus_bytes_total',
      'Bytes of these.',
      known(({ counts: { bus } }) =>
        byName('what', [
          ['published', bus.publishedBytes],
          ['received', bus.receivedBytes],
        ]),
      ),
    ),
    counter(
      'parley_bus_losses_total',
      'Times that the connection to NATS was lost.',
      known(({ counts: { bus } }) => one(bus.losses)),
    ),
    counter(
      'parley_bus_passed_over_total',
      'Messages of the bus that were of no use, and gaps between them, by reason.',
      known(({ counts: { exchange } }) =>
        byName(
          'reason',
          PASSED_OVER.map((reason) => [reason, exchange[reason]] as const),
        ),
      ),
    ),
    counter(
      'parley_hints_total',
      'What other servers were heard to have committed, by what became of it here.',
      known(({ counts: { follower } }) =>
        byName('fate', [
          ['told', follower.told],
          ['old', follower.old],
          ['not-ours', follower.notOurs],
          ['refuted', follower.refuted],
          ['overloaded', follower.overloaded],
        ]),
      ),
    ),
    counter(
      'parley_store_looks_total',
      'Looks into the store for what no hint told: of one stream (read), or of all that moved (poll).',
      known(({ counts: { follower } }) => [
        { labels: { kind: 'read', outcome: 'begun' }, value: follower.reads },
        { labels: { kind: 'read', outcome: 'failed' }, value: follower.failedReads },
        { labels: { kind: 'poll', outcome: 'begun' }, value: follower.polls },
        { labels: { kind: 'poll', outcome: 'failed' }, value: follower.failedPolls },
      ]),
    ),
  ]
}
