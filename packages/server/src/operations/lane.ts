import type { Refusal, UserId, Uuid } from '@parley/protocol'
import { refuse } from '@parley/protocol'
import type { Asking, Reads } from '../model/decision.ts'
import type { AppKey } from '../model/state.ts'
import { type Cursor, MessageExists, type Store, StoreOutage } from '../store/store.ts'
import { Ledger, type StreamMove } from './ledger.ts'
import type { Operation } from './operation.ts'
import { WorkingSet } from './working-set.ts'

/** Operations in one transaction. Beyond this a batch grows no cheaper, only later. */
const MAX_BATCH = 1_000
/** Operations waiting for a batch. Beyond this the answer is "later": nothing is lost, since nothing was taken on. */
const MAX_WAITING = 20_000

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
}

interface Waiting extends LaneRequest<unknown, unknown> {
  readonly reads: Reads
  readonly settle: (outcome: Outcome) => void
}

export interface LaneOptions {
  readonly store: Store
  /** Called after each commit, before anybody gets an acknowledgement, in the order of the log. */
  readonly publish: (committed: readonly Committed[]) => void
  readonly now: () => number
  readonly log: (message: string, details: Record<string, unknown>) => void
  /** Runs the callback when this turn of the event loop has brought all it will bring. */
  readonly soon?: (callback: () => void) => void
}

/**
 * The write lane: operations that arrive while a transaction is in flight form the next batch; a batch is one
 * transaction and one fsync; acknowledgements go out after the commit, never before.
 *
 *     submit ─→ waiting ─→ load what is not known ─→ decide one by one ─→ commit ─→ publish ─→ acknowledge
 *
 * It owns the working set and the order of everything. A refusal or a bug in one operation leaves the others of its
 * batch alone, because a decision is pure and nothing is recorded until it is made.
 */
export class WriteLane {
  readonly #options: LaneOptions
  readonly #known = new WorkingSet()
  #waiting: Waiting[] = []
  #isRunning = false
  #cursor: Cursor | undefined
  #closing: (() => void) | undefined
  #isClosed = false

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** Carries out an operation, in the order of calls. Never rejects: trouble is a refusal. */
  submit<Input, Result>(request: LaneRequest<Input, Result>): Promise<Outcome<Result>> {
    if (this.#isClosed) return Promise.resolve(busy(1_000))
    if (this.#waiting.length >= MAX_WAITING) return Promise.resolve(busy(500))
    return new Promise((resolve) => {
      const asking = { app: request.app, userId: request.userId ?? ('' as UserId), now: 0 }
      this.#waiting.push({
        ...(request as LaneRequest<unknown, unknown>),
        reads: request.operation.reads(request.input, asking),
        settle: resolve as (outcome: Outcome) => void,
      })
      this.#schedule()
    })
  }

  /** How many operations wait for a batch. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Takes on nothing more, and resolves when all that was taken on is settled. */
  close(): Promise<void> {
    this.#isClosed = true
    if (!this.#isRunning && this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#closing = resolve
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
      try {
        await this.#carryOut(batch)
      } catch (error) {
        await this.#carryOutSingly(batch, error)
      }
      this.#known.trim()
    }
    this.#isRunning = false
    this.#closing?.()
  }

