import {
  type ConversationStreamRow,
  conversationId,
  limits,
  type ParsedUpFrame,
  type Row,
  type RowsFrame,
  type StreamId,
} from '@parley/protocol'
import type { Session } from '../../model/state.ts'
import type { StreamStore, WrittenFrom } from '../../store/store.ts'
import type { ListText } from '../sockets/text-frame.ts'
import { conversationRow, membershipRow, messageRow, participantRow, streamRow } from './encode.ts'
import { LentMemory } from './lent-memory.ts'

/** Streams that one look into the store may be asked for: no more than it will bring. */
const MAX_STREAMS_OF_A_LOOK = 50
/** Rows of one frame, in bytes of JSON: a page of large messages becomes several frames. */
const MAX_FRAME_LENGTH = 262_144

type Pull = Extract<ParsedUpFrame, { type: 'pull' }>
type Page = Extract<ParsedUpFrame, { type: 'page' }>

/** A row, or several that follow each other, in JSON; and how far a reader is who has them. */
interface Piece {
  readonly bytes: Uint8Array
  readonly sequence: number
}

interface Read {
  /** Good until the memory that was lent for them is used again. */
  readonly pieces: readonly Piece[]
  readonly sequence: number
  readonly more: boolean
}

/** A stream, and the sequence from which reading goes on. */
type Place = Pull['streams'][number]

const memories = new LentMemory()

/**
 * Answers a pull: every stream in turn, each read to its end, a frame at a time, each good until the next is asked for.
 * While the frames of one look into the store go out, the next one is on its way.
 */
export async function* answerPull(streams: StreamStore, session: Session, pull: Pull): AsyncGenerator<ListText> {
  let places: readonly Place[] = pull.streams
  let memory = memories.take()
  let looking = look(streams, session, places, memory)
  while (places.length > 0) {
    const read = await looking
    const asked = places
    const filled = memory
    places = placesAfter(asked, read)
    if (places.length > 0) {
      memory = memories.take()
      looking = look(streams, session, places, memory)
    }
    for (const [index, page] of read.entries()) {
      const isLast = index === read.length - 1 && places.length === 0
      yield* framesOf(pull.id, asked[index]!, page, isLast)
    }
    memories.giveBack(filled)
  }
}

/** Pages of the first of these streams: of one at least. */
function look(
  streams: StreamStore,
  { app, userId }: Session,
  places: readonly Place[],
  memory: Uint8Array,
): Promise<readonly Read[]> {
  const [first] = places
  const looking = first!.stream === 'inbox' ? readInbox(first!.after) : readConversations()
  // Whoever went away in between does not wait for it.
  looking.catch(() => undefined)
  return looking

  async function readInbox(after: number): Promise<Read[]> {
    const { rows, ...page } = await streams.inbox(app, userId, after, limits.maxRowsPerFrame)
    return [{ ...page, pieces: rows.map(({ conversation, record }) => pieceOf(membershipRow(conversation, record))) }]
  }

  async function readConversations(): Promise<Read[]> {
    const from: WrittenFrom[] = []
    for (const { stream, after } of places) {
      if (stream === 'inbox' || from.length === MAX_STREAMS_OF_A_LOOK) break
      from.push({ id: stream, after })
    }
    const pages = await streams.writtenConversations(app, userId, from, limits.maxRowsPerFrame, memory)
    return pages.map((page) =>
      page
        ? { ...page, pieces: page.rows.map((row) => (row.type === 'messages' ? row : pieceOf(streamRow(row)))) }
        : { pieces: [], sequence: 0, more: false },
    )
  }
}

/** What is left to read: the rest of the last stream that was read, and those after it. */
function placesAfter(asked: readonly Place[], read: readonly Read[]): readonly Place[] {
  const { more, sequence } = read[read.length - 1]!
  const rest = asked.slice(read.length)
  return more ? [{ stream: asked[read.length - 1]!.stream, after: sequence }, ...rest] : rest
}

function* framesOf(id: number, { stream, after }: Place, page: Read, isLast: boolean): Generator<ListText> {
  const name: StreamId = stream === 'inbox' ? 'inbox' : conversationId(stream)
  let from = after
  for (const part of split(page.pieces, (piece) => piece.bytes.length)) {
    const isEnd = part.isEnd && !page.more
    // Within a page, as far as the last row; at its end, as far as was read.
    const sequence = part.isEnd ? page.sequence : part.rows[part.rows.length - 1]!.sequence
    yield {
      head: `{"type":"rows","id":${id},"stream":"${name}","rows":[`,
      items: part.rows.map(({ bytes }) => bytes),
      tail: `],"after":${from},"sequence":${sequence},"more":${!isEnd},"last":${isEnd && isLast}}`,
    }
    from = sequence
  }
}

const pieceOf = (row: Row): Piece => ({ bytes: Buffer.from(JSON.stringify(row)), sequence: row.sequence })

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
