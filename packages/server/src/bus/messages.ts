/**
 * What nodes say to each other. How it travels is in `batch-text.ts`.
 *
 * Old and new nodes live together: members that a reader does not know are passed over, messages of a kind it does not
 * know are skipped and counted, rows of a kind it does not know are read from the store instead. A batch that it cannot read
 * at all is missing in its numbers, so that it looks into the store as if the batch were lost.
 */

import type { UserId, Uuid } from '@parley/protocol'
import { MAX_RUN_AUDIENCE, MAX_RUN_CHARACTERS, type MessageRow } from '../model/runs.ts'
import type { AppKey, BasicProfile, ConversationRecord, ParticipantRecord, Profile } from '../model/state.ts'
import { sentWords } from './sent-text.ts'
import { inWords, type Words } from './words.ts'

/** Rows of one commit travel along up to this size, in bytes of JSON; beyond it whoever needs them reads the store. */
export const MAX_ROWS_BYTES = MAX_RUN_CHARACTERS
/** More people than these are not named: every node knows its own listeners. */
export const MAX_NAMED_AUDIENCE = MAX_RUN_AUDIENCE
/** Operations whose rows hold all that was asked for: said once is enough. */
const SAID_BY_ROWS: ReadonlySet<string> = new Set(['send-message', 'create-conversation'])
/** People in one message of a node's presence. */
export const MAX_PEOPLE_PER_MESSAGE = 1_000

/** A node, and the how-manieth life of it: a node that was held for dead comes back with a higher number. */
export interface NodeLife {
  readonly node: string
  readonly incarnation: number
}

/** A row of a stream as it is after a commit, with what a listener may want to know besides. */
export type HintRow =
  | { readonly type: 'conversation'; readonly record: ConversationRecord }
  | {
      readonly type: 'participant'
      readonly record: ParticipantRecord
      readonly profile: Profile
      readonly before: ParticipantRecord | undefined
    }
  | MessageRow

/** One stream moved. Without rows: read the store. */
export type MoveHint =
  | {
      readonly stream: 'conversation'
      readonly id: Uuid
      readonly after: number
      readonly sequence: number
      /** Who hears of it; null: those in it, too many to name. */
      readonly audience: readonly UserId[] | null
      readonly rows: readonly HintRow[] | null
    }
  | {
      readonly stream: 'inbox'
      readonly userId: UserId
      readonly after: number
      readonly sequence: number
      readonly rows: readonly { readonly conversation: Uuid; readonly record: ParticipantRecord }[] | null
    }

/** One operation was committed. */
export interface CommitHint {
  readonly type: 'committed'
  readonly app: AppKey
  readonly actor: UserId | null
  readonly operation: string
  /** What was asked for; absent where the rows are, and where they hold it all. */
  readonly input?: unknown
  readonly cursor: number
  readonly at: number
  readonly moves: readonly MoveHint[]
}

export interface TypingSignal {
  readonly type: 'typing'
  readonly app: AppKey
  readonly conversation: Uuid
  readonly sender: UserId
  readonly action: 'started' | 'paused' | 'finished'
  readonly audience: readonly UserId[] | null
}

/** Somebody has connections at a node, or none any more. `status` is what they said of themselves. */
export interface PersonAtNode {
  readonly app: AppKey
  readonly userId: UserId
  readonly isHere: boolean
  readonly status: string | null
  /**
   * In Unix milliseconds: when the status was said; without one, since when they are here. For who is gone: when they were
   * last seen.
   */
  readonly at: number
}

/** What one node knows of who is at another one. */
export interface KnownPeople {
  /** In this life of it. */
  readonly of: NodeLife
  /** All that it said of its people up to this number. */
  readonly number: number
  /** For so long, in milliseconds, what was committed before that was known has been said again to it. */
  readonly reachesMs: number
}

/** What a beat says to one node. */
export interface ToNode {
  /** The number of the last batch said to it alone. */
  readonly said: number
  /** Absent if it is not known who is there: then it is told of everything, as all nodes are. */
  readonly known?: KnownPeople | undefined
}

