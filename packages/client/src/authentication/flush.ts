/** Before a session ends at the app's wish, what is unsent goes out; and nothing is lost that nobody gave up. */
import { ParleyError, throwIfAborted } from '../errors.ts'
import { listUnsent } from '../outbox/stored-entries.ts'
import type { OutboxEntry, Replica } from '../replica/replica.ts'
import type { Engine } from '../sync/engine.ts'

/** Waits until everything is sent; refuses if something would be lost. */
export async function flush(
  engine: Engine,
  replica: Replica,
  options: { readonly isOver: boolean; readonly keepData: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const { isOver, keepData, signal } = options
  const refuse = async () => {
    if (!keepData) refuseToLose(await listUnsent(replica), isOver)
  }
  if (!isOver) {
    await refuse()
    await engine.outbox.drained(signal)
    await engine.idle()
  }
  await refuse()
  throwIfAborted(signal)
}

/** What failed would be lost; once the session is over and nothing can be sent, so would the rest. */
function refuseToLose(entries: readonly OutboxEntry[], isOver: boolean): void {
  const lost = entries.filter((entry) => isOver || entry.state.state === 'failed')
  if (lost.length === 0) return
  throw new ParleyError('unsent_work', `${lost.length} operations were not carried out and would be lost.`, {
    entries: lost,
  })
}
