/**
 * What arrives becomes writes: each function takes a frame and what is stored where its rows belong, and answers what
 * to commit, in one transaction, and whether the stream is behind then. Pure: no reading, no clock.
 *
 *     frame ──▶ readStoredRows ──▶ merge… ──▶ apply   commit the writes
 *                                        ├──▶ gap     commit the writes, then pull: the stream is behind its head
 *                                        └──▶ ignore  nothing to do
 *
 * All of it holds in any order and any number of times (STR-5). What makes that so: a row is only replaced by one with
 * a greater sequence; hidden positions only grow, so a hidden message is never stored again; who left has no copy and
 * takes no rows until a newer membership says otherwise; deletion for all is final and leaves a tombstone that refuses
 * late rows.
 */
import {
  type ChangeFrame,
  type ConversationId,
  type ConversationStreamRow,
  type HeadsFrame,
  hasPosition,
  type MembershipRow,
  missingPositions,
  type Row,
  type RowsFrame,
  type StreamId,
} from '@parley/protocol'
import type { StoredStream, Tables, Write } from '../replica/replica.ts'
import { put, putMeta, remove, removeAll } from '../replica/writes.ts'
import { CURSOR } from './meta-rows.ts'
import { isDeletedConversation, type StoredHeads, type StoredRows } from './stored-rows.ts'

export type Merge =
  | { readonly outcome: 'apply'; readonly stream: StoredStream | null; readonly writes: readonly Write[] }
  /** The frame's rows could not be taken, but that they exist was noted: the stream is behind. */
  | { readonly outcome: 'gap'; readonly stream: StoredStream; readonly writes: readonly Write[] }
  | { readonly outcome: 'ignore' }

const IGNORE: Merge = { outcome: 'ignore' }

export interface ChangeOptions {
  /**
   * Until the last of the `heads` is stored, a change's cursor must be held back: a crash would otherwise forget the
   * heads that were still on their way, since the cursor claims them.
   */
  readonly storesCursor: boolean
}

/**
 * A committed change (CON-5, CON-6). A stream of which there is no copy is applied from its very first change on: then
 * nothing is missing, and a new conversation is there without being asked for.
 */
export function mergeChange(stored: StoredRows, frame: ChangeFrame, { storesCursor }: ChangeOptions): Merge {
  const before = stored.stream ?? emptyStream(frame.stream)
  if (hasLeft(stored, frame.stream) || frame.sequence <= before.sequence) return IGNORE
  const cursor = storesCursor ? [putMeta(CURSOR, frame.cursor)] : []
  const heard = { ...before, head: Math.max(before.head, frame.sequence) }
  if (frame.after > before.sequence) {
    return { outcome: 'gap', stream: heard, writes: [put('streams', heard), ...cursor] }
  }
  const stream = { ...heard, sequence: frame.sequence, ...(before.sequence === 0 ? WHOLE : {}) }
  return apply(stored, stream, frame.rows, cursor)
}

/**
 * One frame of a pull's answer (CON-7).
 * @param after the sequence it goes on from: the request's for its first frame, then that of the frame before
 */
export function mergePull(stored: StoredRows, frame: RowsFrame, after: number): Merge {
  const before = stored.stream ?? emptyStream(frame.stream)
  if (hasLeft(stored, frame.stream)) return IGNORE
  if (isDenied(frame)) return isFetchedByPages(stored, before) ? IGNORE : deny(stored)
  const heard = { ...before, head: Math.max(before.head, frame.sequence) }
  if (after > before.sequence) return { outcome: 'gap', stream: heard, writes: [put('streams', heard)] }
  if (frame.sequence <= before.sequence) return IGNORE
  // Without a page first, a stream is pulled from its beginning; then its end is the whole of it.
  const isWhole = before.oldest === null && !frame.more
  const stream = { ...heard, sequence: frame.sequence, ...(isWhole ? WHOLE : {}) }
  return apply(stored, stream, frame.rows)
}

