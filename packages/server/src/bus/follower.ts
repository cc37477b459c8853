import type { UserId, Uuid } from '@parley/protocol'
import type { Clock } from '../clock.ts'
import type { MovedHead, MovedPage } from '../model/moved.ts'
import { RecentMap } from '../model/recent-map.ts'
import type { AppKey } from '../model/state.ts'
import type { Exchange } from './exchange.ts'
import { type Hint, HintReader, type Verdict } from './hint-reader.ts'
import {
  type Commit,
  type CommitHint,
  type CommitMove,
  type HintRow,
  MAX_NAMED_AUDIENCE,
  type MoveHint,
} from './messages.ts'
import { PollSchedule, PollWalk } from './poll.ts'

/** How often it is looked whether a read or a poll is due, while one is awaited. */
const TICK_MS = 10
const IDLE_TICK_MS = 100
/** Reads of streams under way at a time. */
const MAX_READS = 16
/** Rows in one read. */
export const READ_ROWS = 250
/** Moves in one page of a poll, of as many streams or fewer. */
export const POLL_PAGE = 5_000
/** Conversations of which it is kept what they are called here. */
const MAX_KEYS = 20_000

/** Names a stream across the deployment. */
export type StreamName = { readonly app: AppKey } & (
  | { readonly stream: 'conversation'; readonly id: Uuid }
  | { readonly stream: 'inbox'; readonly userId: UserId }
)

/** A row as the store has it, without what only a commit knows. */
export type StoredRow =
  | Extract<HintRow, { type: 'conversation' }>
  | Omit<Extract<HintRow, { type: 'participant' }>, 'before'>
  | Omit<Extract<HintRow, { type: 'message' }>, 'sender'>

/** Rows of a stream above a sequence, as the store has them, and who hears of them. */
export type StreamRead = { readonly sequence: number; readonly more: boolean } & (
  | {
      readonly stream: 'conversation'
      readonly rows: readonly StoredRow[]
      readonly audience: readonly UserId[]
    }
  | { readonly stream: 'inbox'; readonly rows: Extract<MoveHint, { stream: 'inbox' }>['rows'] & {} }
)

/** What is to be told to listeners: in this order, for each stream without a hole. */
export type Telling<Own> =
  /** Committed by this node. */
  | { readonly source: 'here'; readonly change: Own }
  /** Committed by another node; the move has its rows. Its audience is nobody for an inbox, which is somebody's. */
  | {
      readonly source: 'elsewhere'
      readonly commit: CommitHint
      readonly move: MoveHint
      readonly audience: readonly UserId[]
    }
  /** Read from the store, since hints were missing. Rows up to `after` were told before. */
  | {
      readonly source: 'store'
      readonly name: StreamName
      readonly after: number
      readonly sequence: number
      readonly read: StreamRead
    }

/** What this node does itself for each of its commits; the lane's `Committed` and its moves fit. */
export interface OwnChange<Committed extends Commit> {
  readonly committed: Committed
  readonly move: Committed['moves'][number]
}

export interface FollowerOptions<Own> {
  readonly exchange: Exchange
  readonly clock: Clock
  /** Milliseconds on a clock that does not jump. */
  readonly elapsed?: () => number
  /** From 0 to below 1. */
  readonly chance?: () => number
  readonly log: (message: string, details: Record<string, unknown>) => void
  /** The cursor up to which nothing is of interest: the store's, read before anybody could listen here. */
  readonly cursor: number
  readonly store: {
    /** Streams of any app that moved after a cursor. */
    moved(after: number, limit: number): Promise<MovedPage>
    /** Undefined if there is no such stream, or it is closed to everybody here. */
    read(name: StreamName, after: number, limit: number): Promise<StreamRead | undefined>
  }
  /** Since when somebody listens here, on the clock that does not jump; undefined: they do not. */
  listeningSince(app: AppKey, userId: UserId): number | undefined
  /** Who is in a conversation too large for its people to be named; undefined if that is not known here. */
  audienceOf(app: AppKey, conversation: Uuid): readonly UserId[] | undefined
  /** Must not throw. */
  tell(telling: Telling<Own>): void
}

export interface FollowerCounts {
  told: number
  /** Hints that were known already, concerned nobody here, or claimed what the store does not have. */
  old: number
  notOurs: number
  refuted: number
  overloaded: number
  reads: number
  failedReads: number
  polls: number
  failedPolls: number
}

/**
 * What the listeners of this node are told, whoever committed it. It brings together what this node commits, what others
 * say they did, and what the store says; `hint-reader.ts` and `poll.ts` decide, this has the timers and does the reading.
 */
