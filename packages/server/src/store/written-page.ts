import type { StreamRow, WrittenFrom, WrittenMessages, WrittenPage } from './store.ts'
import { TextRoom } from './text-room.ts'

/** Characters of messages that are passed on in one piece, about so many: a frame is made of whole pieces. */
const MAX_PIECE_LENGTH = 32_768
/** One look goes on to the next conversation until it has brought so many rows, or so many bytes of messages. */
export const ENOUGH_ROWS = 500
const ENOUGH_BYTES = 262_144

/** A message and how it travels. */
export interface WrittenRow {
  readonly type: 'message'
  readonly record: { readonly sequence: number }
  readonly text: string
}

export interface UnwrittenPage {
  readonly rows: readonly (Exclude<StreamRow, { readonly type: 'message' }> | WrittenRow)[]
  readonly sequence: number
  readonly more: boolean
}

/**
 * Pages of conversations one after the other, each to its end before the next, as many as one look should bring. What
 * cannot be read is told to whoever asks for it first: what lies before it is not withheld.
 */
export function writtenPages(
  from: readonly WrittenFrom[],
  read: (from: WrittenFrom) => UnwrittenPage | undefined,
  memory?: Uint8Array,
): (WrittenPage | undefined)[] {
  const room = new TextRoom(memory)
  const pages: (WrittenPage | undefined)[] = []
  let rows = 0
  let bytes = 0
  for (const each of from) {
    let page: UnwrittenPage | undefined
    try {
      page = read(each)
    } catch (error) {
      if (pages.length === 0) throw error
      return pages
    }
    const written = page && writtenPage(page, room)
    pages.push(written)
    rows += page?.rows.length ?? 0
    for (const row of written?.rows ?? []) if (row.type === 'messages') bytes += row.bytes.length
    if (written?.more || rows >= ENOUGH_ROWS || bytes >= ENOUGH_BYTES) return pages
  }
  return pages
}

/** Joins messages that follow each other. */
export function writtenPage(of: UnwrittenPage, room: TextRoom): WrittenPage {
  const rows: WrittenPage['rows'][number][] = []
  let texts: string[] = []
  let length = 0
  let sequence = 0
  const pass = () => {
    if (texts.length > 0) {
      rows.push({ type: 'messages', bytes: room.write(texts.join(',')), sequence } satisfies WrittenMessages)
    }
    texts = []
    length = 0
  }
  for (const row of of.rows) {
    if (row.type !== 'message') {
      pass()
      rows.push(row)
      continue
    }
    if (length + row.text.length > MAX_PIECE_LENGTH) pass()
    texts.push(row.text)
    length += row.text.length
    sequence = row.record.sequence
  }
  pass()
  return { rows, sequence: of.sequence, more: of.more }
}
