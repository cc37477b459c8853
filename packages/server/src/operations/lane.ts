import type { Refusal, UserId, Uuid } from '@parley/protocol'
import { limits, refuse } from '@parley/protocol'
import type { Asking, Decision, Reads } from '../model/decision.ts'
import type { AppKey } from '../model/state.ts'
import { Tally } from '../observability/tally.ts'
import {
  CommitUnknown,
  type Cursor,
  type LogStore,
  MessageExists,
  NOTHING,
  type Person,
  type Place,
  Stale,
  type Store,
  StoreOutage,
} from '../store/store.ts'
import { chanceOf, isAdmitted, isPressed, Pace, pressureOf, retryAfterMs } from './admission.ts'
import { Fresh } from './fresh.ts'
import { Ledger } from './ledger.ts'
import type { StreamMove } from './moves.ts'
import type { Operation } from './operation.ts'
import { type ChangedElsewhere, type Memory, WorkingSet } from './working-set.ts'

/** Operations in one transaction. Beyond this a batch grows no cheaper, only later. */
const MAX_BATCH = 1_000

/** How often a batch is decided in all, if others keep changing what it rests on. */
const MAX_TRIES = 8

/**
 * Batches for which conversations are held, once somebody else was faster: between what is loaded anew and its commit, others
 * who write there all the time would be faster again, and again. Holding costs two round trips more.
 */
const HELD_BATCHES = 8

/** Commits of others to be taken note of after a batch; beyond it everything is forgotten. */
const MAX_OUTDATED = 10_000

/** What became of an operation. */
export type Outcome<Result = unknown> =
  | {
      readonly result: Result
      /** Where its effect lies, and the sequence at which it is there. */
      readonly stream: 'inbox' | Uuid
      readonly sequence: number
      /** False if everything was so already: a repeat, or something found. */
      readonly hasChanged: boolean
    }
  | { readonly refusal: Refusal }

/** One operation's streams as they moved, told to delivery after the commit. */
export interface Committed {
  readonly app: AppKey
  /** Who asked; null for the server itself. */
  readonly actor: UserId | null
  readonly operation: string
  readonly input: unknown
  readonly moves: readonly StreamMove[]
  readonly cursor: Cursor
  /** Everything up to this cursor was told before. */
  readonly settled: Cursor
  readonly at: number
}

export interface LaneRequest<Input, Result> {
  readonly operation: Operation<Input, Result>
  readonly input: Input
  readonly app: AppKey
  /** Who asks; null for the server itself. */
  readonly userId: UserId | null
  /** Recognises a repeat of an operation that creates nothing. */
  readonly operationId?: Uuid | null
  /** Operations of the same connection that are under way; who has few is let in before who has many. */
  readonly underWay?: number
  /** Asked when its turn has come: whether something before it was put off, so that it has to wait as well (OPR-5). */
  readonly isHeldBack?: () => boolean
}

interface Waiting {
  readonly request: LaneRequest<unknown, unknown>
  readonly reads: Reads
  readonly settle: (outcome: Outcome) => void
  /** In milliseconds of a clock that nobody sets. */
  readonly takenOnAt: number
  // What came of its turn; decided anew if the batch could not be committed.
  outcome: Outcome
  moves: readonly StreamMove[]
  /** Whether it holds, or the commit will say so: what is written is compared with the truth. */
  isProven: boolean
}

export interface LaneOptions {
  readonly store: Store
  /** Called after each commit, before anybody gets an acknowledgement, in the order of the log. */
  readonly publish: (committed: readonly Committed[]) => void
  readonly now: () => number
  readonly log: (message: string, details: Record<string, unknown>) => void
  /** Runs the callback when this turn of the event loop has brought all it will bring. */
  readonly soon?: (callback: () => void) => void
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
  readonly #pace = new Pace()
  readonly #tally: Tally
  #waiting: Waiting[] = []
  /** Taken out of those waiting, and not all settled. */
  #batch: readonly Waiting[] = []
  #isRunning = false
  #cursor: Cursor | undefined
  /** Learns what became of a commit in the middle of which the store went away, and tells it if it happened. */
  #settleDoubt: (() => Promise<void>) | undefined
  /** What is decided and not committed yet. */
  #uncommitted: Ledger | undefined
  /** Changed by others while a batch is under way, which has to be decided from what it loaded. */
  #outdated: ChangedElsewhere[] = []
  #isAllOutdated = false
  /** Batches that are still to hold their conversations. */
  #toHold = 0
  #closing: (() => void)[] = []
  #isClosed = false

  constructor(options: LaneOptions) {
    this.#options = options
    this.#tally = options.tally ?? new Tally()
    this.#known = new WorkingSet(options.memory)
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
      reads = request.operation.reads(request.input, this.#asking(request, 0))
    } catch (error) {
      settle(this.#bug(request.operation.name, error))
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
    })
    this.#schedule()
  }

