import type { StreamRow, WrittenMessages, WrittenPage } from './store.ts'

/** Characters of messages that are passed on in one piece, about so many: a frame is made of whole pieces. */
const MAX_PIECE_LENGTH = 32_768

/** A message and how it travels. */
export interface WrittenRow {
  readonly type: 'message'
  readonly record: { readonly sequence: number }
  readonly text: string
}

/** Joins messages that follow each other. */
export function writtenPage(of: {
  readonly rows: readonly (Exclude<StreamRow, { readonly type: 'message' }> | WrittenRow)[]
  readonly sequence: number
  readonly more: boolean
}): WrittenPage {
  const rows: WrittenPage['rows'][number][] = []
  let texts: string[] = []
  let length = 0
  let sequence = 0
  const pass = () => {
    if (texts.length > 0) rows.push({ type: 'messages', text: texts.join(','), sequence } satisfies WrittenMessages)
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
