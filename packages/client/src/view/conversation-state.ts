/**
 * View = confirmed rows + outbox entries applied on top. This file begins with the rows; `effects.ts` holds what each
 * operation does to them. A refusal undoes exactly itself, since nothing confirmed was ever changed: the entry is gone
 * or failed, and the view is made again without it.
 */
import {
  type BasicIdentity,
  type ConversationId,
  EMPTY_POSITIONS,
  hasPosition,
  type IdentityId,
  type MessageId,
  type MessageRow,
  type Metadata,
  type ParticipantRow,
  type PositionSet,
  watermark,
} from '@parley/protocol'
import type { OutboxEntry } from '../replica/replica.ts'
import type { ConversationRows } from './conversation-rows.ts'
import { effects } from './effects.ts'

/** One conversation with everything that is meant for it applied; its confirmed messages are read as needed. */
export interface ConversationState {
  readonly id: ConversationId
  /** `pending`: only in the outbox as yet. */
  readonly state: 'pending' | 'synced' | 'removed'
  /**
   * `with-messages`: deleted from my devices, so it shows only with messages that came afterwards. `gone`: deleted for
   * all, left, or nothing is known of it.
   */
  readonly presence: 'shown' | 'with-messages' | 'gone'
  readonly isDeleted: boolean
  /** By the server's clock; null while pending. */
  readonly createdAt: string | null
  /** While pending: the outbox order of its creation. */
  readonly createdOrder: number | null
  readonly distinct: boolean
  readonly metadata: Metadata
  readonly self: IdentityId
  /** Everybody who ever took part. */
  readonly people: ReadonlyMap<IdentityId, ParticipantRow>
  /** Who takes part now, in the order they joined. */
  readonly participants: readonly BasicIdentity[]
  /** One's own marks. */
  readonly read: PositionSet
  readonly delivered: PositionSet
  readonly hidden: PositionSet
  /** Messages to be seen lie from here (nowhere, for what is gone) … */
  readonly firstPosition: number
  /** … to here, if somebody removed me. */
  readonly lastPosition: number | null
  readonly deletedMessages: ReadonlySet<MessageId>
  /** Messages in the outbox, in its order; some may be confirmed already. */
  readonly pending: readonly OutboxEntry<'send-message'>[]
  readonly history: 'complete' | 'partial'
}

/** What effects write on: nobody else has seen it yet. */
export type DraftState = {
  -readonly [Name in keyof ConversationState]: Name extends 'pending'
    ? OutboxEntry<'send-message'>[]
    : Name extends 'deletedMessages'
      ? Set<MessageId>
      : ConversationState[Name]
}

export interface StateInput {
  readonly id: ConversationId
  readonly rows: ConversationRows
  /** The entries of this conversation, in order. */
  readonly entries: readonly OutboxEntry[]
  readonly self: BasicIdentity
  /** What other conversations tell of somebody. */
  readonly identityOf: (id: IdentityId) => BasicIdentity | undefined
}

export function conversationState(input: StateInput): ConversationState {
  const draft = confirmedState(input)
  for (const entry of input.entries) {
    const { name } = entry
    // A refused message stays to be seen; any other refusal leaves no trace.
    if (entry.state.state === 'failed' && name !== 'send-message') continue
    effects[name](draft, entry as never, input)
  }
  draft.firstPosition =
    draft.presence === 'gone' ? Infinity : Math.max(draft.firstPosition, watermark(draft.hidden) + 1)
  return draft
}

function confirmedState({ id, rows, self }: StateInput): DraftState {
  const { conversation, membership, stream } = rows
  const own = rows.participants.find((row) => row.identity.id === self.id)
  return {
    id,
    state: membership?.state === 'removed' ? 'removed' : 'synced',
    presence: presenceOf(rows),
    isDeleted: typeof conversation?.deleted_at === 'string',
    createdAt: conversation?.created_at ?? null,
    createdOrder: null,
    distinct: conversation?.distinct ?? false,
    metadata: conversation?.metadata ?? {},
    self: self.id,
    people: new Map(rows.participants.map((row) => [row.identity.id, row])),
    participants: rows.participants
      .filter((row) => row.state === 'active')
      .sort(byJoining)
      .map((row) => row.identity),
    read: own?.read ?? EMPTY_POSITIONS,
    delivered: own?.delivered ?? EMPTY_POSITIONS,
    hidden: membership?.hidden ?? EMPTY_POSITIONS,
    // Below the oldest downloaded one there may be single messages that changed lately; they wait for their page.
    firstPosition: stream?.oldest ?? 1,
    lastPosition: membership?.last_position ?? null,
    deletedMessages: new Set(),
    pending: [],
    history: stream?.complete === false ? 'partial' : 'complete',
  }
}

function presenceOf({ conversation, membership }: ConversationRows): ConversationState['presence'] {
  if (!conversation || conversation.deleted_at !== null || membership?.state === 'left') return 'gone'
  return membership?.state === 'hidden' ? 'with-messages' : 'shown'
}

function byJoining(a: ParticipantRow, b: ParticipantRow): number {
  return a.joined_at < b.joined_at ? -1 : a.joined_at > b.joined_at ? 1 : a.identity.id < b.identity.id ? -1 : 1
}

/** Whether a confirmed message can be seen. */
export function isVisible(state: ConversationState, message: MessageRow): boolean {
  return (
    message.deleted_at === null &&
    message.position >= state.firstPosition &&
    (state.lastPosition === null || message.position <= state.lastPosition) &&
    !state.deletedMessages.has(message.id) &&
    !hasPosition(state.hidden, message.position)
  )
}
