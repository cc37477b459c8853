import type { BasicIdentity, IdentityId, Json } from '@parley/protocol'
import type { Replica, Write } from '../replica/replica.ts'
import { putMeta, remove } from '../replica/writes.ts'

export interface OpenedSession {
  readonly token: string
  readonly id: string
  readonly expiresAt: string
  readonly identity: BasicIdentity
}

/** Rows of `meta` that authentication owns. */
const SESSION = 'session'
/** Whose data this replica holds; outlives the session if the data is kept (AUTH-38). */
const OWNER = 'owner'
/** The outbox was flushed and the session is being ended: from here on there is no way back. */
const SIGNING_OUT = 'signing-out'

export interface Stored {
  readonly session: OpenedSession | undefined
  readonly owner: IdentityId | undefined
  readonly signingOut: { readonly keepData: boolean } | undefined
}

export async function readStored(replica: Replica): Promise<Stored> {
  const [session, owner, signingOut] = await replica.getMany('meta', [[SESSION], [OWNER], [SIGNING_OUT]])
  return {
    session: session?.value as unknown as OpenedSession | undefined,
    owner: owner?.value as IdentityId | undefined,
    signingOut: signingOut?.value as { keepData: boolean } | undefined,
  }
}

export function storeSession(replica: Replica, session: OpenedSession): Promise<void> {
  return commit(replica, putMeta(SESSION, session as unknown as Json), putMeta(OWNER, session.identity.id))
}

/** The session is over, the data stays for its owner. */
export function forgetSession(replica: Replica): Promise<void> {
  return commit(replica, remove('meta', [SESSION]), remove('meta', [SIGNING_OUT]))
}

export function markSigningOut(replica: Replica, keepData: boolean): Promise<void> {
  return commit(replica, putMeta(SIGNING_OUT, { keepData }))
}

export function unmarkSigningOut(replica: Replica): Promise<void> {
  return commit(replica, remove('meta', [SIGNING_OUT]))
}

const commit = (replica: Replica, ...writes: Write[]) => replica.commit(writes, { durability: 'strict' })
