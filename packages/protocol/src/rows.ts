/**
 * What streams are made of, as it travels to a Parley client and lies in its replica. A row carries the sequence at
 * which it last changed in its stream; the newest state is the whole story, so applying a row twice is harmless.
 */
import type { ConversationId, IdentityId, MessageId } from './ids.ts'
import type { Metadata } from './metadata.ts'
import type { PositionSet } from './position-set.ts'

/** `inbox` is the reader's own stream; any other stream is a conversation's and bears its id. */
export type StreamId = 'inbox' | ConversationId

export interface BasicIdentity {
  readonly id: IdentityId
  readonly url?: string
  readonly user_id: string
  readonly display_name: string | null
  readonly avatar_url: string | null
}

/** The conversation itself: what all participants share. In the conversation's stream. */
export interface ConversationRow {
  readonly type: 'conversation'
  readonly sequence: number
  readonly id: ConversationId
  readonly created_at: string
  readonly distinct: boolean
  readonly metadata: Metadata
  /** Set once it was deleted for all; nothing else of it is kept then. */
  readonly deleted_at: string | null
}

/** One participant and their receipts. In the conversation's stream. */
export interface ParticipantRow {
  readonly type: 'participant'
  readonly sequence: number
  readonly identity: BasicIdentity
  readonly state: 'active' | 'left'
  /** When they last joined. */
  readonly joined_at: string
  /** Positions sent while they were not a participant: they are no recipient of those. */
  readonly absent: PositionSet
  readonly delivered: PositionSet
  readonly read: PositionSet
}

export interface Part {
  readonly mime_type: string
  readonly body: string
  /** `base64` when the body is binary. */
  readonly encoding?: 'base64' | undefined
}

/** One message. In the conversation's stream. */
export interface MessageRow {
  readonly type: 'message'
  readonly sequence: number
  readonly id: MessageId
  /** 1, 2, 3 … within the conversation, assigned at commit, never reused. */
  readonly position: number
  readonly sender: IdentityId
  readonly sent_at: string
  /** Empty once deleted. */
  readonly parts: readonly Part[]
  readonly deleted_at: string | null
}

/** The reader's private side of a conversation. In the reader's inbox. */
export interface MembershipRow {
  readonly type: 'membership'
  readonly sequence: number
  readonly conversation: ConversationId
  /**
   * `joined`; `hidden`: deleted from my devices, back with the next message; `left`: by my own will, gone from my
   * devices; `removed`: by somebody else, what was there up to `last_position` stays readable.
   */
  readonly state: 'joined' | 'hidden' | 'left' | 'removed'
  /** Messages deleted from my devices. */
  readonly hidden: PositionSet
  /** For `removed`: the last position I may see. */
  readonly last_position: number | null
}

export type ConversationStreamRow = ConversationRow | ParticipantRow | MessageRow
export type InboxRow = MembershipRow
export type Row = ConversationStreamRow | InboxRow
