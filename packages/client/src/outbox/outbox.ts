/**
 * The outbox: operations the server has not been heard to have carried out in full, durable and in order.
 *
 * It owns the `outbox` table (`stored-entries.ts`), the summaries of its entries in memory (`entry-list.ts`), the next order
 * number, the aliases of relabelled conversations, and those who wait for an answer (`answers.ts`). What an operation looks
 * like in it is decided by `drafting.ts`, what an answer of the server's means by `settlement.ts`; it does not send:
 * `sender.ts` does. Memory follows the replica, never the other way round: a summary changes only once the commit that says
 * so has succeeded.
 */
import type { AcknowledgementFrame, ConversationId, IdentityId, StreamId } from '@parley/protocol'
import { type Deferred, deferred } from '../deferred.ts'
import type { Clock } from '../environment.ts'
import { abortable, discarded, ParleyError, refused, storageError } from '../errors.ts'
import type { OnlinePart } from '../online-part.ts'
import type { OutboxEntry, Replica, Write } from '../replica/replica.ts'
import type { SerialQueue } from '../sync/serial-queue.ts'
import { type Acknowledged, Answers, outcomeOf } from './answers.ts'
import { type Draft, type Drafted, draftEntries } from './drafting.ts'
import { EntryList } from './entry-list.ts'
import { givenUpWrite, latestOf, readGivenUp } from './given-up.ts'
import type { Settlement } from './settlement.ts'
import { deleteEntries, forEachEntry, putEntries } from './stored-entries.ts'
import { type Summary, summarise } from './summary.ts'

/** More than anybody writes offline; past it an operation is refused, loudly. */
export const MAX_OUTBOX_ENTRIES = 10_000

export interface Placed {
  readonly id: string
  /** As the entry has it: a relabelled conversation's new id. */
  readonly conversation: ConversationId
  /** The server's answer. Ignoring it is fine; a refusal nobody waits for is an event only. */
  readonly acknowledged: Promise<Acknowledged>
}

export interface OutboxPorts {
  readonly replica: Replica
  /** Present where answers of the server come in. */
  readonly online: Pick<OnlinePart, 'present'>
  readonly writer: SerialQueue
  readonly clock: Clock
  readonly identity: IdentityId
  /** Up to where the replica has a stream. */
  readonly sequenceOf: (stream: StreamId) => number
  readonly onFailed: (entries: readonly OutboxEntry[]) => void
  readonly onRelabelled: (from: ConversationId, to: ConversationId) => void
  /** Something may be ready to go. */
  readonly onReady: () => void
}

interface Addition {
  readonly draft: Draft
  readonly resolve: (placed: Placed) => void
  readonly reject: (error: unknown) => void
}

export class Outbox {
  readonly #ports: OutboxPorts
  /** Changed only after the commit that says the same. */
  readonly #entries = new EntryList()
  #nextOrder = 1
  #additions: Addition[] = []
  /** Conversations that go by another id now. */
  readonly aliases = new Map<ConversationId, ConversationId>()
  #discarded: readonly string[] = []
  readonly #answers = new Answers()
  /** Somebody waits until nothing waits to be sent. */
  #drained: Deferred | undefined
  /** Told by the sender: which entries may be at the server at this moment. */
  isUnderWay: (id: string) => boolean = () => false
  /** The waiting entry that is being given up at this moment: not to be sent any more. */
  leaving: string | undefined

  constructor(ports: OutboxPorts) {
    this.#ports = ports
  }

  /** Reads what an earlier run left. Call before anything else. */
  async load(): Promise<void> {
    const { replica, identity } = this.#ports
    const entries: Summary[] = []
    const foreign: OutboxEntry[] = []
    await forEachEntry(replica, (entry) => {
      if (entry.identity === identity) entries.push(summarise(entry))
      else foreign.push(entry)
    })
    // An outbox is never sent for somebody else; the sign-in of another identity wipes, so these cannot be.
    if (foreign.length > 0) await replica.commit(deleteEntries(foreign), { durability: 'relaxed' })
    this.#entries.load(entries)
    this.#nextOrder = Math.max(this.#nextOrder, (entries.at(-1)?.order ?? 0) + 1)
    for (const { name, value } of await replica.scan('meta', { from: 'alias:', to: 'alias:~' })) {
      this.aliases.set(name.slice('alias:'.length) as ConversationId, value as ConversationId)
    }
    this.#discarded = await readGivenUp(replica)
  }

  /** Entries to be sent, by order. */
  get waiting(): readonly Summary[] {
    return this.#entries.all().filter((entry) => entry.state === 'waiting')
  }

  /** Everything, by order. */
  get entries(): readonly Summary[] {
    return this.#entries.all()
  }

  /** The server's answer to come, if the conversation's own creation waits to be sent. */
  creationOf(conversation: ConversationId): Promise<Acknowledged> | undefined {
    const creation = this.#of(conversation).find(({ name }) => name === 'create-conversation')
    return creation?.state === 'waiting' ? this.#answers.to(creation.id) : undefined
  }

