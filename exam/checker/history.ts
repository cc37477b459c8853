/**
 * What happened, as plain values: every operation from when it was asked for to what became of it, and what each side
 * held in the end. The checks (`checks/`) read nothing else.
 */
import type { MessageRow, Row, StreamId } from '@parley/protocol'

export interface History {
  readonly operations: readonly Operation[]
  readonly devices: readonly DeviceRecord[]
  /** The store as each identity may see it, read by a reader that never saw it before. */
  readonly store: readonly StoreView[]
  /** Who took part in a conversation from its first message to the end: these must have everything. */
  readonly members: Readonly<Record<string, readonly string[]>>
  readonly processes?: readonly ProcessRecord[]
  readonly resources?: ResourceRecord
  readonly bytes?: readonly ByteLog[]
  /** Limits of time are stretched by this; 1 if there is nothing to be forgiven. */
  readonly slowness?: number
  /** Devices may have been asked to stay away for so long after the fault. */
  readonly graceMs?: number
  /** When the fault was over, by the clock of all other moments here; undefined if there was none. */
  readonly healedAt?: number
  /** When each replica was seen to equal the store's view. */
  readonly convergedAt?: number
}

export interface Operation {
  readonly id: string
  readonly device: string
  readonly identity: string
  readonly name: string
  readonly conversation: string
  /** The place the outbox gave it: the order in which the app asked. */
  readonly order: number
  readonly invokedAt: number
  /** What a sent message says, unique in the whole history. */
  readonly body?: string
  /** The message that is sent or deleted. */
  readonly message?: string
  readonly outcome:
    | { readonly state: 'ok'; readonly at: number; readonly position?: number }
    /** Refused for good, or taken back before it was sent. */
    | { readonly state: 'failed'; readonly at: number; readonly reason: string }
    /** Nobody heard: it may have happened or not. */
    | { readonly state: 'unknown' }
}

/** Conversations as one side holds them. */
export interface Copy {
  readonly streams: readonly { readonly stream: StreamId; readonly sequence: number; readonly head: number }[]
  readonly rows: readonly CopiedRow[]
}

export interface CopiedRow {
  readonly stream: StreamId
  /** What the row is about, such as `message 7` or `participant …`. */
  readonly key: string
  readonly row: Row
}

export interface StoreView {
  readonly identity: string
  readonly copy: Copy
  readonly unread: Readonly<Record<string, number>>
  readonly lastMessage: Readonly<Record<string, string | null>>
}

export interface DeviceRecord {
  readonly name: string
  readonly identity: string
  readonly copy: Copy
  /** Message rows as the replica took them, in order. */
  readonly arrivals: readonly Arrival[]
  /** What a listening screen was told, in order. */
  readonly shown: readonly Shown[]
  readonly unread: Readonly<Record<string, number>>
  readonly lastMessage: Readonly<Record<string, string | null>>
  /** Operations still in the outbox at rest, and calls of the SDK that never settled. */
  readonly leftInOutbox: readonly string[]
  readonly unsettled: readonly string[]
}

export interface Arrival {
  readonly at: number
  readonly conversation: string
  readonly position: number
  readonly message: string
  /** The history of this conversation was known to be incomplete: older messages may follow newer ones. */
  readonly isBackfill: boolean
  /** The device had a connection when the message was asked for, and ever since. */
  readonly wasOnlineSince: number
}

/** One step of a list on a screen. */
export interface Shown {
  readonly conversation: string
  /** Which update of the screen it belongs to. */
  readonly update: number
  readonly type: 'insert' | 'delete' | 'move' | 'update'
  readonly message: string
  readonly status: 'pending' | 'failed' | 'sent'
  /** The list after this update was in order. */
  readonly isSorted: boolean
}

export interface ProcessRecord {
  readonly name: string
  /** Ends that nobody asked for. */
  readonly unaskedExits: readonly string[]
  /** Lines of its log. */
  readonly lines: readonly string[]
}

/** Measured before the load and after all was quiet again. */
export interface ResourceRecord {
  readonly before: Resources
  readonly after: Resources
  /** Outside the fault. */
  readonly eventLoopP99Ms: number
}

export interface Resources {
  readonly rssBytes: number
  readonly files: number
}

/** Everything somebody was sent, or a log that was written, and what must not be in it. */
export interface ByteLog {
  readonly name: string
  readonly text: string
  readonly canaries: readonly string[]
}

export interface Finding {
  /** Which standing check, such as `C1`; a row's own are named by the row. */
  readonly check: string
  readonly sentence: string
}

export type Check = (history: History) => readonly Finding[]

export const messagesOf = (copy: Copy): readonly { readonly conversation: StreamId; readonly row: MessageRow }[] =>
  copy.rows.flatMap(({ stream, row }) => (row.type === 'message' ? [{ conversation: stream, row }] : []))

/** Operations that send a message. */
export const sendsOf = (operations: readonly Operation[]): readonly (Operation & { readonly message: string })[] =>
  operations.flatMap((one) => (one.name === 'send-message' && one.message ? [{ ...one, message: one.message }] : []))

/** The first few of a long list, so that a finding stays a sentence. */
export const some = (items: readonly string[]): string =>
  items.length <= 3 ? items.join(', ') : `${items.slice(0, 3).join(', ')} and ${items.length - 3} more`

/** One finding for all items of a kind, none for none. */
export const found = (check: string, what: string, items: readonly string[]): readonly Finding[] =>
  items.length === 0 ? [] : [{ check, sentence: `${items.length} ${what}: ${some(items)}` }]
