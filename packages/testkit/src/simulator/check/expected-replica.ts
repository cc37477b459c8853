/** What a device ought to hold, straight from the server's tables: the store's view for one identity. */
import {
  type ConversationId,
  conversationId,
  hasPosition,
  type MembershipRow,
  type MessageRow,
  type UserId,
} from '@parley/protocol'
import { type AppKey, encode, isActive, keyOf, type Tables } from '@parley/server/in-process'

export const APP = 1 as AppKey

export interface ExpectedConversation {
  readonly id: ConversationId
  readonly state: MembershipRow['state']
  readonly isDeleted: boolean
  readonly headSequence: number
  readonly conversation: object
  /** By identity id. */
  readonly participants: ReadonlyMap<string, object>
  /** Those the viewer can see, by position. */
  readonly messages: readonly MessageRow[]
  readonly membership: MembershipRow
}

export interface ExpectedReplica {
  readonly inbox: number
  readonly conversations: readonly ExpectedConversation[]
}

export function expectedReplica(tables: Tables, userId: UserId): ExpectedReplica {
  const conversations: ExpectedConversation[] = []
  for (const [name, entry] of tables.conversations) {
    const people = tables.participants.get(name)!
    const own = people.get(userId)
    if (!own) continue
    const isSeen = (position: number) =>
      !hasPosition(own.hidden, position) && position <= (own.lastPosition ?? Infinity)
    const rows = [...people.values()].map((record) =>
      encode.participantRow(record, tables.people.get(keyOf(APP, record.userId))!.profile),
    )
    conversations.push({
      id: conversationId(entry.record.id),
      state: own.state,
      isDeleted: entry.record.deletedAt !== null,
      headSequence: entry.headSequence,
      conversation: encode.conversationRow(entry.record),
      participants: new Map(rows.map((row) => [row.identity.id, row])),
      messages: (tables.messages.get(name) ?? []).filter(({ position }) => isSeen(position)).map(encode.messageRow),
      membership: encode.membershipRow(entry.record.id, own),
    })
  }
  return { inbox: tables.people.get(keyOf(APP, userId))?.inboxSequence ?? 0, conversations }
}

export { isActive }
