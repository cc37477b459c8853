import type { BasicIdentity } from '@parley/protocol'
import { createViews, type Views } from '../../src/queries/views.ts'
import { createMemoryStorage } from '../../src/replica/memory/index.ts'
import type { Replica, ReplicaStorage, Write } from '../../src/replica/replica.ts'
import { ReplicaWatch } from '../../src/replica-watch.ts'
import { person } from './rows.ts'

/** A device with a replica and nothing that synchronises it: commits come from the test. */
export interface ViewDevice {
  readonly replica: Replica
  readonly views: Views
  /** The same as if the program had just started. */
  readonly freshViews: () => Views
  readonly errors: unknown[]
  /** Reads that the queries made so far. */
  readonly reads: () => number
  readonly commit: (...writes: (Write | readonly Write[])[]) => Promise<void>
  /** Somebody else signs in, or nobody. */
  readonly show: (replica: Replica, identity: BasicIdentity | undefined) => void
}

export async function createViewDevice(...writes: (Write | readonly Write[])[]): Promise<ViewDevice> {
  const errors: unknown[] = []
  let reads = 0
  const watch = new ReplicaWatch((error) => errors.push(error))
  const storage = counting(createMemoryStorage(), () => (reads += 1))
  const replica = await storage.open('app')
  const commit: ViewDevice['commit'] = async (...lists) => {
    await replica.commit(lists.flat(), { durability: 'relaxed' })
    watch.touched(lists.flat())
  }
  await commit(...writes)
  watch.show(replica, person('alice'))
  return {
    replica,
    views: createViews(watch),
    freshViews: () => createViews(watch),
    errors,
    reads: () => reads,
    commit,
    show: (other, identity) => watch.show(other, identity),
  }
}

function counting(storage: ReplicaStorage, onRead: () => void): ReplicaStorage {
  const counted = <Args extends readonly unknown[], Result>(read: (...args: Args) => Result) => {
    return (...args: Args): Result => {
      onRead()
      return read(...args)
    }
  }
  return {
    async open(appId) {
      const replica = await storage.open(appId)
      return {
        get: counted((table, key) => replica.get(table, key)) as Replica['get'],
        getMany: counted((table, keys) => replica.getMany(table, keys)) as Replica['getMany'],
        scan: counted((table, range) => replica.scan(table, range)) as Replica['scan'],
        count: counted((table, range) => replica.count(table, range)) as Replica['count'],
        commit: (rows, options) => replica.commit(rows, options),
        close: () => replica.close(),
      }
    },
    destroy: (appId) => storage.destroy(appId),
  }
}
