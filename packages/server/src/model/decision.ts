import type { Refusal, UserId, Uuid } from '@parley/protocol'
import type { ConversationState } from './conversation-state.ts'
import type { AppKey, Conversation, Message, MessageRecord, Participant, Profile, Session } from './state.ts'

/**
 * What an operation wants changed: whole new values, without sequences. The ledger gives each its place in its stream.
 */
export type Fact =
  | { readonly type: 'conversation'; readonly conversation: Conversation }
  | {
      readonly type: 'participant'
      readonly conversation: Uuid
      readonly participant: Participant
      /** Which side changed: what all participants see, what only this one sees, or both. */
      readonly side: 'public' | 'private' | 'both'
    }
  /** `partsText`: its parts in JSON, if they were there already. */
  | { readonly type: 'message'; readonly message: Message; readonly partsText?: string | undefined }
  /** All messages of the conversation are gone. */
  | { readonly type: 'messages-purged'; readonly conversation: Uuid }
  | { readonly type: 'profile'; readonly profile: Profile }
  | { readonly type: 'session'; readonly session: Session; readonly tokenHash: string | null }
  | { readonly type: 'nonce-used'; readonly nonceHash: string; readonly forgetAt: number }

/** What a decision is made from. Everything named by the operation's `reads` is there, or known not to exist. */
export interface Facts {
  conversation(id: Uuid): ConversationState | undefined
  distinct(distinctKey: string): ConversationState | undefined
  message(id: Uuid): MessageRecord | undefined
  profile(userId: UserId): Profile | undefined
  /** The caller's remembered operation of this id, if any. */
  remembered(operationId: Uuid): Remembered | undefined
  isNonceUsed(nonceHash: string): boolean
  session(id: Uuid): Session | undefined
}

/** The outcome of an operation that created nothing, kept for a retry. */
export interface Remembered {
  readonly name: string
  /** What a repeat is answered; left out of operations whose only answer is that it was done. */
  readonly answer?: Answer
}

/** What an operation was answered, and the conversation in whose stream its effect lay. */
export interface Answer {
  /** As it travels in JSON. */
  readonly result: unknown
  readonly effect: Uuid
}

/** Who asks, and when. */
export interface Asking {
  readonly app: AppKey
  readonly userId: UserId
  readonly now: number
  /** Most participants of a conversation, as this server is set. */
  readonly maxParticipants: number
}

/** What an operation has to know before it can be decided. */
export interface Reads {
  readonly conversations?: readonly Uuid[]
  /** The decision may touch any participant of those conversations. */
  readonly everyParticipant?: boolean
  readonly distinctKeys?: readonly string[]
  readonly messages?: readonly Uuid[]
  /**
   * The id of a message that is expected to be new. It is not looked up; if the commit finds one taken, the batch is
   * decided again with all of them known. Repeats are rare, look-ups would not be.
   */
  readonly newMessage?: Uuid
  readonly profiles?: readonly UserId[]
  readonly nonces?: readonly string[]
  readonly sessions?: readonly Uuid[]
}

export type Decision<Result> =
  | {
      readonly facts: readonly Fact[]
      readonly result: Result
      /** The conversation in whose stream the effect lies; the caller's inbox otherwise. */
      readonly effect?: Uuid | undefined
      /** Whether what was found to be so stays so, whatever others do: then it need not be looked up again. */
      readonly isForGood?: boolean
      /** What was found instead of being created, where nothing but a memory of it tells a repeat what it found. */
      readonly found?: Answer
    }
  | { readonly refusal: Refusal }
