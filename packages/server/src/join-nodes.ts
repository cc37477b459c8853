import type { UserId, Uuid } from '@parley/protocol'
import type { Sessions } from './authentication/sessions.ts'
import type { Bus } from './bus/bus.ts'
import { Exchange } from './bus/exchange.ts'
import { Follower, type StreamName, type StreamRead, type Telling } from './bus/follower.ts'
import { Interest } from './bus/interest.ts'
import type { CommitHint, MoveHint } from './bus/messages.ts'
import { MAX_NAMED_AUDIENCE } from './bus/messages.ts'
import { NoBus } from './bus/no-bus.ts'
import { People } from './bus/people.ts'
import { SessionEnds } from './bus/session-ends.ts'
import { StoreElsewhere } from './bus/store-elsewhere.ts'
import type { Clock } from './clock.ts'
import type { Attendance } from './delivery/attendance.ts'
import type { Change, ToldMove } from './delivery/change.ts'
import type { Delivery } from './delivery/delivery.ts'
import { standsAsBefore } from './model/participation.ts'
import { isAsSent } from './model/state.ts'
import type { NodesFigures } from './observability/figures-of-nodes.ts'
import type { Committed } from './operations/committed.ts'
import type { WriteLane } from './operations/lane.ts'
import { Unheard } from './operations/unheard.ts'
import type { ChangedConversation, ChangedElsewhere } from './operations/working-set.ts'
import type { Store } from './store/store.ts'

export interface NodesOptions {
  /** Closed with everything else. */
  readonly bus: Bus
  readonly store: Store
  readonly delivery: Delivery
  readonly attendance: Pick<Attendance, 'join' | 'heard'>
  readonly lane: Pick<WriteLane, 'outdated' | 'allOutdated'>
  readonly sessions: Pick<Sessions, 'heard' | 'watch'>
  readonly clock: Clock
  readonly log: (message: string, details: Record<string, unknown>) => void
  /** This server's name among the others, no other's. */
  readonly node: string
  /** Whether the store answers here at present. */
  readonly hasStore: () => boolean
  readonly soon?: (callback: () => void) => void
}

/** This server, joined with the others on its store. */
export interface Nodes extends NodesFigures {
  /** What this one committed: to its own listeners in turn, to the other nodes at once. */
  publish(committed: readonly Committed[]): void
  /** `none`: this server was given no bus. */
  readonly bus: 'connected' | 'degraded' | 'none'
  /** Whether listeners may at the moment be told later than usual: the bus is away, or not all nodes are heard. */
  readonly isDegraded: boolean
  /** Whether the store answers another server, as far as is known. */
  readonly isStoreElsewhere: boolean
  close(): Promise<void>
}

/**
 * Makes one service of several servers: what others commit is told to the listeners of this one, what they commit makes
 * the lane forget what it remembered, a session that ends at one of them ends here, and who is here or types there is known
 * here.
 */
export async function joinNodes(options: NodesOptions): Promise<Nodes> {
  const { bus, store, delivery, attendance, lane, sessions, clock, log, node, hasStore, soon } = options
  const secret = await store.apps.secret()
  // Before anybody can listen here: what moved until now they read when they come.
  const cursor = await store.log.lastCursor()
  const exchange = new Exchange({ bus, clock, secret, node, log, hasStore, ...(soon && { soon }) })
  // First of all who hears: whoever is told of a change may act on it at once.
  exchange.on('committed', (hint) => {
    lane.outdated(changedBy(hint))
    for (const move of hint.moves) if (changesPeople(move)) delivery.forgetAudience(hint.app, move.id)
  })
  exchange.onDoubt(() => {
    lane.allOutdated()
    delivery.forgetAudiences()
  })
  exchange.onReliability((isReliable) =>
    log(
      isReliable ? 'other servers are heard again' : 'other servers may not be heard, so the store is looked into',
      {},
    ),
  )
  const follower: Follower<Committed> = new Follower({
    ...{ exchange, clock, log, cursor },
    store: { moved: (after, limit) => store.streams.movedAnywhere(after, limit), read: reading(store) },
    listeningSince: (app, userId) => delivery.listeningSince(app, userId),
    audienceOf: (app, conversation) => delivery.knownAudience(app, conversation),
    tell: (telling) => tell(delivery, telling, follower.confirmedCursor),
  })
  const ends = new SessionEnds({ exchange, clock, heard: (message) => sessions.heard(message) })
  const storeElsewhere = new StoreElsewhere(exchange)
  const stopWatching = sessions.watch((message) => ends.happened(message))
  const people = new People({
    ...{ exchange, clock },
    changed: (names) => attendance.heard(names),
    typing: ({ app, audience, conversation, sender, action }) => {
      const told = delivery.typeElsewhere(app, { conversation, sender, action }, audience)
      told.catch((error) => log('typing at another server could not be told', { error: String(error) }))
    },
  })
  const interest = new Interest({ exchange, clock, nodesOf: (app, userId) => people.nodesOf(app, userId) })
  const unheard = new Unheard({
    maxAudience: MAX_NAMED_AUDIENCE,
    isListening: (app, userId) => delivery.isListening(app, userId),
    forget: (changed) => lane.outdated(changed),
  })
  const stopNoting = delivery.watch((app, userId, isListening) => unheard.listening(app, userId, isListening))
  attendance.join(people)
  delivery.watchTyping((app, typing, audience) =>
    people.type({ app, ...typing, audience: audience.length <= MAX_NAMED_AUDIENCE ? audience : null }),
  )
  return {
    publish(committed) {
      follower.committed(committed)
      if (exchange.others.length > 0) unheard.committed(committed)
    },
    get bus() {
      return bus instanceof NoBus ? 'none' : bus.state.state
    },
    get isDegraded() {
      return follower.isDegraded
    },
    get isStoreElsewhere() {
      return storeElsewhere.answers
    },
    get others() {
      return exchange.others.length
    },
    counts: { bus: bus.counts, exchange: exchange.counts, follower: follower.counts },
    async close() {
      stopWatching()
      stopNoting()
      follower.close()
      ends.close()
      people.close()
      interest.close()
      await exchange.close()
      await bus.close()
    },
  }
}

