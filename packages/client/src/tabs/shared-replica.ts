/**
 * A tab's hand on the app's local database, the same object whatever becomes of it: read in every tab, written by the
 * owner in its term only. It owns the open handle and the term; what was committed is told, so that screens follow.
 */
import {
  type CommitOptions,
  type Key,
  type LossReason,
  type Range,
  type Replica,
  ReplicaError,
  type ReplicaStorage,
  TERM,
  tableNames,
  type Write,
} from '../replica/replica.ts'
import { putMeta, removeAll } from '../replica/writes.ts'

export interface SharedReplicaPorts {
  readonly appId: string
  readonly storage: ReplicaStorage
  /** Other tabs may have it open, perhaps asleep: a deletion of the database would wait for them. */
  readonly isShared: () => boolean
  readonly onCommitted: (writes: readonly Write[]) => void
  /** Another tab has a later term. */
  readonly onFenced: () => void
  /** It was closed by somebody else; see {@link LossReason}. */
  readonly onLost: (reason: LossReason) => void
}

export class SharedReplica implements Replica {
  readonly #ports: SharedReplicaPorts
  #handle: Replica | undefined
  /** The term in the replica as far as we know: ours, unless there was no room to write it. */
  #term = 0
  /** Ours while there is no room to write it. */
  #unwritten: number | undefined

  constructor(ports: SharedReplicaPorts) {
    this.#ports = ports
  }

  async open(): Promise<void> {
    const { storage, appId, onLost } = this.#ports
    const handle: Replica = await storage.open(appId, {
      onLost: (reason) => {
        // Our own deleting closes it as well; by then it is not the one in use any more.
        if (handle === this.#handle) onLost(reason)
      },
    })
    this.#handle = handle
  }

  /** Makes this tab the only one that can write, in a term above every earlier one; answers which. */
  async claim(latest: number): Promise<number> {
    // Nobody but us writes here, and always a number.
    this.#term = Number((await this.get('meta', [TERM]))?.value ?? 0)
    const term = Math.max(this.#term, latest) + 1
    this.#unwritten = undefined
    try {
      await this.#present.commit([termRow(term)], { durability: 'strict', term: this.#term })
      this.#term = term
    } catch (error) {
      // A device without room is read all the same; until there is some, the lock alone keeps others from writing.
      const { code } = error as Partial<ReplicaError>
      if (code === 'fenced' || code === 'closed') throw error
      this.#unwritten = term
    }
    return term
  }

  /** Whether our term is written, so that no tab of an earlier one can write. */
  get hasTerm(): boolean {
    return this.#unwritten === undefined
  }

  /** No row is left, for any tab, and no tab of an earlier term can write one. */
  async wipe(): Promise<void> {
    const { isShared, storage, appId } = this.#ports
    if (isShared()) {
      const empty = tableNames.map((table) => removeAll(table))
      await this.commit([...empty, termRow(this.#term)], { durability: 'strict' })
      return
    }
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
    await storage.destroy(appId)
    await this.reopen()
  }

  /** The database was deleted: a new one, in a new term. */
  async reopen(): Promise<number> {
    await this.open()
    return this.claim(this.#term)
  }

  get: Replica['get'] = async (table, key: Key) => this.#present.get(table, key)
  getMany: Replica['getMany'] = async (table, keys: readonly Key[]) => this.#present.getMany(table, keys)
  scan: Replica['scan'] = async (table, range?: Range) => this.#present.scan(table, range)
  count: Replica['count'] = async (table, range?: Range) => this.#present.count(table, range)

  async commit(writes: readonly Write[], { durability }: CommitOptions): Promise<void> {
    try {
      if (this.#unwritten !== undefined && this.#ports.isShared()) await this.#beginAnew(this.#unwritten)
      await this.#present.commit(writes, { durability, term: this.#term })
    } catch (error) {
      if ((error as Partial<ReplicaError>).code === 'fenced') this.#ports.onFenced()
      throw error
    }
    this.#ports.onCommitted(writes)
  }

  /** There is room again. Whoever owned before, and slept, may have written meanwhile: what we know may be too old. */
  async #beginAnew(term: number): Promise<never> {
    await this.#present.commit([termRow(term)], { durability: 'strict', term: this.#term })
    throw new ReplicaError('fenced', 'This term begins anew.')
  }

  async close(): Promise<void> {
    await this.#handle?.close()
  }

  get #present(): Replica {
    if (!this.#handle) throw new ReplicaError('closed', 'This replica is closed.')
    return this.#handle
  }
}

const termRow = (term: number): Write => putMeta(TERM, term)
