import type { ViewBasis, ViewSource } from '../../src/queries/view-source.ts'
import { createViews, type Views } from '../../src/queries/views.ts'
import { createMemoryStorage } from '../../src/replica/memory/index.ts'
import { type ObservedReplica, observeReplica } from '../../src/replica/observed-replica.ts'
import type { Replica, Write } from '../../src/replica/replica.ts'
import { person } from './rows.ts'

/** A device with a replica and nothing that synchronises it: commits come from the test. */
export interface ViewDevice {
  readonly replica: ObservedReplica
  readonly views: Views
  /** The same as if the program had just started. */
  readonly freshViews: () => Views
  readonly errors: unknown[]
  /** Reads that the queries made so far. */
  readonly reads: () => number
  readonly commit: (...writes: (Write | readonly Write[])[]) => Promise<void>
  /** Somebody else signs in, or nobody. */
  readonly become: (basis: ViewBasis | null) => void
}

export async function createViewDevice(...writes: (Write | readonly Write[])[]): Promise<ViewDevice> {
  const stored = await createMemoryStorage().open('app')
  let reads = 0
  const counted: Replica = {
    get: (...args) => count(() => stored.get(...args)),
    getMany: (...args) => count(() => stored.getMany(...args)),
    scan: (...args) => count(() => stored.scan(...args)),
    count: (...args) => count(() => stored.count(...args)),
    commit: (...args) => stored.commit(...args),
    close: () => stored.close(),
  }
  const count = <T>(read: () => T): T => {
    reads += 1
    return read()
  }
  const replica = observeReplica(counted)
  const errors: unknown[] = []
  const listeners = new Set<(touched: readonly Write[] | 'everything') => void>()
  let basis: ViewBasis | null = { replica, identity: person('alice') }
  const source: ViewSource = {
    current: () => basis,
    subscribe(listener) {
      const unobserve = replica.onCommit(listener)
      listeners.add(listener)
      return () => {
        unobserve()
        listeners.delete(listener)
      }
    },
    report: (error) => errors.push(error),
  }
  const commit: ViewDevice['commit'] = (...lists) => replica.commit(lists.flat(), { durability: 'relaxed' })
  await commit(...writes)
  return {
    replica,
    views: createViews(source),
    freshViews: () => createViews(source),
    errors,
    reads: () => reads,
    commit,
    become(next) {
      basis = next
      for (const listener of listeners) listener('everything')
    },
  }
}
