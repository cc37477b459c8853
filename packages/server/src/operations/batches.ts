import type { UserId } from '@parley/protocol'
import { inRuns } from '../model/runs.ts'
import type { AppKey } from '../model/state.ts'
import type { Tally } from '../observability/tally.ts'
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
import type { Committed } from './committed.ts'
import type { Decider } from './decider.ts'
import { Fresh } from './fresh.ts'
import type { Waiting } from './lane-request.ts'
import { Ledger } from './ledger.ts'
import { shiftBatch } from './shifting.ts'
import type { ChangedElsewhere, WorkingSet } from './working-set.ts'

/** How often a batch is decided in all, if others keep changing what it rests on. */
const MAX_TRIES = 8

/**
 * Batches for which conversations are held, once somebody else was faster: between what is loaded anew and its commit, others
 * who write there all the time would be faster again, and again. Holding costs two round trips more.
 */
const HELD_BATCHES = 8

/** Commits of others to be taken note of after a batch; beyond it everything is forgotten. */
const MAX_OUTDATED = 10_000

export interface BatchesOptions {
  readonly store: Store
  readonly known: WorkingSet
  readonly decider: Decider
  /** Called after each commit, in the order of the log. */
  readonly publish: (committed: readonly Committed[]) => void
  readonly now: () => number
  readonly log: (message: string, details: Record<string, unknown>) => void
  readonly tally: Tally
  /** Whether batches follow each other at present: what others change meanwhile is taken note of between two. */
  readonly isUnderWay: () => boolean
}

/**
 * Carries out one batch at a time: loads what is not known, decides one by one, commits, publishes. It owns how far the log
 * is, and that what is known is as the store has it, whoever else writes there.
 */
export class Batches {
  readonly #options: BatchesOptions
  readonly #known: WorkingSet
  readonly #decider: Decider
  #cursor: Cursor | undefined
  /** A commit in the middle of which the store went away: learns what became of it, and tells it if it happened. */
  #doubt: (() => Promise<void>) | undefined
  /** What is decided and not committed yet. */
  #uncommitted: Ledger | undefined
  /** Changed by others while a batch is under way, which has to be decided from what it loaded. */
  #outdated: ChangedElsewhere[] = []
  #isAllOutdated = false
  /** Batches that are still to hold their conversations. */
  #toHold = 0

  constructor(options: BatchesOptions) {
    this.#options = options
    this.#known = options.known
    this.#decider = options.decider
  }

