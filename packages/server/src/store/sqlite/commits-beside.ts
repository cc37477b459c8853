import { type Place, StoreOutage, type Writes } from '../store.ts'
import type { Database } from './database.ts'
import { asKnownError } from './known-error.ts'
import { type CommittedPlace, commitRows } from './log.ts'
import { LoneCommits } from './lone-commits.ts'
import { type PackedWrites, packWrites } from './packed-writes.ts'

/** The store's thread, which commits what is not committed here. */
export interface There {
  /** Whether it serves and has nothing to do. */
  isThereIdle(): boolean
  there(rows: PackedWrites): Promise<CommittedPlace>
}

const isBusy = (error: unknown) => String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')

/** Commits a batch: the lone ones over a connection of this thread, the others by the store's (see `lone-commits.ts`). */
export function commitsBeside(
  beside: Database,
  { isThereIdle, there }: There,
  lone: Pick<LoneCommits, 'isFor' | 'committed' | 'failedHere'> = new LoneCommits(() => performance.now()),
): (writes: Writes) => Promise<Place> {
  const here = (rows: PackedWrites): CommittedPlace | undefined => {
    try {
      return commitRows(beside, rows)
    } catch (error) {
      // Somebody else writes just now, such as whoever makes room in the log: the store's thread may wait for its turn.
      if (isBusy(error)) return undefined
      const known = asKnownError(error as Error)
      if (known instanceof StoreOutage) lone.failedHere()
      throw known
    }
  }

  return async (writes) => {
    const rows = packWrites(writes)
    if (lone.isFor(rows) && isThereIdle()) {
      const place = here(rows)
      if (place) {
        lone.committed(rows, { ms: place.ms, isHere: true })
        return place
      }
    }
    const place = await there(rows)
    lone.committed(rows, { ms: place.ms, isHere: false })
    return place
  }
}
