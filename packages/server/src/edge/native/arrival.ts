import type { Profile, Session } from '../../model/state.ts'
import type { Cursor, MovedStreams } from '../../store/store.ts'
import type { Edge } from '../edge.ts'
import type { Frame } from './frames.ts'
import { movedSince } from './heads.ts'

/** What a connection is told first: whose it is, and what moved since its cursor. */
export interface Arrival {
  readonly profile: Profile
  readonly moved: MovedStreams
}

/**
 * What the write lane has in memory is not asked of the store: that is where people are who signed in a moment ago. To ask
 * the store means to wake its thread, which is most of what a greeting costs.
 */
export async function arrivalOf(
  { lane, store, delivery }: Pick<Edge, 'lane' | 'store' | 'delivery'>,
  session: Session,
  after: Cursor,
): Promise<Arrival> {
  const { app, userId } = session
  const settled = lane.settled(app, userId)
  // Whoever takes part in a conversation has it in their inbox: a stream that never moved means that there are none.
  if (settled?.person.inboxSequence === 0) {
    const moved = { cursor: settled.cursor, inbox: 0, isInboxMoved: false, conversations: [] }
    return { profile: settled.person.profile, moved }
  }
  const [profile, moved] = await Promise.all([
    settled?.person.profile ?? store.lists.profile(app, userId),
    movedSince(delivery, session, after),
  ])
  if (!profile) throw new Error('A session without its identity.')
  return { profile, moved }
}

/** Up to where a device heard of this log. Whatever cannot be a cursor of ours is taken for none: it hears of everything. */
export function cursorOf({ cursor, epoch }: Frame<'hello'>, ours: string): Cursor {
  return epoch === ours && cursor !== null && /^\d{1,15}$/.test(cursor) ? Number(cursor) : 0
}