  /** The id a conversation goes by now. */
  resolve(conversation: ConversationId): ConversationId {
    return this.aliases.get(conversation) ?? conversation
  }

  has(id: string): boolean {
    return this.#entries.byId(id) !== undefined
  }

  /**
   * Stores an operation. Resolves once it is durable: a power cut cannot undo it any more. Operations added while a
   * commit is under way share the next one. One that is here already is not added again.
   *
   * @param isEcho it was in the outbox once: if it is gone it was carried out, and goes again for the answer's sake only
   */
  async add(draft: Draft, isEcho = false): Promise<Placed> {
    const known = this.has(draft.id) ? await this.#placedBefore(draft.id) : undefined
    if (known) return known
    if (this.#discarded.includes(draft.id)) throw discarded()
    return this.#addNew(isEcho ? { ...draft, isEcho } : draft)
  }

  /**
   * An entry that is here, and what became of it or will; undefined if it is gone by then. In a job of the writer, or it
   * might be settled or given up after the look at it and before anybody waits, who would then wait for ever.
   */
  #placedBefore(id: string): Promise<Placed | undefined> {
    return this.#ports.writer.run(async () => {
      const summary = this.#entries.byId(id)
      if (!summary) return undefined
      const { order, conversation } = summary
      const [entry] = summary.state === 'waiting' ? [] : await this.read([order])
      return { id, conversation, acknowledged: entry ? outcomeOf(entry) : this.#answers.to(id) }
    })
  }

  #addNew(draft: Draft): Promise<Placed> {
    return new Promise((resolve, reject) => {
      this.#additions.push({ draft, resolve, reject })
      if (this.#additions.length === 1) void this.#ports.writer.run(() => this.#store())
    })
  }

  async #store(): Promise<void> {
    const additions = this.#additions
    this.#additions = []
    const room = MAX_OUTBOX_ENTRIES - this.#entries.size
    for (const { reject } of additions.splice(Math.max(0, room))) {
      reject(new ParleyError('outbox_full', `More than ${MAX_OUTBOX_ENTRIES} operations wait to be sent.`))
    }
    if (additions.length === 0) return
    const drafted = this.draftAll(additions.map(({ draft }) => draft))
    try {
      await this.#ports.replica.commit(drafted.writes, { durability: 'strict' })
    } catch (cause) {
      const error = storageError(cause)
      for (const { reject } of additions) reject(error)
      return
    }
    const placed = drafted.entries.map(({ id, conversation }) => ({
      id,
      conversation,
      acknowledged: this.#answers.to(id),
    }))
    this.place(drafted)
    for (const [i, { resolve }] of additions.entries()) resolve(placed[i]!)
    this.#ports.onReady()
  }

  /**
   * The writes that would add these operations, for a commit of the caller's; inside a job of the writer, and followed
   * by {@link place}.
   */
  draftAll(drafts: readonly Draft[]): Drafted {
    const { clock, identity } = this.#ports
    const order = this.#nextOrder
    this.#nextOrder += drafts.length
    return draftEntries(drafts, {
      order,
      createdAt: new Date(clock.wall()).toISOString(),
      identity,
      entries: this.entries,
      isUnderWay: this.isUnderWay,
      resolve: (conversation) => this.resolve(conversation),
    })
  }

  /** What {@link draftAll} drafted has been committed. */
  place({ entries, replaced }: Drafted): void {
    for (const entry of entries) this.#entries.put(summarise(entry))
    for (const { old } of replaced) this.#entries.delete(old.order)
    // Who waited for the old mark has what they wanted once the new one is through.
    for (const { old, by } of replaced) this.#answers.replace(old.id, by.id)
  }

  read(orders: readonly number[]): Promise<(OutboxEntry | undefined)[]> {
    return this.#ports.replica.getMany(
      'outbox',
      orders.map((order) => [order]),
    )
  }

  /**
   * Takes the server's final answers to entries, in one commit, and answers the ids that are settled. Inside a job of
   * the writer.
   */
  async settle(answers: readonly AcknowledgementFrame[]): Promise<void> {
    const { settle, settlementWrites } = this.#ports.online.present!
    // The first answer to each counts; on a disturbed line one may come twice.
    const first = new Map([...answers].reverse().map((answer) => [answer.id, answer]))
    const waiting = [...first.keys()].flatMap((id) => {
      const entry = this.#entries.byId(id)
      return entry?.state === 'waiting' ? [entry.order] : []
    })
    const settlement = await settle(await this.#present(waiting.sort((a, b) => a - b)), first, {
      sequenceOf: this.#ports.sequenceOf,
      entriesOf: (conversation) => this.#present(this.#of(conversation).map(({ order }) => order)),
    })
    const writes = settlementWrites(settlement)
    if (writes.length === 0) return
    await this.#ports.replica.commit(writes, { durability: 'relaxed' })
    this.#follow(settlement)
    this.#tellDrained()
  }

  #follow({ entries, aliases, accepted, refused: refusals, failed }: Settlement): void {
    const { onRelabelled, onFailed } = this.#ports
    for (const [order, entry] of entries) {
      if (entry) this.#entries.put(summarise(entry))
      else this.#entries.delete(order)
    }
    for (const [from, to] of aliases) {
      this.aliases.set(from, to)
      onRelabelled(from, to)
    }
    for (const [id, acknowledged] of accepted) this.#answers.accept(id, acknowledged)
    for (const [id, error] of refusals) this.#answers.fail(id, refused(error))
    for (const rows of failed) onFailed(rows)
  }

  /** Streams in which the effects of acknowledged entries are still to be seen. */
  get settling(): readonly StreamId[] {
    return this.#entries.settling
  }

  /** Writes that drop what a stream's new sequence settles (OPR-4), for the commit that brings it there. */
  settledBy(stream: StreamId, sequence: number): readonly Write[] {
    return deleteEntries(this.#entries.settledBy(stream, sequence))
  }

  /** That commit succeeded. */
  dropSettled(stream: StreamId, sequence: number): void {
    for (const { order } of this.#entries.settledBy(stream, sequence)) this.#entries.delete(order)
  }

  /**
   * Sends a failed entry again, in its old place, with whatever failed because of it.
   *
   * @param isRepeat it may have been retried already
   */
  retry(id: string, isRepeat = false): Promise<void> {
    return this.#ports.writer.run(async () => {
      if (isRepeat && this.#entries.byId(id)?.state !== 'failed') return
      const failed = await this.#failedWith(id)
      const rows = failed.map((entry): OutboxEntry => ({ ...entry, state: { state: 'waiting' } }))
      await this.#ports.replica.commit(putEntries(rows), { durability: 'strict' })
      for (const row of rows) this.#entries.put(summarise(row))
      this.#ports.onReady()
    })
  }

  /** Gives an entry up, with whatever depends on it; answers what was dropped. Not while it is under way. */
  discard(id: string): Promise<readonly OutboxEntry[]> {
    return this.#ports.writer.run(async () => {
      const summary = this.#entries.byId(id)
      if (this.#discarded.includes(id)) return []
      if (!summary || summary.state === 'acknowledged' || this.isUnderWay(id)) {
        throw new ParleyError('invalid', 'Only an operation that failed or waits can be discarded.')
      }
      this.leaving = id
      try {
        const orders = summary.state === 'failed' ? [] : [summary.order]
        const dropped = summary.state === 'failed' ? await this.#failedWith(id) : await this.#present(orders)
        await this.#drop(dropped)
        return dropped
      } finally {
        this.leaving = undefined
        // What is behind it in its conversation was held up with it.
        this.#ports.onReady()
      }
    })
  }

  async #drop(entries: readonly OutboxEntry[]): Promise<void> {
    const latest = latestOf([...this.#discarded, ...entries.map(({ id }) => id)])
    await this.#ports.replica.commit([...deleteEntries(entries), givenUpWrite(latest)], { durability: 'strict' })
    this.#discarded = latest
    for (const { id, order } of entries) {
      this.#entries.delete(order)
      this.#answers.fail(id, discarded())
    }
    this.#tellDrained()
  }

  /** Settles once nothing the app asked for waits to be sent; what failed does not count. */
  async drained(signal: AbortSignal): Promise<void> {
    // What is being stored at this moment counts as well.
    await this.#ports.writer.idle()
    if (this.#isDrained) return
    this.#drained ??= deferred()
    await abortable(this.#drained.promise, signal)
  }

  get #isDrained(): boolean {
    return this.waiting.every((entry) => entry.isQuiet)
  }

  #tellDrained(): void {
    if (!this.#drained || !this.#isDrained) return
    this.#drained.resolve()
    this.#drained = undefined
  }

  /** Nobody will hear of what they wait for. */
  close(error: ParleyError): void {
    this.#answers.failAll(error)
    const additions = this.#additions
    this.#additions = []
    for (const { reject } of additions) reject(error)
  }

  async #failedWith(id: string): Promise<OutboxEntry[]> {
    const first = this.#entries.byId(id)
    if (first?.state !== 'failed') throw new ParleyError('invalid', 'There is no failed operation with this id.')
    const lane = await this.#present(this.#of(first.conversation).map((entry) => entry.order))
    return lane.filter((entry) => entry.id === id || becauseOf(entry) === id)
  }

  async #present(orders: readonly number[]): Promise<OutboxEntry[]> {
    return (await this.read(orders)).filter((entry) => entry !== undefined)
  }

  #of(conversation: ConversationId): readonly Summary[] {
    return this.#entries.all().filter((entry) => entry.conversation === conversation)
  }
}

function becauseOf({ state }: OutboxEntry): unknown {
  return state.state === 'failed' ? (state.error.data as { because?: unknown } | undefined)?.because : undefined
}
