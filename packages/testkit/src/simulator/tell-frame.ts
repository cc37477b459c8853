/** Frames as a story tells them: what is said, without the wrapping. */
interface AnyFrame {
  readonly type: string
  readonly [name: string]: unknown
}

export function tellFrame(text: string): string {
  const frame = JSON.parse(text) as AnyFrame
  const teller = tellers[frame.type]
  return teller ? `${frame.type}${teller(frame as never)}` : frame.type
}

const short = (id: unknown): string =>
  typeof id === 'string' ? (id === 'inbox' ? id : `…${id.slice(-4)}`) : String(id)

interface Row {
  readonly type: string
  readonly sequence: number
  readonly position?: number
  readonly state?: string
  readonly identity?: { readonly user_id: string }
  readonly conversation?: string
  readonly parts?: readonly { readonly body: string }[]
  readonly deleted_at?: string | null
  readonly read?: readonly number[]
  readonly delivered?: readonly number[]
}

function tellRow(row: Row): string {
  const deleted = row.deleted_at ? ' deleted' : ''
  switch (row.type) {
    case 'message':
      return `${row.position}“${row.parts?.[0]?.body ?? ''}”${deleted}`
    case 'participant':
      return `${row.identity?.user_id} ${row.state} delivered [${row.delivered}] read [${row.read}]`
    case 'membership':
      return `${row.state} in ${short(row.conversation)}`
    default:
      return `${row.type}${deleted}`
  }
}

const tellRows = (rows: readonly Row[]) => rows.map((row) => `${row.sequence}:${tellRow(row)}`).join(', ')

const tellers: Readonly<Record<string, (frame: never) => string>> = {
  hello: ({ cursor }: { cursor: string | null }) => ` from ${cursor}`,
  heads: ({ streams, cursor }: { streams: { stream: string; sequence: number }[]; cursor: string | null }) =>
    ` ${streams.map(({ stream, sequence }) => `${short(stream)}@${sequence}`).join(' ')} cursor ${cursor}`,
  change: (frame: { stream: string; after: number; sequence: number; rows: Row[] }) =>
    ` ${short(frame.stream)} ${frame.after}→${frame.sequence}: ${tellRows(frame.rows)}`,
  rows: (frame: { id: number; stream: string; sequence: number; rows: Row[]; more: boolean }) =>
    ` #${frame.id} ${short(frame.stream)} →${frame.sequence}${frame.more ? ' (more)' : ''}: ${tellRows(frame.rows)}`,
  pull: ({ id, streams }: { id: number; streams: { stream: string; after: number }[] }) =>
    ` #${id} ${streams.map(({ stream, after }) => `${short(stream)} after ${after}`).join(', ')}`,
  page: (frame: { id: number; conversation: string; before: number | null }) =>
    ` #${frame.id} ${short(frame.conversation)} before ${frame.before}`,
  operation: (frame: { id: string; name: string; input: Record<string, unknown>; after?: string }) =>
    ` ${short(frame.id)} ${frame.name} ${tellInput(frame.input)}${frame.after ? ` after ${short(frame.after)}` : ''}`,
  acknowledgement: (frame: {
    id: string
    refusal?: { id: string }
    stream?: string
    sequence?: number
    result?: unknown
  }) =>
    frame.refusal
      ? ` ${short(frame.id)}: no, ${frame.refusal.id}`
      : ` ${short(frame.id)}: in ${short(frame.stream)}@${frame.sequence} ${JSON.stringify(frame.result)}`,
  move: ({ after_ms: afterMs }: { after_ms: number }) => ` after ${afterMs} ms`,
  goodbye: ({ reason }: { reason: string }) => ` ${reason}`,
  refusal: ({ error }: { error: { id: string } }) => ` ${error.id}`,
}

const tellInput = ({ id: _, ...input }: Record<string, unknown>): string =>
  JSON.stringify(input, (_name, value) =>
    typeof value === 'string' && value.startsWith('layer:///') && value.length > 40 ? short(value) : value,
  )
