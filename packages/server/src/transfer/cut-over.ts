import { reached } from '../fail-point.ts'
import type { TransferMark } from '../store/sqlite/transfer-mark.ts'
import { compareChanged } from './compare.ts'
import { catchUp } from './copy.ts'
import type { Source } from './source.ts'
import type { Target, TargetState } from './target.ts'

/** How long writes may wait in here, of the two seconds that they may wait in all; the rest is for the server to go over. */
const PAUSE_MS = 1_200
/** The same where nobody waits. */
const PATIENCE_MS = 60_000

/** It took too long: everything goes on where it was. */
export class TooSlow extends Error {}

/**
 * The moment of truth, under the file's lock of writing:
 *
 *     lock ─→ last changes ─→ compare them ─→ the log's numbers go on ─→ seal and mark the file, one commit ─→ open for all
 *
 * Before that commit the file is the truth, and whatever breaks takes the lock with it: writes go on there. After it the
 * file takes no writes, and the database is the truth, which anybody who runs the command again only has to be told.
 *
 * @returns for how long writes could not be made in the file
 */
export async function cutOver(
  source: Source,
  target: Target,
  state: TargetState,
  to: { readonly mark: TransferMark; readonly isServed: boolean },
): Promise<number> {
  return source.locked(async () => {
    const from = performance.now()
    const budget = to.isServed ? PAUSE_MS : PATIENCE_MS
    target.deadline = from + budget
    reached('locked')
    source.mustHaveKnownSchema()
    await compareChanged(source, target, await catchUp(source, target, state))
    await target.continueFrom(to.mark.id, source.cursor)
    reached('ready')
    if (performance.now() - from > budget) throw new TooSlow()
    source.seal({ id: to.mark.id, to: to.mark.to, state: 'gone', since: Date.now() })
    reached('sealed')
    target.deadline = undefined
    return performance.now() - from
  })
}
