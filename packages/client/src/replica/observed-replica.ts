import type { Replica, Write } from './replica.ts'

export type CommitListener = (writes: readonly Write[]) => void

/** A replica that tells what was written through it, after each commit that succeeded, in the order of commits. */
export interface ObservedReplica extends Replica {
  onCommit(listener: CommitListener): () => void
}

export function observeReplica(replica: Replica): ObservedReplica {
  const listeners = new Set<CommitListener>()
  return {
    get: (table, key) => replica.get(table, key),
    getMany: (table, keys) => replica.getMany(table, keys),
    scan: (table, range) => replica.scan(table, range),
    count: (table, range) => replica.count(table, range),
    async commit(writes, options) {
      await replica.commit(writes, options)
      for (const listener of listeners) listener(writes)
    },
    close: () => replica.close(),
    onCommit(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
