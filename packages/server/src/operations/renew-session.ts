import { refuse, type Uuid } from '@parley/protocol'
import type { Session } from '../model/state.ts'
import type { Operation } from './operation.ts'

export interface RenewSession {
  readonly id: Uuid
  readonly expiresAt: number
}

/** Prolongs a live session of the caller. One that has ended stays ended. */
export const renewSession: Operation<RenewSession, { readonly session: Session }> = {
  name: 'renew-session',
  remembered: false,
  reads: (input) => ({ sessions: [input.id] }),
  decide(input, asking, facts) {
    const session = facts.session(input.id)
    const isLive = session && session.endedAt === null && session.expiresAt > asking.now
    if (!isLive || session.userId !== asking.userId || session.app !== asking.app) {
      return refuse('authentication_required')
    }
    const renewed = { ...session, expiresAt: input.expiresAt }
    return { facts: [{ type: 'session', session: renewed, tokenHash: null }], result: { session: renewed } }
  },
}