/**
 * The answer to a page (CON-8). Only the first page of a stream moves its sequence: a page says nothing of what
 * changed elsewhere in the stream since.
 * @param before as in the request
 */
export function mergePage(stored: StoredRows, frame: RowsFrame, before: number | null): Merge {
  const old = stored.stream ?? emptyStream(frame.stream)
  if (hasLeft(stored, frame.stream)) return IGNORE
  if (isDenied(frame)) return deny(stored)
  const isFirst = old.sequence === 0
  // Asked for before the copy went, and came after.
  if (before !== null && isFirst) return IGNORE
  // Older than the page that the copy began with: what was changed between the two would never be heard of.
  if (frame.sequence < (old.began ?? 0)) return IGNORE
  const stream = {
    ...old,
    ...(isFirst && { sequence: frame.sequence, began: frame.sequence }),
    head: Math.max(old.head, frame.sequence),
    ...history(old, frame, before),
  }
  return apply(stored, stream, frame.rows)
}

/** Heads the server named (CON-2, CON-3), with the cursor in the same commit. */
export function mergeHeads(stored: StoredHeads, frame: HeadsFrame): Write[] {
  const writes: Write[] = []
  for (const { stream: id, sequence } of frame.streams) {
    const stream = stored.streams.get(id) ?? emptyStream(id)
    // A conversation one has left has no copy to be behind. If one is back, the inbox will say so.
    if (!hasLeft(stored, id) && sequence > stream.head) writes.push(put('streams', { ...stream, head: sequence }))
  }
  if (frame.cursor !== null) writes.push(putMeta(CURSOR, frame.cursor))
  return writes
}

export function emptyStream(stream: StreamId): StoredStream {
  return { stream, sequence: 0, head: 0, oldest: null, complete: false }
}

const WHOLE = { oldest: 1, complete: true } as const

/** How far back the history reaches with this page, if it joins what is there. */
function history(
  old: StoredStream,
  frame: RowsFrame,
  before: number | null,
): Pick<StoredStream, 'oldest' | 'complete'> {
  const joins = before === null || (old.oldest !== null && before >= old.oldest)
  if (old.complete || !joins) return old
  if (!frame.more) return WHOLE
  let oldest = old.oldest ?? Infinity
  for (const row of frame.rows) if (row.type === 'message') oldest = Math.min(oldest, row.position)
  return { oldest: oldest === Infinity ? null : oldest, complete: false }
}

/** Stranger and absent look alike (CON-9): nothing, and nothing to come. */
export function isDenied(frame: RowsFrame): boolean {
  return frame.sequence === 0 && frame.rows.length === 0
}

/**
 * What is here stays, as for a conversation one was removed from; it is as far as it will get. But who is known to have
 * joined since then is merely early or late: the stream stays behind, to be asked for again another time.
 */
function deny(stored: StoredRows): Merge {
  const { stream } = stored
  if (!stream || standingIn(stored, stream.stream) === 'joined') return IGNORE
  if (stream.sequence === 0) {
    return { outcome: 'apply', stream: null, writes: [remove('streams', [stream.stream])] }
  }
  const ended = { ...stream, head: stream.sequence }
  return { outcome: 'apply', stream: ended, writes: [put('streams', ended)] }
}

/** What was removed is read by pages alone: a pull was asked for before that was known here, and its no is no news. */
function isFetchedByPages(stored: StoredRows, { stream, sequence }: StoredStream): boolean {
  return sequence === 0 && standingIn(stored, stream) === 'removed'
}

const hasLeft = (stored: Memberships, stream: StreamId) => standingIn(stored, stream) === 'left'

type Memberships = Pick<StoredRows, 'memberships'>

/** How one stands in the conversation of a stream, as far as is known. */
function standingIn({ memberships }: Memberships, stream: StreamId): MembershipRow['state'] | undefined {
  return stream === 'inbox' ? undefined : memberships.get(stream)?.state
}

