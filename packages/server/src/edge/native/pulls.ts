import {
  type ConversationStreamRow,
  conversationId,
  limits,
  type ParsedUpFrame,
  type Row,
  type RowsFrame,
  type StreamId,
  type Uuid,
} from '@parley/protocol'
import type { Session } from '../../model/state.ts'
import type { StreamStore } from '../../store/store.ts'
import { conversationRow, membershipRow, messageRow, participantRow, streamRow } from './encode.ts'

/** Rows of one frame, in characters of JSON: a page of large messages becomes several frames. */
const MAX_FRAME_LENGTH = 262_144

type Pull = Extract<ParsedUpFrame, { type: 'pull' }>
type Page = Extract<ParsedUpFrame, { type: 'page' }>

/** A row, or several that follow each other, as text; and how far a reader is who has them. */
interface Piece {
  readonly text: string
  readonly sequence: number
}

interface Read {
  readonly pieces: readonly Piece[]
  readonly sequence: number
  readonly more: boolean
}

/** Where reading goes on. */
interface Place {
  readonly index: number
  readonly after: number
}

/**
 * Answers a pull: every stream in turn, each read to its end, a frame at a time. While the frames of one page go out, the
 * next one is read.
 */
export async function* answerPull(streams: StreamStore, session: Session, pull: Pull): AsyncGenerator<string> {
  const read = ({ index, after }: Place) => {
    const reading = readPage(streams, session, pull.streams[index]!.stream, after)
    // Whoever went away in between does not wait for it.
    reading.catch(() => undefined)
    return reading
  }
  let place: Place | undefined = { index: 0, after: pull.streams[0]!.after }
  let reading = read(place)
  while (place) {
    const { index, after }: Place = place
    const page = await reading
    place = page.more ? { index, after: page.sequence } : placeOf(pull, index + 1)
    if (place) reading = read(place)
    const { stream } = pull.streams[index]!
    const name: StreamId = stream === 'inbox' ? 'inbox' : conversationId(stream)
    let from = after
    for (const part of split(page.pieces, (piece) => piece.text.length)) {
      const isEnd = part.isEnd && !page.more
      // Within a page, as far as the last row; at its end, as far as was read.
      const sequence = part.isEnd ? page.sequence : part.rows[part.rows.length - 1]!.sequence
      yield `{"type":"rows","id":${pull.id},"stream":"${name}","rows":[${part.rows.map(({ text }) => text).join(',')}],` +
        `"after":${from},"sequence":${sequence},"more":${!isEnd},"last":${isEnd && place === undefined}}`
      from = sequence
    }
  }
}

const placeOf = (pull: Pull, index: number): Place | undefined =>
  index < pull.streams.length ? { index, after: pull.streams[index]!.after } : undefined

async function readPage(
  streams: StreamStore,
  { app, userId }: Session,
  stream: 'inbox' | Uuid,
  after: number,
): Promise<Read> {
  if (stream === 'inbox') {
    const { rows, ...page } = await streams.inbox(app, userId, after, limits.maxRowsPerFrame)
    return { ...page, pieces: rows.map(({ conversation, record }) => pieceOf(membershipRow(conversation, record))) }
  }
  const page = await streams.writtenConversation(app, stream, userId, after, limits.maxRowsPerFrame)
  if (!page) return { pieces: [], sequence: 0, more: false }
  return { ...page, pieces: page.rows.map((row) => (row.type === 'messages' ? row : pieceOf(streamRow(row)))) }
}

const pieceOf = (row: Row): Piece => ({ text: JSON.stringify(row), sequence: row.sequence })

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
  const [first] = split(read.messages.map(messageRow), (row) => JSON.stringify(row.parts).length)
  const messages = first?.rows ?? []
  return {
    ...frame,
    rows: [...about, ...messages],
    sequence: read.sequence,
    more: read.more || messages.length < read.messages.length,
  }
}

/** Cuts a list of rows so that no frame grows too long; always at least one part, if an empty one. */
function split<R>(
  rows: readonly R[],
  lengthOf: (row: R) => number,
): { readonly rows: readonly R[]; readonly isEnd: boolean }[] {
  const parts: R[][] = [[]]
  let length = 0
  for (const row of rows) {
    const size = lengthOf(row)
    if (length > 0 && length + size > MAX_FRAME_LENGTH) {
      parts.push([])
      length = 0
    }
    parts[parts.length - 1]!.push(row)
    length += size
  }
  return parts.map((part, index) => ({ rows: part, isEnd: index === parts.length - 1 }))
}
