import {
  type ConversationStreamRow,
  conversationId,
  type InboxRow,
  limits,
  type ParsedUpFrame,
  type RowsFrame,
  type StreamId,
} from '@parley/protocol'
import type { Session } from '../../model/state.ts'
import type { StreamStore } from '../../store/store.ts'
import { conversationRow, membershipRow, messageRow, participantRow, streamRow } from './encode.ts'

/** Rows of one frame, in characters of JSON: a page of large messages becomes several frames. */
const MAX_FRAME_LENGTH = 262_144

type Pull = Extract<ParsedUpFrame, { type: 'pull' }>
type Page = Extract<ParsedUpFrame, { type: 'page' }>

/** Answers a pull: every stream in turn, each read to its end, a frame at a time. */
export async function* answerPull(streams: StreamStore, session: Session, pull: Pull): AsyncGenerator<RowsFrame> {
  const { app, userId } = session
  for (const [index, { stream, after }] of pull.streams.entries()) {
    const isLastStream = index === pull.streams.length - 1
    const name: StreamId = stream === 'inbox' ? 'inbox' : conversationId(stream)
    let from = after
    for (;;) {
      const page =
        stream === 'inbox'
          ? await streams.inbox(app, userId, from, limits.maxRowsPerFrame)
          : await streams.conversation(app, stream, userId, from, limits.maxRowsPerFrame)
      const rows = page?.rows.map((row) =>
        'type' in row ? streamRow(row) : membershipRow(row.conversation, row.record),
      )
      for (const part of split(rows ?? [])) {
        const isEnd = part.isEnd && !page?.more
        // Within a page, as far as the last row; at its end, as far as was read.
        const sequence = part.isEnd ? (page?.sequence ?? 0) : part.rows[part.rows.length - 1]!.sequence
        yield {
          type: 'rows',
          id: pull.id,
          stream: name,
          rows: part.rows,
          after: from,
          sequence,
          more: !isEnd,
          last: isEnd && isLastStream,
        }
        from = sequence
      }
      if (!page?.more) break
    }
  }
}

/** Answers a page: newest messages first, as many as fit one frame. */
export async function answerPage(streams: StreamStore, session: Session, page: Page): Promise<RowsFrame> {
  const read = await streams.messages(session.app, page.conversation, session.userId, page.before, page.limit)
  const frame = { type: 'rows' as const, id: page.id, stream: conversationId(page.conversation), after: 0, last: true }
  if (!read) return { ...frame, rows: [], sequence: 0, more: false }
  const about: ConversationStreamRow[] =
    page.before === null
      ? [
          conversationRow(read.conversation),
          ...read.participants.map(({ record, profile }) => participantRow(record, profile)),
        ]
      : []
  const [first] = split(read.messages.map(messageRow))
  const messages = first?.rows ?? []
  return {
    ...frame,
    rows: [...about, ...messages],
    sequence: read.sequence,
    more: read.more || messages.length < read.messages.length,
  }
}

/** Cuts a list of rows so that no frame grows too long; always at least one part, if an empty one. */
function split<R extends ConversationStreamRow | InboxRow>(
  rows: readonly R[],
): { readonly rows: readonly R[]; readonly isEnd: boolean }[] {
  const parts: R[][] = [[]]
  let length = 0
  for (const row of rows) {
    const size = row.type === 'message' ? JSON.stringify(row.parts).length : 512
    if (length > 0 && length + size > MAX_FRAME_LENGTH) {
      parts.push([])
      length = 0
    }
    parts[parts.length - 1]!.push(row)
    length += size
  }
  return parts.map((part, index) => ({ rows: part, isEnd: index === parts.length - 1 }))
}
