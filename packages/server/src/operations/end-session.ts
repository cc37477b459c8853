import type { Uuid } from '@parley/protocol'
import type { Operation } from './operation.ts'

/** Ends a session. Ending what has ended changes nothing. */
export const endSession: Operation<{ readonly id: Uuid }, Record<string, never>> = {
  name: 'end-session',
  remembered: false,
  toleratesSuspension: true,
  reads: (input) => ({ sessions: [input.id] }),
  decide(input, asking, facts) {
    const session = facts.session(input.id)
    const isLive = session && session.endedAt === null
    return {
      facts: isLive ? [{ type: 'session', session: { ...session, endedAt: asking.now }, tokenHash: null }] : [],
      result: {},
    }
  },
}
