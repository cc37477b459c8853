import type { UserId } from '@parley/protocol'
import { type Clock, systemClock } from '../clock.ts'
import type { Reads } from '../model/decision.ts'
import type { AppKey } from '../model/state.ts'
import { Tally } from '../observability/tally.ts'
import { type Cursor, type Person, type Store, StoreOutage } from '../store/store.ts'
import { chanceOf, isAdmitted, isPressed, Pace, pressureOf, retryAfterMs } from './admission.ts'
import { Batches } from './batches.ts'
import type { Committed } from './committed.ts'
import { Decider } from './decider.ts'
import { Gathering } from './gathering.ts'
import { busy, type LaneRequest, NO_MOVES, type Outcome, type Waiting } from './lane-request.ts'
import { type ChangedElsewhere, type Memory, WorkingSet } from './working-set.ts'

/** Operations in one transaction. Beyond this a batch grows no cheaper, only later. */
const MAX_BATCH = 1_000

/** From a commit whose answer was lost to the question what became of it, if no batch asks before; ms. */
const DOUBT_MS = 1_000

export interface LaneOptions {
  readonly store: Store
  /** Called after each commit, before anybody gets an acknowledgement, in the order of the log. */
  readonly publish: (committed: readonly Committed[]) => void
  readonly now: () => number
  readonly log: (message: string, details: Record<string, unknown>) => void
  /** Runs the callback when this turn of the event loop has brought all it will bring. */
  readonly soon?: (callback: () => void) => void
  /** A timer, by default the system's. */
  readonly after?: Clock['after']
  /** Most participants of a conversation; default `limits.maxParticipants`. */
  readonly maxParticipants?: number
  /** How much is kept in memory between batches. */
  readonly memory?: Memory
  /** Where what is done here is counted. */
  readonly tally?: Tally
}

/**
 * The write lane: operations that arrive while a transaction is in flight form the next batch; a batch is one
 * transaction and one fsync; acknowledgements go out after the commit, never before.
 *
 *     submit ─→ waiting ─→ load what is not known ─→ decide one by one ─→ commit ─→ publish ─→ acknowledge
 *
 * It owns the working set and the order of everything. A refusal or a bug in one operation leaves the others of its
 * batch alone: a decision is pure, and a batch that turns out to be impossible is taken back and carried out one by
 * one. While the store is away, nothing happens and everybody is told to come back.
 */
export class WriteLane {
  readonly #options: LaneOptions
  readonly #known: WorkingSet
  readonly #decider: Decider
  readonly #batches: Batches
  readonly #pace = new Pace()
  readonly #gathering = new Gathering()
  readonly #tally: Tally
  #waiting: Waiting[] = []
  /** Taken out of those waiting, and not all settled. */
  #batch: readonly Waiting[] = []
  #isRunning = false
  /** Goes on with the next batch, which waits for more. */
  #goOn: (() => void) | undefined
  /** Gives up asking what became of the last commit. */
  #stopDoubting: (() => void) | undefined
  #closing: (() => void)[] = []
  #isClosed = false

