/**
 * What becomes of the copy on this device when its user leaves, or when somebody else comes. Nothing is dropped in
 * silence: what was never sent goes to the app before it is deleted.
 */
import type { BasicIdentity } from '@parley/protocol'
import type { Tell } from '../client-types.ts'
import { ParleyError } from '../errors.ts'
import { listUnsent } from '../outbox/stored-entries.ts'
import type { OutboxEntry, Replica } from '../replica/replica.ts'
import { removeAll } from '../replica/writes.ts'
import type { DeauthenticationReason } from './authentication-state.ts'
import { forgetSession, readStored } from './stored-session.ts'

export interface LocalCopy extends Replica {
  /** Deletes everything in it. */
  wipe(): Promise<void>
}

/** Only the session goes, and the data stays for its user's return; or everything does. */
export const deleteCopy = (copy: LocalCopy, keepData: boolean): Promise<void> =>
  keepData ? forgetSession(copy) : copy.wipe()

/** Deletes the copy, what is unsent with it; answers what that was. */
async function giveUpCopy(copy: LocalCopy, keepData: boolean, tell: Tell): Promise<readonly OutboxEntry[]> {
  const entries = await listUnsent(copy)
  if (entries.length > 0) tell('unsent', { entries })
  if (keepData) await copy.commit([removeAll('outbox')], { durability: 'strict' })
  await deleteCopy(copy, keepData)
  return entries
}

/** How somebody is signed out. */
export interface Leaving {
  readonly reason: DeauthenticationReason
  readonly identity: BasicIdentity
  readonly keepData: boolean
  /** True unless said otherwise. */
  readonly discardUnsent?: boolean
}

/** Whether what is unsent waits for the user's return. */
const isUnsentKept = ({ keepData, discardUnsent = true }: Leaving) => keepData && !discardUnsent

/** What whoever waits for something in the outbox of one who leaves is told. */
export const leftBehind = (leaving: Leaving) =>
  isUnsentKept(leaving)
    ? new ParleyError('not_authenticated', 'The user was signed out; this waits for their return.')
    : new ParleyError('discarded', 'The user was signed out before this was carried out.')

/** What becomes of the copy of one who leaves; answers what was unsent in it and went with it. */
export async function leaveCopy(copy: LocalCopy, leaving: Leaving, tell: Tell): Promise<readonly OutboxEntry[]> {
  if (!isUnsentKept(leaving)) return giveUpCopy(copy, leaving.keepData, tell)
  await forgetSession(copy)
  return []
}

/** Whose data is kept finds it again; it is not for anybody else (AUTH-38). */
export async function clearForeignCopy(copy: LocalCopy, identity: BasicIdentity, tell: Tell): Promise<void> {
  const { owner } = await readStored(copy)
  if (owner !== undefined && owner !== identity.id) await giveUpCopy(copy, false, tell)
}