  /**
   * A batch that cannot be committed may hold one operation to blame; each gets one try of its own. In an outage nothing
   * more is tried: whatever was taken on is put off, so that no operation overtakes an earlier one.
   */
  async #carryOutSingly(batch: readonly Waiting[], error: unknown): Promise<void> {
    const { log } = this.#options
    const left = [...batch]
    let trouble: unknown = error
    if (!(error instanceof StoreOutage)) {
      log('a batch could not be committed', { operations: batch.length, error: String(error) })
    }
    while (left.length > 0) {
      // Memory is ahead of the store, or unsure of it.
      this.#known.forget()
      this.#cursor = undefined
      if (trouble instanceof StoreOutage) {
        log('the store is away', { operations: left.length + this.#waiting.length, error: String(trouble) })
        for (const waiting of [...left.splice(0), ...this.#waiting.splice(0)]) waiting.settle(busy(1_000))
        return
      }
      try {
        while (left.length > 0) {
          await this.#carryOut([left[0]!])
          left.shift()
        }
      } catch (cause) {
        trouble = cause
        if (cause instanceof StoreOutage) continue
        const { operation, settle } = left.shift()!
        log('an operation could not be committed', { operation: operation.name, error: String(cause) })
        settle(refuse('internal_server_error'))
      }
    }
  }

  /** @param isDoubtful a message of this batch said to be new is not: look all of them up */
  async #carryOut(batch: readonly Waiting[], isDoubtful = false): Promise<void> {
    const { store, now } = this.#options
    this.#cursor ??= await store.log.lastCursor()
    await this.#load(batch, isDoubtful)
    const at = now()
    const settled = this.#cursor
    const cursor = settled + 1
    const ledger = new Ledger(this.#known, cursor, at)
    const outcomes = batch.map((waiting) => this.#decide(waiting, ledger, at))
    if (!ledger.isEmpty) {
      try {
        await store.log.commit(ledger.writes())
      } catch (error) {
        if (!(error instanceof MessageExists) || isDoubtful) throw error
        ledger.undo()
        return this.#carryOut(batch, true)
      }
      this.#cursor = cursor
    }
    this.#options.publish(
      batch.flatMap((waiting, index) => {
        const { moves } = outcomes[index]!
        if (moves.length === 0) return []
        const { app, userId: actor, operation, input } = waiting
        return [{ app, actor, operation: operation.name, input, moves, cursor, settled, at }]
      }),
    )
    for (const [index, waiting] of batch.entries()) waiting.settle(outcomes[index]!.outcome)
  }

  async #load(batch: readonly Waiting[], isDoubtful: boolean): Promise<void> {
    const { log } = this.#options.store
    const wanted = {
      ...this.#known.missing(batch, isDoubtful),
      operations: batch.flatMap(({ operation, app, userId, operationId }) =>
        operation.remembered && operationId && userId !== null ? [{ app, userId, id: operationId }] : [],
      ),
    }
    if (Object.values(wanted).some((list) => list.length > 0)) this.#known.learn(wanted, await log.load(wanted))
    const people = this.#known.missingPeople(batch)
    if (people.length === 0) return
    const more = { ...NOTHING, people }
    this.#known.learn(more, await log.load(more))
  }

  #decide(waiting: Waiting, ledger: Ledger, now: number): { outcome: Outcome; moves: readonly StreamMove[] } {
    const { operation, input, app, userId, operationId } = waiting
    const asking: Asking = { app, userId: userId ?? ('' as UserId), now }
    try {
      const facts = this.#known.factsFor(app, userId)
      const before = operation.remembered && operationId ? facts.remembered(operationId) : undefined
      if (before) return { outcome: this.#repeatedOutcome(waiting, before.name), moves: [] }
      const decision = operation.decide(input, asking, facts)
      if ('refusal' in decision) return { outcome: decision, moves: [] }
      const moves = ledger.record(app, decision.facts)
      if (operation.remembered && operationId && userId !== null) {
        ledger.remember({ app, userId, id: operationId, name: operation.name, at: now })
      }
      const { stream, sequence } = this.#effect(waiting, decision.effect)
      return { outcome: { result: decision.result, stream, sequence, hasChanged: moves.length > 0 }, moves }
    } catch (error) {
      this.#options.log('a bug in an operation', {
        operation: operation.name,
        error: error instanceof Error ? error.stack : String(error),
      })
      return { outcome: refuse('internal_server_error'), moves: [] }
    }
  }

  #repeatedOutcome(waiting: Waiting, name: string): Outcome {
    if (name !== waiting.operation.name) {
      return refuse('id_in_use', { message: 'This operation id was used for another operation.' })
    }
    const effect = waiting.reads.conversations?.[0]
    const conversation = effect && this.#known.conversation(waiting.app, effect)
    const isVisible = conversation && waiting.userId !== null && conversation.activeParticipant(waiting.userId)
    return { result: {}, ...this.#effect(waiting, isVisible ? effect : undefined), hasChanged: false }
  }

  #effect(waiting: Waiting, conversation: Uuid | undefined): { stream: 'inbox' | Uuid; sequence: number } {
    const { app, userId } = waiting
    if (conversation !== undefined) {
      return { stream: conversation, sequence: this.#known.conversation(app, conversation)?.headSequence ?? 0 }
    }
    return {
      stream: 'inbox',
      sequence: userId === null ? 0 : (this.#known.person(app, userId)?.inboxSequence ?? 0),
    }
  }
}

const NOTHING = {
  conversations: [],
  distinctKeys: [],
  messages: [],
  people: [],
  operations: [],
  nonces: [],
  sessions: [],
} as const

const busy = (retryAfterMs: number) => refuse('service_unavailable', { retryAfterMs })
