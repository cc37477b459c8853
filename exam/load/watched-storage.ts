import type { Replica, ReplicaStorage } from '@parley/client'
import { createMemoryStorage } from '@parley/client/memory'
import type { MessageRow } from '@parley/protocol'

type Write = Parameters<Replica['commit']>[0][number]

/** What a device writes down, as it does. */
export interface StorageWatcher {
  onMessage(message: MessageRow & { readonly conversation: string }, isBackfill: boolean): void
  onOutbox(operationId: string, order: number): void
  /** Called before each commit; what it throws is what the device sees. */
  beforeCommit?(writes: readonly Write[]): void
}

/** A replica in memory that outlives its client, as a disk outlives a page, and tells what is written to it. */
export class WatchedStorage implements ReplicaStorage {
  readonly #storage = createMemoryStorage()
  readonly #watcher: StorageWatcher
  readonly #complete = new Set<string>()
  readonly #messages = new Set<string>()
  lastCommitAt = 0
  commits = 0

  constructor(watcher: StorageWatcher) {
    this.#watcher = watcher
  }

  async open(...args: Parameters<ReplicaStorage['open']>): Promise<Replica> {
    const replica = await this.#storage.open(...args)
    const commit = replica.commit.bind(replica)
    replica.commit = async (writes, options) => {
      this.#watcher.beforeCommit?.(writes)
      await commit(writes, options)
      this.commits++
      this.lastCommitAt = performance.now()
      for (const write of writes) this.#see(write)
      for (const write of writes) this.#follow(write)
    }
    return replica
  }

  destroy(appId: string): Promise<void> {
    this.#complete.clear()
    this.#messages.clear()
    return this.#storage.destroy(appId)
  }

  #see(write: Write): void {
    if (write.type !== 'put') return
    if (write.table === 'outbox') this.#watcher.onOutbox(write.row.id, write.row.order)
    if (write.table !== 'messages' || this.#messages.has(write.row.id)) return
    // One that was deleted meanwhile comes where its deletion is, and no screen shows it.
    if (write.row.deleted_at !== null) return
    this.#messages.add(write.row.id)
    this.#watcher.onMessage(write.row, !this.#complete.has(write.row.conversation))
  }

  /** What was known before this commit decides whether a message filled history in. */
  #follow(write: Write): void {
    if (write.table !== 'streams') return
    if (write.type === 'put' && write.row.complete) this.#complete.add(write.row.stream)
    else if (write.type === 'put') this.#complete.delete(write.row.stream)
    else if (write.type === 'delete') this.#complete.delete(String(write.key[0]))
  }
}