function apply(stored: StoredRows, stream: StoredStream, rows: readonly Row[], cursor: readonly Write[] = []): Merge {
  const id = stream.stream
  if (id === 'inbox') return applied(stream, [...rows.flatMap((row) => inboxWrites(stored, row)), ...cursor])
  // Deleted for all, it has no history to wait for; and no row that comes late brings it back.
  const isDeleted = stored.conversation !== undefined && isDeletedConversation(stored.conversation)
  if (isDeleted) return applied({ ...stream, ...WHOLE }, cursor)
  const tombstone = rows.find(isDeletedConversation)
  if (tombstone) {
    return applied({ ...stream, ...WHOLE }, [
      ...forgetConversation(id, stored.doomed),
      put('conversations', tombstone),
      ...cursor,
    ])
  }
  const changes = rows.flatMap((row) => (row.type === 'membership' ? [] : rowWrites(stored, id, row)))
  return applied(stream, [...changes, ...cursor])
}

function applied(stream: StoredStream, writes: readonly Write[]): Merge {
  return { outcome: 'apply', stream, writes: [...writes, put('streams', stream)] }
}

function rowWrites(stored: StoredRows, conversation: ConversationId, row: ConversationStreamRow): Write[] {
  switch (row.type) {
    case 'conversation':
      return isNewer(row, stored.conversation) ? [put('conversations', row)] : []
    case 'participant':
      return isNewer(row, stored.participants.get(row.identity.id))
        ? [put('participants', { ...row, conversation })]
        : []
    case 'message': {
      const { id, position } = row
      const known = stored.messages.get(position)
      // Also below the oldest downloaded one: a page on its way may bring an older state of it.
      if (!isNewer(row, known) || isHidden(stored.memberships.get(conversation), position)) return []
      const message = put('messages', { ...row, conversation })
      return known ? [message] : [message, put('positions', { id, conversation, position })]
    }
    // A newer server may keep things we know nothing of; the rest of the stream is ours all the same.
    default:
      return []
  }
}

function inboxWrites(stored: StoredRows, row: Row): Write[] {
  if (row.type !== 'membership' || !isNewer(row, stored.memberships.get(row.conversation))) return []
  const { conversation } = row
  const doomed = stored.doomed.filter((message) => message.conversation === conversation)
  const membership = put('memberships', row)
  if (row.state === 'left') {
    return [membership, ...forgetConversation(conversation, doomed), remove('streams', [conversation])]
  }
  const hidden = doomed.filter((message) => isHidden(row, message.position)).flatMap(deleteMessage)
  // A conversation's stream has at least one change. What is hidden was told of with the heads, unless it was left then.
  const isKnownByHeads = row.state === 'hidden' && !hasLeft(stored, conversation)
  const isWanted = !(isKnownByHeads || stored.streams.has(conversation)) || isCutShort(stored, row)
  return [membership, ...hidden, ...(isWanted ? [put('streams', { ...emptyStream(conversation), head: 1 })] : [])]
}

/**
 * Removed while we were away: of what may still be read (CNV-6), some is not here, and the stream will not be read out
 * to us any more. Pages will be: the conversation is fetched like one of which there is no copy.
 */
function isCutShort(stored: StoredRows, row: MembershipRow): boolean {
  if (row.state !== 'removed' || row.last_position === null) return false
  const last = missingPositions(row.hidden, row.last_position).at(-1) ?? 0
  return (stored.newest.get(row.conversation) ?? 0) < last
}

/** The local copy of a conversation goes, except for what says that it is gone. */
export function forgetConversation(id: ConversationId, messages: readonly Tables['messages'][]): Write[] {
  return [
    remove('conversations', [id]),
    removeAll('participants', id),
    removeAll('messages', id),
    ...messages.map((message) => remove('positions', [message.id])),
  ]
}

function deleteMessage({ conversation, position, id }: Tables['messages']): Write[] {
  return [remove('messages', [conversation, position]), remove('positions', [id])]
}

function isHidden(membership: MembershipRow | undefined, position: number): boolean {
  return membership !== undefined && hasPosition(membership.hidden, position)
}

function isNewer(row: Row, stored: Row | undefined): boolean {
  return !stored || row.sequence > stored.sequence
}