  /**
   * Each operation of a batch gets its outcome, what changed is committed and published. Other processes may write to the
   * same store: what they changed is loaded, and everything decided anew. Whatever it throws, none of the batch happened,
   * and what was known is to be forgotten.
   */
  async carryOut(batch: readonly Waiting[]): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        if (this.#toHold === 0) return await this.#try(batch)
        return await this.#tryHolding(batch)
      } catch (error) {
        if (!(error instanceof Stale)) throw error
        this.#options.tally.staleBatches++
        if (error.outdated.conversations.length > 0) this.#toHold = HELD_BATCHES
        this.#takeBack(error)
        if (tries === MAX_TRIES) throw new StoreOutage('Others were faster every time.', { cause: error })
      }
    }
  }

  /** Nobody else changes the conversations that are named until this batch is committed. */
  async #tryHolding(batch: readonly Waiting[]): Promise<void> {
    const { log } = this.#options.store
    const named = batch.flatMap(({ request: { app }, reads }) => itemsOf(app, reads.conversations ?? []))
    if (!log.holding || named.length === 0) return this.#try(batch)
    return log.holding(named, async ({ revisions, commit }) => {
      const changed = revisions.filter(({ app, key, revision }) => {
        const known = this.#known.conversation(app, key)
        return known && known.revision !== revision
      })
      this.#toHold = changed.length > 0 ? HELD_BATCHES : this.#toHold - 1
      this.#known.forgetThese({ conversations: changed })
      await this.#try(batch, commit)
    })
  }

  /** Whether it is not known what became of the last commit. */
  get isInDoubt(): boolean {
    return this.#doubt !== undefined
  }

  /**
   * Learns what became of the last commit, if that is not known, and tells it if it happened.
   * @throws StoreOutage if the store is still away; it stays unknown
   */
  async settleDoubt(): Promise<void> {
    await this.#doubt?.()
    this.#doubt = undefined
  }

  /** Another server changed these: they are loaded again when they are next asked for. */
  outdated(changed: ChangedElsewhere): void {
    if (this.#options.isUnderWay()) this.#outdated.push(changed)
    else this.#known.forgetChanged(changed)
    if (this.#outdated.length > MAX_OUTDATED) this.allOutdated()
  }

  /** Another server may have changed anything. */
  allOutdated(): void {
    this.#outdated = []
    if (this.#options.isUnderWay()) this.#isAllOutdated = true
    else this.#known.forget()
  }

  /**
   * Somebody as of the last commit, and which one that was; undefined if that is not in memory, is about to change, or may
   * have been changed by others, of whom one hears only when writing.
   */
  settled(app: AppKey, userId: UserId): { readonly person: Person; readonly cursor: Cursor } | undefined {
    if (!this.#options.store.hasOneWriter || this.#cursor === undefined || this.#uncommitted?.changes(app, userId))
      return undefined
    const person = this.#known.person(app, userId)
    return person && { person, cursor: this.#cursor }
  }

  /** Everything is loaded again. */
  forget(): void {
    this.#known.forget()
    this.#cursor = undefined
    this.#uncommitted = undefined
  }

  /** A batch was decided from what is no longer so; what that is, is forgotten. */
  #takeBack({ outdated }: Stale): void {
    const isNamed = Object.values(outdated).some((items) => items.length > 0)
    if (!isNamed || !this.#uncommitted) {
      this.forget()
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

  /** @param isDoubtful a message of this batch said to be new may not be: look all of them up */
  async #try(
    batch: readonly Waiting[],
    commit: LogStore['commit'] = (writes) => this.#options.store.log.commit(writes),
    isDoubtful = false,
  ): Promise<void> {
    const { store, now } = this.#options
    await this.settleDoubt()
    this.#cursor ??= await store.log.lastCursor()
    this.#forgetOutdated()
    const fresh = await this.#load(batch, isDoubtful)
    const at = now()
    let place: Place = { cursor: this.#cursor + 1, settled: this.#cursor }
    const ledger = new Ledger(this.#known, place.cursor, at)
    this.#uncommitted = ledger
    for (const waiting of batch) this.#decider.decide(waiting, ledger, at)
    if (ledger.hidesMessages && !isDoubtful) {
      ledger.undo()
      return this.#try(batch, commit, true)
    }
    if (!isDoubtful) await this.#doubtRefusals(batch, ledger, at)
    if (store.hasOneWriter === false) await this.#doubtMemory({ batch, ledger, at }, fresh, isDoubtful)
    if (!ledger.isEmpty) {
      try {
        place = await commit(ledger.writes())
      } catch (error) {
        if (error instanceof CommitUnknown) {
          this.#doubt = async () => {
            const fate = await error.fate()
            if (fate) this.#publish(batch, ledger, fate, at)
          }
        }
        if (!(error instanceof MessageExists) || isDoubtful) throw error
        ledger.undo()
        return this.#try(batch, commit, true)
      }
      this.#cursor = place.cursor
    }
    this.#uncommitted = undefined
    this.#publish(batch, ledger, place, at)
  }

  /** Tells of a commit that happened, of everything where the store has it. */
  #publish(batch: readonly Waiting[], ledger: Ledger, { cursor, settled, shifted }: Place, at: number): void {
    if (shifted) shiftBatch(batch, ledger, shifted)
    const committed: Committed[] = []
    for (const { request, moves } of batch) {
      if (moves.length === 0) continue
      const { app, userId: actor, operation, input } = request
      committed.push({ app, actor, operation: operation.name, input, moves, cursor, settled, at })
    }
    try {
      this.#options.publish(inRuns(committed))
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
    const doubtful = batch.filter(({ outcome, reads }) => 'refusal' in outcome && reads.newMessage !== undefined)
    if (doubtful.length === 0) return
    const idsOf = ({ request: { app }, reads }: Waiting) =>
      itemsOf(app, reads.newMessage === undefined ? [] : [reads.newMessage])
    const wanted = { ...NOTHING, messages: doubtful.flatMap(idsOf) }
    const loaded = await this.#options.store.log.load(wanted)
    this.#known.learn(wanted, loaded)
    for (const waiting of doubtful) {
      const isThere = idsOf(waiting).some(({ app, key }) =>
        loaded.messages.some((message) => message.app === app && message.id === key),
      )
      if (isThere) this.#decider.decide(waiting, ledger, at)
    }
  }

  /**
   * What is written is compared with the truth by the commit itself. What is refused, or found to be so already, is not:
   * where others write, it is not said from memory alone.
   */
  async #doubtMemory(
    { batch, ledger, at }: { readonly batch: readonly Waiting[]; readonly ledger: Ledger; readonly at: number },
    fresh: Fresh,
    isDoubtful: boolean,
  ): Promise<void> {
    const doubtful = batch.filter((waiting) => isUnproven(waiting) && this.#isRemembered(waiting, ledger, fresh))
    if (doubtful.length === 0) return
    for (const { app, userId, operationId: id } of doubtful.map(({ request }) => request)) {
      if (userId !== null && id) ledger.forgetOperation({ app, userId, id })
    }
    await this.#load(doubtful, isDoubtful)
    for (const waiting of withRepeats(batch, doubtful)) this.#decider.decide(waiting, ledger, at)
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
    const loaded = Object.values(wanted).some((list) => list.length > 0) ? await log.load(wanted) : undefined
    if (loaded) this.#known.learn(wanted, loaded)
    const more = {
      ...NOTHING,
      people: this.#known.missingPeople(batch),
      conversations: this.#known.missingEffects(loaded?.operations ?? []),
    }
    if (more.people.length > 0 || more.conversations.length > 0) this.#known.learn(more, await log.load(more))
    return new Fresh([wanted, more])
  }
}

const itemsOf = <Key>(app: AppKey, keys: readonly Key[]) => keys.map((key) => ({ app, key }))

/** Some of a batch, and what was answered by the memory of them, in the batch's order. */
function withRepeats(batch: readonly Waiting[], some: readonly Waiting[]): Waiting[] {
  const nameOf = ({ request: { app, userId, operationId } }: Waiting) => `${app} ${operationId} ${userId}`
  const chosen = new Set(some)
  const names = new Set(some.map(nameOf))
  return batch.filter((waiting) => chosen.has(waiting) || (waiting.isRepeat && names.has(nameOf(waiting))))
}

/** Refused, or found to be so already. A repeat is as good as what it repeats. */
const isUnproven = ({ outcome, isProven, isRepeat }: Waiting) =>
  !isRepeat && ('refusal' in outcome ? outcome.refusal.id !== 'service_unavailable' : !isProven)