export class Follower<Committed extends Commit> {
  readonly counts: FollowerCounts = {
    ...{ told: 0, old: 0, notOurs: 0, refuted: 0, overloaded: 0 },
    ...{ reads: 0, failedReads: 0, polls: 0, failedPolls: 0 },
  }
  readonly #options: FollowerOptions<OwnChange<Committed>>
  readonly #elapsed: () => number
  readonly #reader = new HintReader<Telling<OwnChange<Committed>>>()
  readonly #schedule: PollSchedule
  readonly #walk: PollWalk
  readonly #stops: (() => void)[]
  /** Of conversations that this node writes to: to put a key together, and hash it, costs more than to look it up. */
  readonly #keys = new RecentMap<string>()
  #cancelTick = () => {}
  #tickAt = Number.POSITIVE_INFINITY
  /** Polls whose streams are still to be told: the cursor, and what is missing for it. */
  #unconfirmed: { readonly cursor: number; readonly heads: Map<string, number> }[] = []
  #confirmed: number
  #reading = 0
  #isClosed = false

  constructor(options: FollowerOptions<OwnChange<Committed>>) {
    this.#options = options
    this.#elapsed = options.elapsed ?? (() => performance.now())
    this.#schedule = new PollSchedule(this.#elapsed(), options.chance ?? Math.random)
    this.#walk = new PollWalk(options.cursor)
    this.#confirmed = options.cursor
    const { exchange } = options
    this.#reader.doubt(this.#elapsed())
    this.#reliable(exchange.isReliable)
    this.#stops = [
      exchange.on('committed', (hint) => this.#heard(hint)),
      exchange.onDoubt(() => this.#missed()),
      exchange.onReliability((isReliable) => this.#reliable(isReliable)),
    ]
    this.#tickWithin(TICK_MS)
  }

  /** Everything up to this cursor was told here: what a device may be told to remember, and nothing later. */
  get confirmedCursor(): number {
    return this.#confirmed
  }

  /** Whether listeners may at the moment be told later than hints would. */
  get isDegraded(): boolean {
    return !this.#options.exchange.isReliable || this.#reader.isDoubtful
  }

  /** This node committed: its listeners are told in turn, and the other nodes at once. */
  committed(committed: readonly Committed[]): void {
    this.#options.exchange.commits(committed)
    const now = this.#elapsed()
    this.#keys.trim(MAX_KEYS)
    for (const one of committed) {
      for (const move of one.moves) {
        const told = { source: 'here' as const, change: { committed: one, move } }
        const hint = { stream: this.#keyOf(one.app, move), after: move.after, sequence: move.sequence, told }
        this.#hear(hint, now, this.#since(one.app, move, ownAudience(move)))
      }
    }
  }

  #keyOf(app: AppKey, move: CommitMove): string {
    if (move.stream === 'inbox') return keyOf({ app, stream: 'inbox', userId: move.userId })
    const { id } = move.conversation
    const known = this.#keys.get(app, id)
    if (known !== undefined) return known
    const key = keyOf({ app, stream: 'conversation', id })
    this.#keys.set(app, id, key)
    return key
  }

  close(): void {
    this.#isClosed = true
    this.#cancelTick()
    for (const stop of this.#stops.splice(0)) stop()
  }

  #heard(commit: CommitHint): void {
    const now = this.#elapsed()
    for (const move of commit.moves) {
      const name = nameOf(commit.app, move)
      const audience = this.#audience(commit.app, move)
      const told = move.rows && audience ? { source: 'elsewhere' as const, commit, move, audience } : null
      const hint = { stream: keyOf(name), after: move.after, sequence: move.sequence, told }
      this.#hear(hint, now, this.#since(commit.app, move, audience))
    }
  }

  #hear(hint: Hint<Telling<OwnChange<Committed>>>, now: number, since: number | undefined): void {
    this.#follow(this.#reader.hear(hint, now, since))
  }

  #follow(verdict: Verdict<Telling<OwnChange<Committed>>>): void {
    switch (verdict.verdict) {
      case 'tell':
        for (const { told } of verdict.hints) this.#tell(told)
        return
      case 'wait':
        this.#tickWithin(TICK_MS)
        return
      case 'old':
        this.counts.old += 1
        return
      case 'not-ours':
        this.counts.notOurs += 1
        return
      case 'refuted':
        this.counts.refuted += 1
        return
      case 'overloaded':
        this.counts.overloaded += 1
        this.#missed()
        return
    }
  }

