import { missingPositions, type PositionSet, type Uuid } from '@parley/protocol'
import type { Deed } from '../../../delivery/change.ts'
import type { Session } from '../../../model/state.ts'
import type { StreamMove } from '../../../operations/moves.ts'
import type { LayerDesk } from '../desk.ts'
import { type ObjectName, objectName, type Packets } from '../packets.ts'

export type Viewer = Pick<Session, 'app' | 'userId'>
export type ConversationMove = Extract<StreamMove, { stream: 'conversation' }>
export type InboxMove = Extract<StreamMove, { stream: 'inbox' }>

/** Who is told of which operation. */
export interface Telling {
  readonly desk: LayerDesk
  readonly viewer: Viewer
  readonly committed: Deed
}

/** How one operation is told: how a conversation moved, to those in it; how an inbox moved, to its owner. */
export interface Teller {
  conversation(telling: Telling, move: ConversationMove): Packets | Promise<Packets>
  inbox(telling: Telling, move: InboxMove): Packets | Promise<Packets>
}

export const NOTHING: Packets = []

/** The viewer's side of the conversation, now. */
export const ownSide = ({ viewer }: Telling, move: ConversationMove) =>
  move.conversation.participants.get(viewer.userId)

export const conversationName = ({ desk }: Telling, id: Uuid): ObjectName =>
  objectName(desk.baseUrl, 'Conversation', `layer:///conversations/${id}`)

/** Positions that a set gained, newest first, no more than `max`. */
export function gained(before: PositionSet, after: PositionSet, max: number): number[] {
  const positions: number[] = []
  const missed = missingPositions(before, after[after.length - 1] ?? 0)
  let i = missed.length - 2
  let j = after.length - 2
  while (i >= 0 && j >= 0 && positions.length < max) {
    const low = Math.max(missed[i]!, after[j]!)
    const high = Math.min(missed[i + 1]!, after[j + 1]!)
    for (let position = high; position >= low && positions.length < max; position--) positions.push(position)
    if (missed[i]! > after[j]!) i -= 2
    else j -= 2
  }
  return positions
}
