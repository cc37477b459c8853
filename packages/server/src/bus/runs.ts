import { partsTextOf } from '../model/message-text.ts'
import { isAsSent } from '../model/state.ts'
import { type Commit, type CommitMove, type HintRow, MAX_NAMED_AUDIENCE, MAX_ROWS_BYTES } from './messages.ts'

/** Messages that are said at once. */
export const MAX_RUN = 50

type ConversationMove = Extract<CommitMove, { stream: 'conversation' }>
export type MessageRow = Extract<HintRow, { type: 'message' }>
/** How a conversation moved by messages that one person sent, with nothing between them. */
type RunMove = Omit<ConversationMove, 'rows'> & { readonly rows: readonly MessageRow[] }

/**
 * What was committed, with messages that one person sent one after the other in a conversation made one commit of several
 * rows: they say the same but for their ids and parts, and concern the same people. Within a stream the order stays.
 */
export function inRuns(committed: readonly Commit[]): readonly Commit[] {
  if (committed.length < 2) return committed
  const said: Commit[] = []
  const open = new Map<string, Run>()
  const grown = new Set<Run>()
  for (const commit of committed) {
    const move = runOf(commit)
    const run = move && open.get(move.conversation.id)
    if (move && run?.goesOn(commit, move)) {
      run.add(move)
      grown.add(run)
      continue
    }
    if (move) open.set(move.conversation.id, new Run(commit, move, said.length))
    said.push(commit)
  }
  for (const run of grown) said[run.place] = run.commit
  return said
}

/** What a commit moved, if it is a run: messages as they were sent and nothing else, to people who can be named. */
export function runOf({ operation, moves }: Commit): RunMove | undefined {
  const [move] = moves
  if (operation !== 'send-message' || moves.length !== 1 || move?.stream !== 'conversation') return undefined
  const { rows, audience } = move
  if (rows.length === 0 || rows.length > MAX_RUN || audience.length > MAX_NAMED_AUDIENCE) return undefined
  let before: MessageRow | undefined
  for (const row of rows) {
    if (!isNew(row) || (before && !follows(before, row))) return undefined
    before = row
  }
  return move as RunMove
}

const isNew = (row: HintRow): row is MessageRow =>
  row.type === 'message' && isAsSent(row.record) && row.record.deletedAt === null

function follows({ record: before }: MessageRow, { record }: MessageRow): boolean {
  return (
    record.position === before.position + 1 &&
    record.sequence === before.sequence + 1 &&
    record.sender === before.sender &&
    record.sentAt === before.sentAt &&
    record.changedAt === before.changedAt
  )
}

/** A run that may grow. */
class Run {
  /** Where it is said. */
  readonly place: number
  readonly #first: Commit
  readonly #move: RunMove
  readonly #rows: MessageRow[]
  #characters: number

  constructor(first: Commit, move: RunMove, place: number) {
    this.place = place
    this.#first = first
    this.#move = move
    this.#rows = [...move.rows]
    this.#characters = charactersOf(move)
  }

  goesOn({ app, actor }: Commit, move: RunMove): boolean {
    return (
      app === this.#first.app &&
      actor === this.#first.actor &&
      move.audience.length === this.#move.audience.length &&
      this.#rows.length + move.rows.length <= MAX_RUN &&
      follows(this.#rows[this.#rows.length - 1]!, move.rows[0]!) &&
      this.#characters + charactersOf(move) <= MAX_ROWS_BYTES
    )
  }

  add(move: RunMove): void {
    this.#rows.push(...move.rows)
    this.#characters += charactersOf(move)
  }

  get commit(): Commit {
    const { app, actor, operation, input, cursor, at } = this.#first
    const { stream, conversation, after, audience } = this.#move
    const rows = this.#rows
    const sequence = rows[rows.length - 1]!.record.sequence
    const moves = [{ stream, conversation, after, sequence, audience, rows }]
    return { app, actor, operation, input, cursor, at, moves }
  }
}

/** Of the parts as they are said, with what comes between one message's and the next. */
const charactersOf = ({ rows }: RunMove) => rows.reduce((sum, { record }) => sum + partsTextOf(record).length + 1, 0)