  #tell(telling: Telling<OwnChange<Committed>>): void {
    this.counts.told += 1
    this.#options.tell(telling)
  }

  #audience(app: AppKey, move: MoveHint): readonly UserId[] | undefined {
    if (move.stream === 'inbox') return NOBODY
    return move.audience ?? this.#options.audienceOf(app, move.id)
  }

  /**
   * When the first of those came who listen to a stream here; undefined: nobody does. Large ones are told to all nodes
   * whoever is there, and those of whom nobody knows who is in them may be such: as if somebody had always been here.
   */
  #since(app: AppKey, of: MovedStream, audience: readonly UserId[] | undefined): number | undefined {
    const { listeningSince } = this.#options
    if (of.stream === 'inbox') return listeningSince(app, of.userId)
    if (!audience) return Number.NEGATIVE_INFINITY
    if (audience.length > MAX_NAMED_AUDIENCE) {
      const isOurs = audience.some((userId) => listeningSince(app, userId) !== undefined)
      return isOurs ? Number.NEGATIVE_INFINITY : undefined
    }
    let first: number | undefined
    for (const userId of audience) {
      const since = listeningSince(app, userId)
      if (since !== undefined && (first === undefined || since < first)) first = since
    }
    return first
  }

  #missed(): void {
    const now = this.#elapsed()
    this.#reader.doubt(now)
    this.#schedule.missed(now)
  }

  #reliable(isReliable: boolean): void {
    const now = this.#elapsed()
    this.#reader.doubt(now)
    if (isReliable) this.#schedule.recovered(now)
    else this.#schedule.degraded(now)
  }

  #tickWithin(ms: number): void {
    const at = this.#elapsed() + ms
    if (this.#isClosed || this.#tickAt <= at) return
    this.#cancelTick()
    this.#tickAt = at
    this.#cancelTick = this.#options.clock.after(ms, () => {
      this.#tickAt = Number.POSITIVE_INFINITY
      this.#tick()
    })
  }

  #tick(): void {
    const now = this.#elapsed()
    for (const { stream, after } of this.#reader.due(now, MAX_READS - this.#reading)) void this.#read(stream, after)
    this.#confirm()
    if (this.#schedule.dueAt !== undefined && this.#schedule.dueAt <= now) void this.#poll(now)
    this.#tickWithin(this.#reader.isWaiting ? TICK_MS : IDLE_TICK_MS)
  }

  async #read(key: string, after: number): Promise<void> {
    const name = parseKey(key)
    this.#reading += 1
    this.counts.reads += 1
    try {
      const read = await this.#options.store.read(name, after, READ_ROWS)
      if (this.#isClosed) return
      const told = this.#reader.arrived(key, read, this.#elapsed())
      if (told.read && read) this.#tell({ source: 'store', name, ...told.read, read })
      for (const hint of told.hints) this.#tell(hint.told)
    } catch (error) {
      this.counts.failedReads += 1
      this.#reader.failed(key, this.#elapsed())
      this.#options.log('a stream could not be read', { error: String(error) })
    } finally {
      this.#reading -= 1
    }
  }

  async #poll(beganAt: number): Promise<void> {
    this.counts.polls += 1
    this.#schedule.began()
    const missing = new Map<string, number>()
    let isComplete = false
    try {
      while (!isComplete && !this.#isClosed) {
        const page = await this.#options.store.moved(this.#walk.after, POLL_PAGE)
        for (const head of page.heads) this.#found(head, missing)
        isComplete = this.#walk.turn(page)
      }
      if (isComplete) this.#reader.sure(beganAt)
      this.#unconfirmed.push({ cursor: this.#walk.settled, heads: missing })
      this.#confirm()
    } catch (error) {
      this.counts.failedPolls += 1
      this.#walk.abandon()
      this.#options.log('the store could not be looked into', { error: String(error) })
    } finally {
      this.#schedule.ended(this.#elapsed(), isComplete)
    }
  }

  #found(head: MovedHead, missing: Map<string, number>): void {
    const key = keyOf(head)
    const since = this.#since(head.app, head, head.stream === 'conversation' ? head.audience : NOBODY)
    const verdict = this.#reader.hearHead(key, head.sequence, this.#elapsed(), since)
    // Found again by the next look: this one is not complete without it.
    if (verdict.verdict === 'overloaded') throw new Error('More streams moved than can be read at a time.')
    if (verdict.verdict === 'wait') missing.set(key, head.sequence)
    this.#follow(verdict)
  }

  /** What was found is told, and not just found: only then a device may remember the cursor. */
  #confirm(): void {
    for (let first = this.#unconfirmed[0]; first; first = this.#unconfirmed[0]) {
      for (const [key, sequence] of first.heads) if (this.#reader.hasTold(key, sequence)) first.heads.delete(key)
      if (first.heads.size > 0) return
      this.#confirmed = Math.max(this.#confirmed, first.cursor)
      this.#unconfirmed.shift()
    }
  }
}

/** Of a stream that moved, whose it is if it is somebody's. */
type MovedStream = { readonly stream: 'conversation' } | { readonly stream: 'inbox'; readonly userId: UserId }

function nameOf(app: AppKey, move: MoveHint): StreamName {
  if (move.stream === 'inbox') return { app, stream: 'inbox', userId: move.userId }
  return { app, stream: 'conversation', id: move.id }
}

const NOBODY: readonly UserId[] = []

const ownAudience = (move: CommitMove) => (move.stream === 'conversation' ? move.audience : NOBODY)

const keyOf = (name: StreamName) => `${name.app} ${name.stream === 'inbox' ? `@${name.userId}` : name.id}`

function parseKey(key: string): StreamName {
  const space = key.indexOf(' ')
  const app = Number(key.slice(0, space)) as AppKey
  const rest = key.slice(space + 1)
  if (rest.startsWith('@')) return { app, stream: 'inbox', userId: rest.slice(1) as UserId }
  return { app, stream: 'conversation', id: rest as Uuid }
}