  /** Another server changed these: they are loaded again when they are next asked for. */
  outdated(changed: ChangedElsewhere): void {
    if (this.#isRunning) this.#outdated.push(changed)
    else this.#known.forgetChanged(changed)
    if (this.#outdated.length > MAX_OUTDATED) this.allOutdated()
  }

  /** Another server may have changed anything. */
  allOutdated(): void {
    this.#outdated = []
    if (this.#isRunning) this.#isAllOutdated = true
    else this.#known.forget()
  }

  /**
   * Somebody as of the last commit, and which one that was; undefined if that is not in memory, is about to change, or may
   * have been changed by others, of whom the lane hears only when it writes.
   */
  settled(app: AppKey, userId: UserId): { readonly person: Person; readonly cursor: Cursor } | undefined {
    if (!this.#options.store.hasOneWriter || this.#cursor === undefined || this.#uncommitted?.changes(app, userId))
      return undefined
    const person = this.#known.person(app, userId)
    return person && { person, cursor: this.#cursor }
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
      const batch = this.#waiting.splice(0, MAX_BATCH)
      this.#batch = batch
      const from = this.#options.now()
      const fromMs = performance.now()
      try {
        await this.#carryOutAmongOthers(batch)
        if (this.#waiting.length > 0) this.#pace.note(batch.length, this.#options.now() - from)
      } catch (error) {
        this.#forget()
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
    for (const closed of this.#closing.splice(0)) closed()
  }

  /** Other processes may write to the same store: what they changed is loaded, and everything decided anew. */
  async #carryOutAmongOthers(batch: readonly Waiting[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        if (this.#toHold === 0) return await this.#carryOut(batch)
        return await this.#carryOutHolding(batch)
      } catch (error) {
        if (!(error instanceof Stale)) throw error
        this.#tally.staleBatches++
        if (error.outdated.conversations.length > 0) this.#toHold = HELD_BATCHES
        this.#takeBack(error)
        if (tries === MAX_TRIES) throw new StoreOutage('Others were faster every time.', { cause: error })
      }
    }
  }

  /** Nobody else changes the conversations that are named until this batch is committed. */
  async #carryOutHolding(batch: readonly Waiting[]): Promise<void> {
    const { log } = this.#options.store
    const named = batch.flatMap(({ request: { app }, reads }) => itemsOf(app, reads.conversations ?? []))
    if (!log.holding || named.length === 0) return this.#carryOut(batch)
    return log.holding(named, async ({ revisions, commit }) => {
      const changed = revisions.filter(({ app, key, revision }) => {
        const known = this.#known.conversation(app, key)
        return known && known.revision !== revision
      })
      this.#toHold = changed.length > 0 ? HELD_BATCHES : this.#toHold - 1
      this.#known.forgetThese({ conversations: changed })
      await this.#carryOut(batch, commit)
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
        await this.#carryOutAmongOthers([waiting])
      } catch (cause) {
        this.#forget()
        if (cause instanceof StoreOutage) return this.#putOff(batch.slice(index), cause)
        // It would fail for ever: "later" would have its sender try for ever.
        this.#settle(waiting, this.#bug(waiting.request.operation.name, cause))
      }
    }
  }

  /** What is decided stays decided, whatever becomes of its answer. */
  #settle({ request, settle, takenOnAt }: Waiting, outcome: Outcome, at = performance.now()): void {
    this.#tally.settled(request.operation.name, wordFor(outcome), (at - takenOnAt) / 1_000)
    try {
      settle(outcome)
    } catch (error) {
      this.#bug(request.operation.name, error)
    }
  }

  #forget(): void {
    this.#known.forget()
    this.#cursor = undefined
    this.#uncommitted = undefined
  }

  /** A batch was decided from what is no longer so; what that is, is forgotten. */
  #takeBack({ outdated }: Stale): void {
    const isNamed = Object.values(outdated).some((items) => items.length > 0)
    if (!isNamed || !this.#uncommitted) {
      this.#forget()
      return
    }
    this.#uncommitted.undo()
    this.#uncommitted = undefined
    this.#known.forgetThese(outdated)
  }

  #forgetOutdated(): void {
    if (this.#isAllOutdated) this.#known.forget()
    else for (const changed of this.#outdated) this.#known.forgetChanged(changed)
    this.#isAllOutdated = false
    if (this.#outdated.length > 0) this.#outdated = []
  }

  /** @param isDoubtful a message of this batch said to be new is not: look all of them up */
  async #carryOut(
    batch: readonly Waiting[],
    commit: LogStore['commit'] = (writes) => this.#options.store.log.commit(writes),
    isDoubtful = false,
  ): Promise<void> {
    const { store, now } = this.#options
    await this.#settleDoubt?.()
    this.#settleDoubt = undefined
    this.#cursor ??= await store.log.lastCursor()
    this.#forgetOutdated()
    const fresh = await this.#load(batch, isDoubtful)
    const at = now()
    let place: Place = { cursor: this.#cursor + 1, settled: this.#cursor }
    const ledger = new Ledger(this.#known, place.cursor, at)
    this.#uncommitted = ledger
    for (const waiting of batch) this.#decide(waiting, ledger, at)
    if (!isDoubtful) await this.#doubtRefusals(batch, ledger, at)
    if (store.hasOneWriter === false) await this.#doubtMemory(batch, ledger, fresh, at)
    if (!ledger.isEmpty) {
      try {
        place = await commit(ledger.writes())
      } catch (error) {
        if (error instanceof CommitUnknown) {
          this.#settleDoubt = async () => {
            const fate = await error.fate()
            if (fate) this.#publish(batch, fate, at)
          }
        }
        if (!(error instanceof MessageExists) || isDoubtful) throw error
        ledger.undo()
        return this.#carryOut(batch, commit, true)
      }
      this.#cursor = place.cursor
    }
    this.#uncommitted = undefined
    this.#publish(batch, place, at)
    const settledAt = performance.now()
    for (const waiting of batch) this.#settle(waiting, waiting.outcome, settledAt)
  }

  #publish(batch: readonly Waiting[], { cursor, settled }: Place, at: number): void {
    const committed: Committed[] = []
    for (const { request, moves } of batch) {
      if (moves.length === 0) continue
      const { app, userId: actor, operation, input } = request
      committed.push({ app, actor, operation: operation.name, input, moves, cursor, settled, at })
    }
    try {
      this.#options.publish(committed)
    } catch (error) {
      // It is committed all the same; whoever was not told finds out by the gap.
      this.#options.log('a change could not be told', { error: error instanceof Error ? error.stack : String(error) })
    }
  }

  /**
   * What looks forbidden may be the repeat of a message that was sent when it was not: then the first outcome stands
   * (OPR-1). Only refused senders are worth this look.
   */
  async #doubtRefusals(batch: readonly Waiting[], ledger: Ledger, at: number): Promise<void> {
    const doubtful = batch.filter(({ outcome, reads }) => 'refusal' in outcome && reads.newMessages !== undefined)
    if (doubtful.length === 0) return
    const idsOf = ({ request: { app }, reads }: Waiting) => (reads.newMessages ?? []).map((key) => ({ app, key }))
    const wanted = { ...NOTHING, messages: doubtful.flatMap(idsOf) }
    const loaded = await this.#options.store.log.load(wanted)
    this.#known.learn(wanted, loaded)
    for (const waiting of doubtful) {
      const isThere = idsOf(waiting).some(({ app, key }) =>
        loaded.messages.some((message) => message.app === app && message.id === key),
      )
      if (isThere) this.#decide(waiting, ledger, at)
    }
  }

  /**
   * What is written is compared with the truth by the commit itself. What is refused, or found to be so already, is not:
   * where others write, it is not said from memory alone.
   */
  async #doubtMemory(batch: readonly Waiting[], ledger: Ledger, fresh: Fresh, at: number): Promise<void> {
    const doubtful = batch.filter((waiting) => isUnproven(waiting) && this.#isRemembered(waiting, ledger, fresh))
    if (doubtful.length === 0) return
    for (const { app, userId, operationId: id } of doubtful.map(({ request }) => request)) {
      if (userId !== null && id) ledger.forgetOperation({ app, userId, id })
    }
    await this.#load(doubtful, false)
    for (const waiting of doubtful) this.#decide(waiting, ledger, at)
  }

  /** Whether it was decided from what was neither loaded nor is written with this batch; that is forgotten then. */
  #isRemembered({ reads, request: { app, userId } }: Waiting, ledger: Ledger, fresh: Fresh): boolean {
    const people = [...(userId === null ? [] : [userId]), ...(reads.profiles ?? [])]
    const found = (reads.distinctKeys ?? []).flatMap((key) => this.#known.distinct(app, key)?.id ?? [])
    const remembered = {
      people: itemsOf(app, people).filter(({ key }) => !fresh.has('people', app, key) && !ledger.changes(app, key)),
      conversations: itemsOf(app, [...(reads.conversations ?? []), ...found]).filter(
        ({ key }) => !fresh.has('conversations', app, key) && !ledger.changesWithin(this.#known.conversation(app, key)),
      ),
      distinctKeys: itemsOf(app, reads.distinctKeys ?? []).filter(({ key }) => !fresh.has('distinctKeys', app, key)),
      messages: itemsOf(app, reads.messages ?? []).filter(({ key }) => !fresh.has('messages', app, key)),
    }
    if (Object.values(remembered).every((items) => items.length === 0)) return false
    this.#known.forgetThese(remembered)
    return true
  }

  /** Answers what was loaded just now. */
  async #load(batch: readonly Waiting[], isDoubtful: boolean): Promise<Fresh> {
    const { log } = this.#options.store
    const wanted = {
      ...this.#known.missing(batch, isDoubtful),
      operations: batch.flatMap(({ request: { operation, app, userId, operationId } }) =>
        operation.remembered && operationId && userId !== null ? [{ app, userId, id: operationId }] : [],
      ),
    }
    if (Object.values(wanted).some((list) => list.length > 0)) this.#known.learn(wanted, await log.load(wanted))
    const people = this.#known.missingPeople(batch)
    const more = { ...NOTHING, people }
    if (people.length > 0) this.#known.learn(more, await log.load(more))
    return new Fresh([wanted, more])
  }

  #decide(waiting: Waiting, ledger: Ledger, now: number): void {
    waiting.moves = NO_MOVES
    waiting.isProven = false
    waiting.outcome = this.#outcomeOf(waiting, ledger, now)
  }

