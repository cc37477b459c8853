/** What the server knows: plain values, times in Unix milliseconds, ids bare. No I/O, no clock. */
import type { Metadata, Part, PositionSet, UserId, Uuid } from '@parley/protocol'

/** A small number that names an app inside one store; every row carries it. */
export type AppKey = number & { readonly __brand: 'AppKey' }

export interface Conversation {
  readonly id: Uuid
  readonly createdAt: number
  readonly createdBy: UserId
  /** Names the set of participants while the conversation is distinct; null once it is not. */
  readonly distinctKey: string | null
  readonly metadata: Metadata
  readonly deletedAt: number | null
}

export interface Participant {
  readonly userId: UserId
  /** See `MembershipRow`; `joined` and `hidden` take part, `left` and `removed` do not. */
  readonly state: 'joined' | 'hidden' | 'left' | 'removed'
  /** 1, 2, 3 … in the order of joining. */
  readonly order: number
  readonly joinedAt: number
  readonly absent: PositionSet
  readonly delivered: PositionSet
  readonly read: PositionSet
  readonly hidden: PositionSet
  readonly lastPosition: number | null
}

export interface Message {
  readonly id: Uuid
  readonly conversation: Uuid
  readonly position: number
  readonly sender: UserId
  readonly sentAt: number
  readonly parts: readonly Part[]
  readonly deletedAt: number | null
}

/** An identity's profile; written by token claims and by the app's backend. */
export interface Profile {
  readonly userId: UserId
  readonly displayName: string | null
  readonly avatarUrl: string | null
  readonly firstName: string | null
  readonly lastName: string | null
  readonly emailAddress: string | null
  readonly phoneNumber: string | null
  readonly publicKey: string | null
  readonly metadata: Readonly<Record<string, string>>
  readonly createdAt: number
  readonly suspendedAt: number | null
}

/** What is shown of somebody beside what they wrote. */
export type BasicProfile = Pick<Profile, 'userId' | 'displayName' | 'avatarUrl'>

export interface Session {
  readonly id: Uuid
  readonly app: AppKey
  readonly userId: UserId
  readonly createdAt: number
  readonly expiresAt: number
  readonly endedAt: number | null
}

/** Rows as the log keeps them: the value and the sequence at which it last changed. */
export interface ConversationRecord extends Conversation {
  /** Sequence of the conversation row itself. */
  readonly sequence: number
  readonly changedAt: number
}
export interface ParticipantRecord extends Participant {
  /** In the conversation's stream. */
  readonly sequence: number
  /** In the participant's inbox. */
  readonly inboxSequence: number
  readonly changedAt: number
}
export interface MessageRecord extends Message {
  readonly sequence: number
  /** The sequence it was sent at; rises with position, which lets a reader find its place without an index. */
  readonly firstSequence: number
  readonly changedAt: number
  /** Its parts in JSON, where they were written out already; see `partsTextOf`. */
  readonly partsText?: string | undefined
}

/** Whether nothing became of a message since it was sent. */
export const isAsSent = ({ sequence, firstSequence }: MessageRecord): boolean => sequence === firstSequence

export const isActive = (participant: Participant): boolean =>
  participant.state === 'joined' || participant.state === 'hidden'
