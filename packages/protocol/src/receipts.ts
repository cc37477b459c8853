/**
 * Receipts and unread counts as pure functions of the log and the marks. Server and client call the same ones, which
 * is why counts cannot drift.
 */
import { hasPosition, missingPositions, type PositionSet, unionPositions } from './position-set.ts'

/** A recipient's state for one message; it only ever rises. */
export type RecipientStatus = 'sent' | 'delivered' | 'read'

/** A participant's marks in one conversation. */
export interface Marks {
  readonly absent: PositionSet
  readonly delivered: PositionSet
  readonly read: PositionSet
}

/**
 * How far a message got with one participant; undefined if they were no participant when it was sent. A sender has
 * read their own message.
 */
export function recipientStatus(marks: Marks, position: number, isSender: boolean): RecipientStatus | undefined {
  if (isSender) return 'read'
  if (hasPosition(marks.absent, position)) return undefined
  if (hasPosition(marks.read, position)) return 'read'
  return hasPosition(marks.delivered, position) ? 'delivered' : 'sent'
}

/** Whether a live message counts as unread for a viewer with these marks. */
export function isUnread(view: UnreadView, message: { readonly position: number; readonly isOwn: boolean }): boolean {
  return !message.isOwn && !hasPosition(seenPositions(view), message.position)
}

/** What unread depends on, besides the messages themselves. */
export interface UnreadView {
  readonly read: PositionSet
  readonly hidden: PositionSet
}

/** Positions a viewer has seen, hidden, or was not there for (joining marks everything before as read). */
export function seenPositions(view: UnreadView): PositionSet {
  return view.hidden.length === 0 ? view.read : unionPositions(view.read, view.hidden)
}

/**
 * The ranges in which unread messages can lie. The unread count is the number of messages in them that are neither
 * deleted nor the viewer's own.
 */
export function unreadRanges(view: UnreadView, headPosition: number): PositionSet {
  return missingPositions(seenPositions(view), headPosition)
}
