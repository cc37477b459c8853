import type { ConversationId } from '@parley/protocol'
import type { OutboxEntry, Replica, Write } from '../replica/replica.ts'
import { groupBy } from '../view/group-by.ts'

/** The outbox in memory, kept level with the replica by the writes of each commit. */
export class OutboxMirror {
  /** By order. */
  readonly #entries = new Map<number, OutboxEntry>()
  /** Made from the entries when asked for, and forgotten when they change. */
  #byConversation: ReadonlyMap<ConversationId, readonly OutboxEntry[]> | undefined
  /** Writes that arrived while the entries were read; they come after what was read, and may be in it already. */
  #early: Write[] | undefined = []

  async load(replica: Replica): Promise<void> {
    for (const entry of await replica.scan('outbox')) this.#put(entry)
    const early = this.#early ?? []
    this.#early = undefined
    this.apply(early)
  }

  /** Takes a commit's writes and answers the conversations whose entries they change. */
  apply(writes: readonly Write[]): ConversationId[] {
    const touched: ConversationId[] = []
    for (const write of writes) {
      if (write.table !== 'outbox') continue
      this.#early?.push(write)
      this.#byConversation = undefined
      if (write.type === 'put') {
        // A relabelled entry leaves one conversation and comes to another.
        touched.push(...this.#forget([write.row.order]), write.row.conversation)
        this.#put(write.row)
      } else {
        const [order] = write.type === 'delete' ? write.key : write.prefix
        touched.push(...this.#forget(order === undefined ? [...this.#entries.keys()] : [Number(order)]))
      }
    }
    return touched
  }

  /** By conversation, in order. */
  get entries(): ReadonlyMap<ConversationId, readonly OutboxEntry[]> {
    this.#byConversation ??= groupBy(
      [...this.#entries.values()].sort((a, b) => a.order - b.order),
      (entry) => entry.conversation,
    )
    return this.#byConversation
  }

  #put(entry: OutboxEntry): void {
    if (!entry.isEcho) this.#entries.set(entry.order, entry)
  }

  #forget(orders: readonly number[]): ConversationId[] {
    return orders.flatMap((order) => {
      const entry = this.#entries.get(order)
      this.#entries.delete(order)
      return entry ? [entry.conversation] : []
    })
  }
}
