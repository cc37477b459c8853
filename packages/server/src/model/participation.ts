import { addPositions, addUpTo, boundPositions, EMPTY_POSITIONS, type UserId } from '@parley/protocol'
import type { Participant } from './state.ts'

/**
 * Somebody joins, perhaps for the second time. They see what was said before, but were no recipient of it: it counts
 * as absent, delivered and read (RCT-3).
 */
export function joining(of: {
  readonly userId: UserId
  readonly order: number
  readonly now: number
  readonly headPosition: number
  readonly before: Participant | undefined
}): Participant {
  const { userId, order, now, headPosition, before } = of
  const missedFrom = before ? (before.lastPosition ?? 0) + 1 : 1
  return {
    userId,
    state: 'joined',
    order,
    joinedAt: now,
    absent: boundPositions(addPositions(before?.absent ?? EMPTY_POSITIONS, missedFrom, headPosition)),
    delivered: addUpTo(before?.delivered ?? EMPTY_POSITIONS, headPosition),
    read: addUpTo(before?.read ?? EMPTY_POSITIONS, headPosition),
    hidden: before?.hidden ?? EMPTY_POSITIONS,
    lastPosition: null,
  }
}

/** Whether somebody stands in it as before: another is at most what they have got or read, or their profile. */
export const standsAsBefore = (before: Participant | undefined, now: Participant): boolean =>
  before?.state === now.state && before.order === now.order

/** Somebody goes: of their own will, everything leaves their devices (CNV-5); removed, they keep what they saw. */
export function leaving(participant: Participant, how: 'left' | 'removed', headPosition: number): Participant {
  return {
    ...participant,
    state: how,
    lastPosition: headPosition,
    hidden: how === 'left' ? addUpTo(participant.hidden, headPosition) : participant.hidden,
  }
}
