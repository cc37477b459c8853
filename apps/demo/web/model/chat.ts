/** What the components are given: plain values, so that each renders without a client behind it. */

export interface Person {
  readonly id: string
  readonly userId: string
  readonly name: string
}

/** How far a message of one's own got; it shows the recipient who is furthest behind. */
export type Delivery = 'pending' | 'sent' | 'delivered' | 'read' | 'failed'

export interface MessageItem {
  readonly id: string
  readonly sender: Person
  readonly isOwn: boolean
  readonly isUnread: boolean
  readonly text: string
  /** ISO instant. */
  readonly at: string
  readonly delivery: Delivery
  /** What to name when it is tried again or discarded; null once it is sent. */
  readonly operationId: string | null
  /** Why it failed, as a sentence. */
  readonly failure?: string | undefined
  /** Who read it so far, for messages of one's own. */
  readonly readBy: readonly string[]
}

export interface ConversationItem {
  readonly id: string
  /** Given by people; empty when nobody named it. */
  readonly title: string
  /** The others who take part. */
  readonly others: readonly Person[]
  readonly last: LastMessage | undefined
  /** ISO instant; undefined while nobody but this device knows of it. */
  readonly createdAt: string | undefined
  readonly unread: number
  /** Names of the others who are typing now. */
  readonly typing: readonly string[]
  /** False once somebody took me out: readable, nothing more. */
  readonly isMember: boolean
}

export interface LastMessage {
  readonly text: string
  readonly at: string
  readonly isOwn: boolean
  readonly senderName: string
  readonly delivery: Delivery
}

export type ConnectionState = 'online' | 'connecting' | 'offline'

export type DeletionMode = 'my_devices' | 'all_participants'