  #outcomeOf(waiting: Waiting, ledger: Ledger, now: number): Outcome {
    const { operation, input, app, userId, operationId, isHeldBack } = waiting.request
    if (isHeldBack?.()) return busy(100)
    if (userId !== null && !operation.toleratesSuspension && this.#isSuspended(app, userId)) {
      return refuse('user_suspended')
    }
    const asking = this.#asking(waiting.request, now)
    const facts = this.#known.factsFor(app, userId)
    const before = operation.remembered && operationId ? facts.remembered(operationId) : undefined
    if (before) {
      waiting.isProven = true
      return this.#repeatedOutcome(waiting, before.name)
    }
    let decision: Decision<unknown>
    try {
      decision = operation.decide(input, asking, facts)
    } catch (error) {
      return this.#bug(operation.name, error)
    }
    if ('refusal' in decision) return decision
    waiting.isProven = decision.facts.length > 0 || decision.isForGood === true
    // What fails from here on leaves half an operation behind, so it takes the batch with it.
    waiting.moves = ledger.record(app, decision.facts)
    if (operation.remembered && operationId && userId !== null) {
      ledger.remember({ app, userId, id: operationId, name: operation.name, at: now })
    }
    return this.#done(waiting, decision.result, decision.effect, waiting.moves.length > 0)
  }

  #isSuspended(app: AppKey, userId: UserId): boolean {
    return this.#known.person(app, userId)?.profile.suspendedAt != null
  }

  #bug(operation: string, error: unknown): { readonly refusal: Refusal } {
    const details = error instanceof Error ? error.stack : String(error)
    this.#options.log('a bug in an operation', { operation, error: details })
    return refuse('internal_server_error')
  }

  #asking({ app, userId }: LaneRequest<unknown, unknown>, now: number): Asking {
    const { maxParticipants = limits.maxParticipants } = this.#options
    return { app, userId: userId ?? ('' as UserId), now, maxParticipants }
  }

  #repeatedOutcome(waiting: Waiting, name: string): Outcome {
    if (name !== waiting.request.operation.name) {
      return refuse('id_in_use', { message: 'This operation id was used for another operation.' })
    }
    return this.#done(waiting, {}, waiting.reads.conversations?.[0], false)
  }

  /**
   * The outcome, and where the caller's devices will see the effect: a stream that is closed to them would have them
   * wait for ever.
   */
  #done(waiting: Waiting, result: unknown, effect: Uuid | undefined, hasChanged: boolean): Outcome {
    const { app, userId } = waiting.request
    if (userId === null) return { result, stream: 'inbox', sequence: 0, hasChanged }
    const conversation = effect === undefined ? undefined : this.#known.conversation(app, effect)
    if (conversation?.activeParticipant(userId)) {
      return { result, stream: conversation.id, sequence: conversation.headSequence, hasChanged }
    }
    const sequence = this.#known.person(app, userId)?.inboxSequence ?? 0
    return { result, stream: 'inbox', sequence, hasChanged }
  }
}

/** What came of an operation, in one word of ours. */
function wordFor(outcome: Outcome): string {
  if ('refusal' in outcome) return outcome.refusal.id
  return outcome.hasChanged ? 'done' : 'unchanged'
}

const NO_MOVES: readonly StreamMove[] = []

const itemsOf = <Key>(app: AppKey, keys: readonly Key[]) => keys.map((key) => ({ app, key }))

/** Refused, or found to be so already. */
const isUnproven = ({ outcome, isProven }: Waiting) =>
  'refusal' in outcome ? outcome.refusal.id !== 'service_unavailable' : !isProven

const busy = (retryAfterMs: number) => refuse('service_unavailable', { retryAfterMs })
const UNDECIDED: Outcome = busy(100)