  constructor(options: LaneOptions) {
    const { tally = new Tally(), memory } = options
    this.#options = options
    this.#tally = tally
    this.#known = new WorkingSet(memory)
    this.#decider = new Decider({ ...options, known: this.#known })
    this.#batches = new Batches({
      ...options,
      ...{ tally, known: this.#known, decider: this.#decider, isUnderWay: () => this.#isRunning },
    })
  }

  /** Carries out an operation, in the order of calls. Never rejects: trouble is a refusal. */
  submit<Input, Result>(request: LaneRequest<Input, Result>): Promise<Outcome<Result>> {
    return new Promise((resolve) => {
      this.enqueue(request, resolve)
    })
  }

  /**
   * As `submit`, for whoever asks very often: a call instead of a promise for each operation.
   * @param settle called once, perhaps before this returns
   */
  enqueue<Input, Result>(request: LaneRequest<Input, Result>, settle: (outcome: Outcome<Result>) => void): void {
    if (this.#isClosed || !this.hasRoom(request.underWay)) {
      const later = this.#isClosed ? 1_000 : this.turnAway(request.operationId)
      this.#tally.settled(request.operation.name, 'service_unavailable', 0)
      settle(busy(later))
      return
    }
    let reads: Reads
    try {
      reads = request.operation.reads(request.input, this.#decider.asking(request, 0))
    } catch (error) {
      settle(this.#decider.bug(request.operation.name, error))
      return
    }
    this.#waiting.push({
      request: request as LaneRequest<unknown, unknown>,
      reads,
      settle: settle as (outcome: Outcome) => void,
      takenOnAt: performance.now(),
      outcome: UNDECIDED,
      moves: NO_MOVES,
      isProven: false,
      isRepeat: false,
    })
    if (this.#waiting.length >= this.#gathering.enough) this.#goOn?.()
    this.#schedule()
  }

  /** Another server changed these: they are loaded again when they are next asked for. */
  outdated(changed: ChangedElsewhere): void {
    this.#batches.outdated(changed)
  }

  /** Another server may have changed anything. */
  allOutdated(): void {
    this.#batches.allOutdated()
  }

  /** Somebody as of the last commit, if that is known without a look; see {@link Batches.settled}. */
  settled(app: AppKey, userId: UserId): { readonly person: Person; readonly cursor: Cursor } | undefined {
    return this.#batches.settled(app, userId)
  }

  /** How many operations wait for a batch. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** How long the oldest operation that is not settled has waited. */
  get oldestWaitMs(): number {
    const oldest = this.#batch[0] ?? this.#waiting[0]
    return oldest ? performance.now() - oldest.takenOnAt : 0
  }

  /** Whether a batch is under way. */
  get isCommitting(): boolean {
    return this.#isRunning
  }

  /** Whether more is asked than can be done soon: what can be left out should be. */
  get isPressed(): boolean {
    return isPressed(this.#pressure)
  }

  /** Whether one more operation can be taken on, of a connection that has so many under way. */
  hasRoom(underWay: number | undefined): boolean {
    return isAdmitted(this.#pressure, underWay)
  }

  /** One more operation is not taken on at present. Answers in how many milliseconds to ask again. */
  turnAway(id: string | null | undefined): number {
    this.#tally.turnedAway++
    return retryAfterMs(this.#pace.waitMs(this.#waiting.length), chanceOf(id))
  }

  get #pressure(): number {
    const waiting = this.#waiting.length
    return pressureOf(waiting, this.#pace.waitMs(waiting))
  }

  /** Takes on nothing more, and resolves when all that was taken on is settled. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#goOn?.()
    this.#stopDoubting?.()
    if (!this.#isRunning && this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#closing.push(resolve)
    })
  }

  #schedule(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    const soon = this.#options.soon ?? setImmediate
    soon(() => void this.#run())
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const gathered = this.#gathered()
      if (gathered) await gathered
      const batch = this.#waiting.splice(0, MAX_BATCH)
      this.#batch = batch
      const from = this.#options.now()
      const fromMs = performance.now()
      try {
        await this.#batches.carryOut(batch)
        const settledAt = performance.now()
        for (const waiting of batch) this.#settle(waiting, waiting.outcome, settledAt)
        this.#gathering.answered(batch.length, this.#waiting.length, settledAt - fromMs, settledAt)
        if (this.#waiting.length > 0) this.#pace.note(batch.length, this.#options.now() - from)
      } catch (error) {
        this.#batches.forget()
        // Those that came meanwhile as well: each batch would have to find out for itself, and takes its time.
        if (error instanceof StoreOutage) this.#putOff([...batch, ...this.#waiting.splice(0)], error)
        else await this.#carryOutSingly(batch, error)
      }
      this.#known.trim()
      this.#batch = []
      this.#tally.batchSize.note(batch.length)
      this.#tally.batchSeconds.note((performance.now() - fromMs) / 1_000)
    }
    this.#isRunning = false
    if (this.#batches.isInDoubt && !this.#isClosed) this.#settleDoubtLater()
    for (const closed of this.#closing.splice(0)) closed()
  }

  /** Whoever asked may never come back, and others at this server wait to hear of what was done. */
  #settleDoubtLater(): void {
    const { after = systemClock.after } = this.#options
    this.#stopDoubting?.()
    this.#stopDoubting = after(DOUBT_MS, () => {
      // A batch that is under way asks first of all, and comes back here if it learns nothing.
      if (!this.#isRunning) void this.#settleDoubt()
    })
  }

  async #settleDoubt(): Promise<void> {
    this.#isRunning = true
    await this.#batches.settleDoubt().catch((error) => {
      this.#options.log('what became of a commit is not known yet', { error: String(error) })
    })
    await this.#run()
  }

  /** Resolves when the next batch has waited for others, where that is worth it. */
  #gathered(): Promise<void> | undefined {
    const { store, after = systemClock.after } = this.#options
    const waitMs = store.hasOneWriter !== false ? 0 : this.#gathering.waitMs(this.#waiting.length, performance.now())
    if (waitMs <= 0 || this.#isClosed) return undefined
    return new Promise((resolve) => {
      const goOn = () => {
        cancel()
        this.#goOn = undefined
        resolve()
      }
      const cancel = after(waitMs, goOn)
      this.#goOn = goOn
    })
  }

  /** The store is away, so nothing happened: one try for all of them, not one for each. */
  #putOff(batch: readonly Waiting[], error: StoreOutage): void {
    this.#tally.batchesPutOff++
    this.#options.log('the store could not be used', { operations: batch.length, error: String(error) })
    for (const waiting of batch) this.#settle(waiting, busy(1_000))
  }

  /** A batch that cannot be committed may hold one operation to blame; each gets one try of its own. */
  async #carryOutSingly(batch: readonly Waiting[], error: unknown): Promise<void> {
    this.#options.log('a batch could not be committed', { operations: batch.length, error: String(error) })
    for (const [index, waiting] of batch.entries()) {
      try {
        await this.#batches.carryOut([waiting])
        this.#settle(waiting, waiting.outcome)
      } catch (cause) {
        this.#batches.forget()
        if (cause instanceof StoreOutage) return this.#putOff(batch.slice(index), cause)
        // It would fail for ever: "later" would have its sender try for ever.
        this.#settle(waiting, this.#decider.bug(waiting.request.operation.name, cause))
      }
    }
  }

  /** What is decided stays decided, whatever becomes of its answer. */
  #settle(waiting: Waiting, outcome: Outcome, at = performance.now()): void {
    const { request, settle, takenOnAt } = waiting
    // Committed and told.
    if (outcome === waiting.outcome) letGo(waiting)
    this.#tally.settled(request.operation.name, wordFor(outcome), (at - takenOnAt) / 1_000)
    try {
      settle(outcome)
    } catch (error) {
      this.#decider.bug(request.operation.name, error)
    }
  }
}

/**
 * What waited for long is old to the collector, and dead or not it keeps what was put into it last, with all that leads to,
 * until the whole heap is looked through.
 */
function letGo(waiting: Waiting): void {
  waiting.outcome = UNDECIDED
  waiting.moves = NO_MOVES
}

/** What came of an operation, in one word of ours. */
function wordFor(outcome: Outcome): string {
  if ('refusal' in outcome) return outcome.refusal.id
  return outcome.hasChanged ? 'done' : 'unchanged'
}

const UNDECIDED: Outcome = busy(100)
