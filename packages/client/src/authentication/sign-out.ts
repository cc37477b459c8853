/**
 * The steps of a sign-out: what is unsent goes out, then the session ends. Each either succeeds or leaves everything as it
 * was (AUTH-17); the order of them, and the deletion that follows, is for `authentication.ts`.
 */
import type { Clock } from '../environment.ts'
import { ParleyError, throwIfAborted } from '../errors.ts'
import { listUnsent } from '../outbox/outbox.ts'
import type { OutboxEntry, Replica } from '../replica/replica.ts'
import type { Engine } from '../sync/engine.ts'
import { unmarkSigningOut } from './stored-session.ts'

/** How often, and how soon at first, a sign-out that did not happen is taken back on a disk that fails. */
const MAX_UNMARKS = 5
const UNMARK_AGAIN_MS = 100

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

/**
 * As long as the mark is there the next opening deletes everything, so nothing new may be taken on before it is gone: a
 * disk that fails for a moment is waited for, and with one that fails for good there is no going on.
 */
export async function takeBackSignOut(
  replica: Replica,
  { clock, signal, onBroken }: { readonly clock: Clock; readonly signal: AbortSignal; onBroken(error: unknown): void },
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await unmarkSigningOut(replica)
    } catch (error) {
      if (signal.aborted) throw error
      if (tries === MAX_UNMARKS) {
        onBroken(error)
        throw error
      }
      await new Promise<void>((resolve) => clock.after(UNMARK_AGAIN_MS * 2 ** tries, resolve))
    }
  }
}
