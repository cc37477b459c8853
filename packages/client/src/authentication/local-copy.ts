/**
 * What becomes of the copy on this device when its user leaves, or when somebody else comes. Nothing is dropped in
 * silence: what was never sent goes to the app before it is deleted.
 */
import type { BasicIdentity } from '@parley/protocol'
import type { Tell } from '../client-types.ts'
import { listUnsent } from '../outbox/stored-entries.ts'
import type { OutboxEntry, Replica } from '../replica/replica.ts'
import { removeAll } from '../replica/writes.ts'
import { forgetSession, readStored } from './stored-session.ts'

export interface LocalCopy extends Replica {
  /** Deletes everything in it. */
  wipe(): Promise<void>
}

/** Only the session goes, and the data stays for its user's return; or everything does. */
export const deleteCopy = (copy: LocalCopy, keepData: boolean): Promise<void> =>
  keepData ? forgetSession(copy) : copy.wipe()

/** Deletes the copy, what is unsent with it; answers what that was. */
export async function giveUpCopy(copy: LocalCopy, keepData: boolean, tell: Tell): Promise<readonly OutboxEntry[]> {
  const entries = await listUnsent(copy)
  if (entries.length > 0) tell('unsent', { entries })
  if (keepData) await copy.commit([removeAll('outbox')], { durability: 'strict' })
  await deleteCopy(copy, keepData)
  return entries
}

/** Whose data is kept finds it again; it is not for anybody else (AUTH-38). */
export async function clearForeignCopy(copy: LocalCopy, identity: BasicIdentity, tell: Tell): Promise<void> {
  const { owner } = await readStored(copy)
  if (owner !== undefined && owner !== identity.id) await giveUpCopy(copy, false, tell)
}