function tell(delivery: Delivery, telling: Telling<Own>, cursor: number): void {
  switch (telling.source) {
    case 'here': {
      const { committed, move } = telling.change
      const audience = move.stream === 'conversation' ? move.audience : NOBODY
      delivery.tell(committed.app, { committed, move, cursor }, audience)
      return
    }
    case 'elsewhere': {
      const { commit, audience } = telling
      delivery.tell(commit.app, { committed: deedOf(commit), move: moveOf(telling.move), cursor }, audience)
      return
    }
    case 'store': {
      const { name, read } = telling
      const change = { committed: null, move: readMove(telling), cursor }
      delivery.tell(name.app, change, read.stream === 'conversation' ? read.audience : NOBODY)
      return
    }
  }
}

type Own = { readonly committed: Committed; readonly move: Committed['moves'][number] }

const NOBODY: readonly never[] = []

const deedOf = ({ operation, input, moves }: CommitHint): Change['committed'] => ({ operation, input, moves })

function moveOf(move: MoveHint): ToldMove {
  const { after, sequence } = move
  if (move.stream === 'inbox') {
    return { stream: 'inbox', userId: move.userId, after, sequence, rows: [...(move.rows ?? [])] }
  }
  return { stream: 'conversation', conversation: { id: move.id }, after, sequence, rows: [...(move.rows ?? [])] }
}

/** Rows that were told before are left out. */
function readMove({ name, after, sequence, read }: Extract<Telling<Own>, { source: 'store' }>): ToldMove {
  if (name.stream === 'inbox' || read.stream === 'inbox') {
    const userId = name.stream === 'inbox' ? name.userId : never(name)
    const rows = read.stream === 'inbox' ? read.rows.filter(({ record }) => record.inboxSequence > after) : []
    return { stream: 'inbox', userId, after, sequence, rows }
  }
  const rows = read.rows.filter(({ record }) => record.sequence > after)
  return { stream: 'conversation', conversation: { id: name.id }, after, sequence, rows: rows.map(asMoved) }
}

function never(name: StreamName): never {
  throw new Error(`A conversation was read as an inbox: ${JSON.stringify(name)}.`)
}

type StoredRow = Extract<StreamRead, { stream: 'conversation' }>['rows'][number]
type MovedRow = Extract<ToldMove, { stream: 'conversation' }>['rows'][number]

/** What was there before, and who sent it, only a commit knows. */
function asMoved(row: StoredRow): MovedRow {
  switch (row.type) {
    case 'conversation':
      return row
    case 'participant':
      return { ...row, before: undefined }
    case 'message':
      return { ...row, sender: undefined }
  }
}

/** What of somebody's memory is not so any more after a commit. Where its rows are missing, a later commit finds out. */
export function changedBy({ app, moves }: CommitHint): ChangedElsewhere {
  const conversations: ChangedConversation[] = []
  const people: UserId[] = []
  const messages: Uuid[] = []
  for (const move of moves) {
    if (move.stream === 'inbox') {
      people.push(move.userId)
      for (const { conversation } of move.rows ?? []) conversations.push({ id: conversation, sequence: null })
      continue
    }
    conversations.push({ id: move.id, sequence: move.sequence, misses: missedBy(move) })
    for (const row of move.rows ?? []) {
      if (row.type === 'participant') people.push(row.record.userId)
      // Of one that is as it was sent, nothing older can be remembered.
      if (row.type === 'message' && !isAsSent(row.record)) messages.push(row.record.id)
    }
  }
  return { app, conversations, people, messages }
}

/** What a conversation that is remembered lacks of this, if it is nothing on which a message's sending rests. */
function missedBy({ rows }: Extract<MoveHint, { stream: 'conversation' }>): ChangedConversation['misses'] {
  if (!rows || rows.length === 0) return undefined
  if (rows.every((row) => row.type === 'message' && isAsSent(row.record))) return 'messages'
  return rows.every((row) => row.type === 'participant' && standsAsBefore(row.before, row.record)) ? 'marks' : undefined
}

/** Whether a conversation too large for its people to be named has others in it now. */
function changesPeople(move: MoveHint): move is Extract<MoveHint, { stream: 'conversation' }> {
  if (move.stream === 'inbox' || move.audience !== null) return false
  return move.rows?.some((row) => row.type === 'participant' && !standsAsBefore(row.before, row.record)) ?? true
}

const reading =
  ({ streams }: Store) =>
  async (name: StreamName, after: number, limit: number): Promise<StreamRead | undefined> => {
    if (name.stream === 'inbox') {
      return { stream: 'inbox', ...(await streams.inbox(name.app, name.userId, after, limit)) }
    }
    const page = await streams.conversationForAll(name.app, name.id, after, limit)
    return page && { stream: 'conversation', ...page }
  }