export type NodeMessage =
  | CommitHint
  | TypingSignal
  | ({ readonly type: 'person' } & PersonAtNode)
  /** Everybody at a node, in parts 0, 1, 2 …; whoever is in none of them is not there. */
  | {
      readonly type: 'everybody'
      readonly part: number
      readonly isLast: boolean
      readonly people: readonly PersonAtNode[]
    }
  /** Asks a node to tell who is there. */
  | { readonly type: 'who-is-there'; readonly of: NodeLife }
  /** A session is over: its connections are to be closed. */
  | { readonly type: 'session-ended'; readonly session: Uuid; readonly at: number }
  | { readonly type: 'session-renewed'; readonly session: Uuid; readonly expiresAt: number }
  /** All sessions of somebody that were open by then are over. */
  | { readonly type: 'sessions-ended'; readonly app: AppKey; readonly userId: UserId; readonly at: number }
  /**
   * A sign of life, with the number of the last batch said on each channel that all hear, and whether the store answers
   * there. `to` comes from who tells nodes only what concerns their people: by name, the nodes of which it knows anything.
   */
  | {
      readonly type: 'beat'
      readonly heads: Readonly<Record<string, number>>
      readonly hasStore?: boolean | undefined
      readonly to?: Readonly<Record<string, ToNode>> | undefined
    }
  /** Who is at a node is known to another one, which from now on tells it of what concerns them. */
  | ({ readonly type: 'known' } & KnownPeople)
  /** A node says good-bye. */
  | { readonly type: 'leaving' }
  /** A node is held for dead, in this life of it: if it is not, it had better begin another. */
  | { readonly type: 'held-for-dead'; readonly dead: NodeLife }

/** What a commit looks like to whoever tells of it; the write lane's own shape fits. */
export interface Commit {
  readonly app: AppKey
  readonly actor: UserId | null
  readonly operation: string
  readonly input: unknown
  readonly cursor: number
  readonly at: number
  readonly moves: readonly CommitMove[]
}

export type CommitMove =
  | {
      readonly stream: 'conversation'
      readonly conversation: { readonly id: Uuid }
      readonly after: number
      readonly sequence: number
      readonly audience: readonly UserId[]
      readonly rows: readonly HintRow[]
    }
  | {
      readonly stream: 'inbox'
      readonly userId: UserId
      readonly after: number
      readonly sequence: number
      readonly rows: readonly { readonly conversation: Uuid; readonly record: ParticipantRecord }[]
    }

/** What is said of a commit: with its rows if they are small. */
export function commitWords(commit: Commit): Words {
  const sent = sentWords(commit)
  if (sent !== undefined) return sent
  const whole = inWords(hintOf(commit, true))
  return whole.head.length <= MAX_ROWS_BYTES ? whole : inWords(hintOf(commit, false))
}

function hintOf(commit: Commit, withRows: boolean): CommitHint {
  const { app, actor, operation, input, cursor, at } = commit
  const moves = commit.moves.map((move): MoveHint => {
    const { after, sequence } = move
    if (move.stream === 'inbox') {
      return { stream: 'inbox', userId: move.userId, after, sequence, rows: withRows ? move.rows : null }
    }
    const audience = move.audience.length <= MAX_NAMED_AUDIENCE ? move.audience : null
    const rows = withRows ? move.rows.map(saidRow) : null
    return { stream: 'conversation', id: move.conversation.id, after, sequence, audience, rows }
  })
  const hasInput = withRows && !SAID_BY_ROWS.has(operation)
  return { type: 'committed', app, actor, operation, ...(hasInput && { input }), cursor, at, moves }
}

/** Without what the node that hears it can make of the rest, and of people no more than it will show. */
function saidRow(row: HintRow): HintRow {
  if (row.type !== 'message') return row
  const { type, record, sender } = row
  return { type, record: { ...record, partsText: undefined }, sender: sender && basicProfile(sender) }
}

const basicProfile = ({ userId, displayName, avatarUrl }: BasicProfile): BasicProfile => ({
  userId,
  displayName,
  avatarUrl,
})
